"""Proving an address and setting a new password by mail (reliability.md row 25)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.limits import MAIL_ACCOUNT
from accounts.models import AccountMail, MailPurpose, UserStatus
from accounts.services import approve_foreman, invite_user, suspend_user
from accounts.services.mails import ask_for_mail, issue_token, void_mails
from accounts.services.sessions import lock_user
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, ForemanFactory, UserFactory
from chitfund.testing import in_own_connection, wait_for_blocked_query

NEW_PASSWORD = "a lovely new secret"


def post(path, **body):
    return APIClient().post(f"/api/auth/{path}", body)


def token_for(user, purpose=MailPurpose.PASSWORD_RESET):
    return issue_token(ask_for_mail(user=user, purpose=purpose))


def reset(token, password=NEW_PASSWORD):
    return post("reset-password", token=token, password=password)


@pytest.mark.django_db
def test_the_link_in_the_mail_confirms_the_address(mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post(
            "register",
            full_name="Asha Rao",
            email="asha@example.com",
            phone_number="9840012345",
            password=PASSWORD,
            date_of_birth="1990-01-01",
        )
        assert mailoutbox == []
    (letter,) = mail.outbox
    assert letter.to == ["asha@example.com"]
    token = re.search(r"/verify-email\?token=(\S+)", letter.body)[1]

    response = post("verify-email", token=token)

    assert response.status_code == 200
    assert response.json()["user"]["status"] == "ACTIVE"
    assert post("login", identifier="asha@example.com", password=PASSWORD).status_code == 200


@pytest.mark.django_db
def test_a_link_opens_once():
    token = token_for(UserFactory.create(pending=True), MailPurpose.VERIFY_EMAIL)

    assert post("verify-email", token=token).status_code == 200
    again = post("verify-email", token=token)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_token")


@pytest.mark.django_db
def test_a_foreman_becomes_active_by_both_in_either_order():
    admin = AdminFactory.create()
    early, late = ForemanFactory.create_batch(2, unapproved=True, email_verified_at=None)
    approve_foreman(user_id=early.pk, actor=admin, reason="papers seen")
    post("verify-email", token=token_for(late, MailPurpose.VERIFY_EMAIL))
    for foreman in (early, late):
        foreman.refresh_from_db()
        assert foreman.status == UserStatus.PENDING

    post("verify-email", token=token_for(early, MailPurpose.VERIFY_EMAIL))
    approve_foreman(user_id=late.pk, actor=admin, reason="papers seen")
    for foreman in (early, late):
        foreman.refresh_from_db()
        assert foreman.status == UserStatus.ACTIVE


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["forgot-password", "resend-verification"])
def test_asking_for_a_mail_tells_nothing(path):
    people = [
        UserFactory.create().email,
        UserFactory.create(pending=True).email,
        UserFactory.create(suspended=True).email,
        "nobody@example.com",
    ]
    answers = [post(path, email=email) for email in people]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert AccountMail.objects.count() == 4  # a row each: not even the work differs


@pytest.mark.django_db
def test_only_those_who_may_get_a_new_password_get_the_mail():
    active = UserFactory.create()
    suspended = UserFactory.create(suspended=True)
    for email in (active.email.upper(), suspended.email, "nobody@example.com"):
        post("forgot-password", email=email)

    assert list(AccountMail.objects.exclude(user=None).values_list("user", flat=True)) == [
        active.pk
    ]


@pytest.mark.django_db
def test_a_verified_address_gets_no_other_verification_mail():
    user = UserFactory.create()
    post("resend-verification", email=user.email)

    assert not user.account_mails.exists()


@pytest.mark.django_db
def test_asking_again_and_again_is_refused_for_known_and_unknown_alike():
    user = UserFactory.create()
    for email in (user.email, "nobody@example.com"):
        codes = [
            post("forgot-password", email=email).status_code
            for _ in range(MAIL_ACCOUNT.attempts + 1)
        ]
        assert codes == [202] * MAIL_ACCOUNT.attempts + [429]


@pytest.mark.django_db
def test_a_new_password_ends_every_session_and_the_old_password():
    user = UserFactory.create()
    client = client_for(user)

    assert reset(token_for(user)).status_code == 200
    assert client.get("/api/notifications").status_code == 401
    assert post("login", identifier=user.email, password=PASSWORD).status_code == 401
    assert post("login", identifier=user.email, password=NEW_PASSWORD).status_code == 200


@pytest.mark.django_db
def test_a_weak_password_does_not_use_the_link_up():
    token = token_for(UserFactory.create())
    weak = reset(token, "password123")

    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "password")
    assert reset(token).status_code == 200


@pytest.mark.django_db
def test_an_earlier_link_dies_when_another_is_asked_for():
    user = UserFactory.create()
    first = token_for(user)
    token_for(user)

    assert reset(first).status_code == 400


@pytest.mark.django_db
def test_a_link_dies_with_a_new_password_a_sign_in_and_a_suspension():
    user = UserFactory.create()
    verify = token_for(user, MailPurpose.VERIFY_EMAIL)
    assert reset(token_for(user)).status_code == 200
    assert post("verify-email", token=verify).status_code == 400

    token = token_for(user)
    post("login", identifier=user.email, password=NEW_PASSWORD)
    assert reset(token).status_code == 400

    token = token_for(user)
    suspend_user(user_id=user.pk, actor=AdminFactory.create(), reason="fraud")
    assert reset(token).status_code == 400


@pytest.mark.django_db
def test_a_link_for_one_thing_does_not_open_another():
    user = UserFactory.create(pending=True)

    assert reset(token_for(user, MailPurpose.VERIFY_EMAIL)).status_code == 400
    assert post("verify-email", token=token_for(user)).status_code == 400


@pytest.mark.django_db
def test_a_link_ends_after_half_an_hour():
    user = UserFactory.create()
    token = token_for(user)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert reset(token).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "é", "\x00", "x" * 201, None])
def test_a_made_up_token_opens_nothing(token):
    assert (
        APIClient()
        .post("/api/auth/reset-password", {"token": token, "password": NEW_PASSWORD})
        .status_code
        == 400
    )


@pytest.mark.django_db
def test_the_secret_is_long_and_kept_as_its_hash_only():
    user = UserFactory.create()
    token = token_for(user)

    assert len(token) >= 43
    row = AccountMail.objects.get()
    assert token not in str(row.__dict__)
    assert len(row.token_hash) == 64


@pytest.mark.django_db(transaction=True)
def test_a_link_used_ten_times_at_once_opens_once():
    token = token_for(UserFactory.create())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(in_own_connection(reset), [token] * 10))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9


@pytest.mark.django_db
def test_an_invitation_sets_the_first_password_and_proves_the_address():
    user = invite_user(
        actor=AdminFactory.create(),
        full_name="Ravi",
        email="ravi@example.com",
        phone_number="+919840011111",
        role="USER",
    )
    token = issue_token(user.account_mails.get())

    assert reset(token).status_code == 200
    assert post("login", identifier=user.email, password=NEW_PASSWORD).status_code == 200


@pytest.mark.django_db
def test_the_host_header_does_not_get_into_the_link(
    mailoutbox, django_capture_on_commit_callbacks, settings
):
    settings.PUBLIC_URL = "https://office.example"
    settings.ALLOWED_HOSTS = ["*"]
    user = UserFactory.create()
    client = APIClient(HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/api/auth/forgot-password", {"email": user.email})

    (letter,) = mail.outbox
    assert "https://office.example/reset-password?token=" in letter.body
    assert "evil" not in letter.message().as_string()


@pytest.mark.django_db(transaction=True)
def test_a_reset_waits_for_a_sign_in_and_the_two_do_not_wait_for_each_other():
    user = UserFactory.create()
    token = token_for(user)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_user(user.pk)
            rival = pool.submit(in_own_connection(reset), token)
            wait_for_blocked_query()
            void_mails(user=user, purposes=[MailPurpose.PASSWORD_RESET])
        assert rival.result(timeout=5).json()["code"] == "invalid_token"


@pytest.mark.django_db
def test_the_owner_is_told_that_the_password_was_reset_but_not_of_the_first_one():
    user = UserFactory.create()
    reset(token_for(user))
    assert user.account_mails.filter(purpose=MailPurpose.PASSWORD_CHANGED).count() == 1

    invited = UserFactory.create()
    invited.set_unusable_password()
    invited.save()
    reset(token_for(invited, MailPurpose.INVITATION))
    assert not invited.account_mails.filter(purpose=MailPurpose.PASSWORD_CHANGED).exists()
