"""Changing one's own password, address and phone number when signed in."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.limits import MAIL_ACCOUNT, OWN_PASSWORD
from accounts.models import (
    AccountMail,
    AuditEvent,
    AuthSession,
    CodeChannel,
    CodePurpose,
    MailPurpose,
    OneTimeCode,
    User,
)
from accounts.services import suspend_user
from accounts.services.mails import ask_for_mail, issue_token
from accounts.services.one_time_codes import issue_code
from accounts.tests.api import client_for, session_of
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from accounts.tokens import access_token_for
from chitfund.testing import in_own_connection
from notifications.account_mails import send_account_mails

NEW_PASSWORD = "a lovely new secret"
NEW_EMAIL = "new@example.com"
NEW_PHONE = "+919840012345"
OPEN_PATH = "/api/auth/sessions"


def login(identifier, password=PASSWORD):
    return APIClient().post("/api/auth/login", {"identifier": identifier, "password": password})


def pair_client(user):
    """Return a client that has signed in as people do, and the pair it got."""
    pair = login(user.email).json()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
    return client, pair


def change_password(client, current=PASSWORD, new=NEW_PASSWORD):
    body = {"current_password": current, "new_password": new}
    return client.post("/api/auth/change-password", body)


def change_email(client, email=NEW_EMAIL, current=PASSWORD):
    body = {"current_password": current, "email": email}
    return client.post("/api/auth/change-email", body)


def confirm(token):
    return APIClient().post("/api/auth/confirm-email-change", {"token": token})


def link_of(user):
    return issue_token(
        AccountMail.objects.get(user=user, purpose=MailPurpose.EMAIL_CHANGE, used_at=None)
    )


def change_phone(client, token, phone=NEW_PHONE, current=PASSWORD):
    body = {"current_password": current, "phone_number": phone, "phone_token": token}
    return client.post("/api/auth/change-phone", body)


def proof_of(phone=NEW_PHONE, purpose=CodePurpose.CHANGE_PHONE):
    code = OneTimeCode.objects.create(
        channel=CodeChannel.SMS,
        address=phone,
        purpose=purpose,
        trace_id="t",
        expires_at=timezone.now() + timedelta(minutes=10),
    )
    body = {"phone_number": phone, "otp": issue_code(code), "purpose": purpose}
    return APIClient().post("/api/otp/verify", body).json()["phone_token"]


def purposes_to(user):
    return set(
        AccountMail.objects.filter(user=user, used_at=None).values_list("purpose", flat=True)
    )


@pytest.mark.django_db
def test_a_new_password_ends_all_other_sessions_and_renews_this_one():
    user = UserFactory.create()
    (here, old), (_, other) = pair_client(user), pair_client(user)
    response = change_password(here)

    assert response.status_code == 200
    new = response.json()
    for pair in (old, other):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
        assert client.get(OPEN_PATH).status_code == 401
        refreshed = client.post("/api/auth/refresh-token", {"refresh_token": pair["refresh_token"]})
        assert refreshed.status_code == 401
    here.credentials(HTTP_AUTHORIZATION=f"Bearer {new['access_token']}")
    (row,) = here.get(OPEN_PATH).json()["results"]
    assert row["is_current"]
    again = here.post("/api/auth/refresh-token", {"refresh_token": new["refresh_token"]})
    assert again.status_code == 200
    assert AuthSession.objects.filter(user=user, ended_at=None).count() == 1
    assert login(user.email).status_code == 401
    assert login(user.email, NEW_PASSWORD).status_code == 200
    assert purposes_to(user) == {MailPurpose.PASSWORD_CHANGED}
    assert AuditEvent.objects.filter(verb="user.password_changed").count() == 1


@pytest.mark.django_db
def test_a_used_token_from_before_the_new_password_does_not_end_the_renewed_session():
    user = UserFactory.create()
    _, old = pair_client(user)
    body = {"refresh_token": old["refresh_token"]}
    client = APIClient()
    renewed = client.post("/api/auth/refresh-token", body).json()
    newest = {"refresh_token": renewed["refresh_token"]}
    renewed = client.post("/api/auth/refresh-token", newest).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {renewed['access_token']}")
    new = change_password(client).json()

    assert client.post("/api/auth/refresh-token", body).status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {new['access_token']}")
    assert client.get(OPEN_PATH).status_code == 200
    assert MailPurpose.SESSION_REUSED not in purposes_to(user)


@pytest.mark.django_db
def test_what_the_session_has_shown_is_still_shown_after_a_new_password():
    user = UserFactory.create()
    session = session_of(user)
    AuthSession.objects.update(second_factor_at=timezone.now())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token_for(user, session)}")

    assert change_password(client).status_code == 200
    assert AuthSession.objects.get(ended_at=None).second_factor_at is not None


@pytest.mark.django_db
def test_with_a_cookie_session_the_new_tokens_are_cookies(settings):
    settings.PUBLIC_URL = "http://localhost:3000"
    user = UserFactory.create()
    client = APIClient(HTTP_ORIGIN="http://localhost:3000")
    body = {"identifier": user.email, "password": PASSWORD}
    client.post("/api/auth/login?session=cookie", body)
    response = change_password(client)

    assert response.json()["token_type"] == "Cookie"
    assert client.get(OPEN_PATH).status_code == 200
    assert client.post("/api/auth/refresh-token").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("new", "field"),
    [("password123", "new_password"), (PASSWORD, "new_password"), ("", "new_password")],
)
def test_a_weak_or_the_same_password_changes_nothing(new, field):
    user = UserFactory.create()
    client = client_for(user)
    response = change_password(client, new=new)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert client.get(OPEN_PATH).status_code == 200
    assert login(user.email).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("change", [
    lambda client, wrong: change_password(client, current=wrong),
    lambda client, wrong: change_email(client, current=wrong),
    lambda client, wrong: change_phone(client, "x", current=wrong),
])  # fmt: skip
def test_the_present_password_may_be_guessed_at_a_few_times_only(change):
    user = UserFactory.create()
    client = client_for(user)
    answers = [change(client, f"wrong {n}") for n in range(OWN_PASSWORD.attempts + 1)]

    assert [answer.status_code for answer in answers] == [400] * OWN_PASSWORD.attempts + [429]
    assert answers[0].json()["errors"][0]["field"] == "current_password"
    assert answers[0].json()["code"] == "wrong_password"
    # Even the right one has to wait now.
    assert change(client, PASSWORD).status_code == 429
    assert AuditEvent.objects.filter(verb="user.password_refused").count() == OWN_PASSWORD.attempts


@pytest.mark.django_db
def test_a_new_address_proves_itself_and_the_old_one_is_told(
    mailoutbox, django_capture_on_commit_callbacks
):
    user = UserFactory.create()
    old = user.email
    client, pair = pair_client(user)
    with django_capture_on_commit_callbacks(execute=True):
        assert change_email(client, NEW_EMAIL.upper()).status_code == 202
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert letters.keys() == {old, NEW_EMAIL}
    assert "token=" not in letters[old].body
    assert NEW_EMAIL not in letters[old].body
    token = re.search(r"/confirm-email-change\?token=(\S+)", letters[NEW_EMAIL].body)[1]
    user.refresh_from_db()
    assert user.email == old

    mail.outbox.clear()
    assert confirm(token).status_code == 200
    send_account_mails()
    assert [letter.to for letter in mail.outbox] == [[old]]
    assert client.get(OPEN_PATH).status_code == 401
    dead = client.post("/api/auth/refresh-token", {"refresh_token": pair["refresh_token"]})
    assert dead.status_code == 401
    assert login(old).status_code == 401
    assert login(NEW_EMAIL).status_code == 200
    assert confirm(token).status_code == 400
    for verb in ("user.email_change_asked", "user.email_changed"):
        event = AuditEvent.objects.get(verb=verb)
        assert (event.actor, event.details) == (user, {})


@pytest.mark.django_db
def test_every_address_that_was_left_is_told():
    user = UserFactory.create()
    first = user.email
    for email in (NEW_EMAIL, "newer@example.com"):
        change_email(client_for(User.objects.get(pk=user.pk)), email)
        assert confirm(link_of(user)).status_code == 200
    send_account_mails()

    told = [m.to[0] for m in mail.outbox if m.subject == "Your e-mail address was changed"]
    assert sorted(told) == sorted([first, NEW_EMAIL])


@pytest.mark.django_db
def test_a_taken_address_gets_the_same_answer_and_the_same_work():
    user = UserFactory.create()
    owner = UserFactory.create()
    client = client_for(user)
    free, taken = change_email(client), change_email(client, owner.email)

    assert free.status_code == taken.status_code == 202
    assert free.content == taken.content
    rows = AccountMail.objects.order_by("id").values_list("purpose", "user")
    assert list(rows[:3]) == [
        (MailPurpose.EMAIL_CHANGE, user.pk),
        (MailPurpose.EMAIL_CHANGE_ASKED, user.pk),
        (MailPurpose.ADDRESS_TAKEN, None),
    ]
    assert list(rows[3:]) == [
        (MailPurpose.EMAIL_CHANGE, None),
        (MailPurpose.EMAIL_CHANGE_ASKED, user.pk),
        (MailPurpose.ADDRESS_TAKEN, owner.pk),
    ]
    # The earlier link is void in both cases.
    assert not AccountMail.objects.filter(
        user=user, purpose=MailPurpose.EMAIL_CHANGE, used_at=None
    ).exists()


@pytest.mark.django_db
def test_a_free_and_a_taken_address_cost_the_same_queries():
    owner = UserFactory.create()
    counts = []
    for email in (NEW_EMAIL, owner.email):
        client = client_for(UserFactory.create())
        with CaptureQueriesContext(connection) as asked:
            change_email(client, email)
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_ones_own_address_is_no_new_one():
    user = UserFactory.create()

    assert change_email(client_for(user), user.email).status_code == 400
    assert not AccountMail.objects.exists()


@pytest.mark.django_db
def test_links_to_new_addresses_are_few():
    client = client_for(UserFactory.create())
    codes = [
        change_email(client, f"new{n}@example.com").status_code
        for n in range(MAIL_ACCOUNT.attempts + 1)
    ]

    assert codes == [202] * MAIL_ACCOUNT.attempts + [429]


def _asks_again(user):
    change_email(client_for(user), "other@example.com")


def _signs_out_everywhere(user):
    client_for(user).post("/api/auth/logout-all")


def _is_suspended(user):
    suspend_user(user_id=user.pk, actor=AdminFactory.create(), reason="fraud")


def _changes_password(user):
    change_password(client_for(user))


def _waits(user):
    later = timezone.now() - timedelta(minutes=31)
    AccountMail.objects.filter(user=user).update(expires_at=later)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "event", [_asks_again, _signs_out_everywhere, _is_suspended, _changes_password, _waits]
)
def test_a_link_to_a_new_address_dies(event):
    user = UserFactory.create()
    change_email(client_for(user))
    token = link_of(user)
    event(User.objects.get(pk=user.pk))

    assert confirm(token).status_code == 400
    assert User.objects.get(pk=user.pk).email == user.email


@pytest.mark.django_db
def test_an_address_that_was_taken_meanwhile_is_refused_without_a_name():
    user = UserFactory.create()
    change_email(client_for(user))
    token = link_of(user)
    UserFactory.create(email=NEW_EMAIL)
    response = confirm(token)

    assert (response.status_code, response.json()["code"]) == (409, "address_taken")
    assert "omebody" not in response.json()["message"]
    assert User.objects.get(pk=user.pk).email == user.email
    assert AuthSession.objects.filter(user=user, ended_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_address_at_once_one_gets_it():
    tokens = []
    for user in UserFactory.create_batch(2):
        change_email(client_for(user))
        tokens.append(link_of(user))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(in_own_connection(confirm), tokens))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert User.objects.filter(email=NEW_EMAIL).count() == 1


@pytest.mark.django_db
def test_a_reset_link_to_the_old_address_dies_with_it():
    user = UserFactory.create()
    change_email(client_for(user))
    link = link_of(user)
    reset = issue_token(ask_for_mail(user=user, purpose=MailPurpose.PASSWORD_RESET))
    assert confirm(link).status_code == 200
    body = {"token": reset, "password": NEW_PASSWORD}

    assert APIClient().post("/api/auth/reset-password", body).status_code == 400


@pytest.mark.django_db
def test_a_new_phone_number_wants_its_proof_and_the_owner_is_told():
    user = UserFactory.create()
    old = user.phone_number
    client = client_for(user)
    response = change_phone(client, proof_of(), "98400 12345")

    assert (response.status_code, response.json()["phone_number"]) == (200, NEW_PHONE)
    user.refresh_from_db()
    assert user.phone_verified_at is not None
    assert client.get(OPEN_PATH).status_code == 200
    assert purposes_to(user) == {MailPurpose.PHONE_CHANGED}
    assert login(old).status_code == 401
    assert login(NEW_PHONE).status_code == 200
    event = AuditEvent.objects.get(verb="user.phone_changed")
    assert (event.actor, event.details) == (user, {})


@pytest.mark.django_db
def test_a_proof_is_for_one_number_one_purpose_and_one_use():
    user, other = UserFactory.create_batch(2)
    client = client_for(user)
    proof = proof_of()

    assert change_phone(client, proof, "+919840099999").status_code == 400
    assert change_phone(client, proof_of(purpose=CodePurpose.REGISTRATION)).status_code == 400
    assert change_phone(client, "made up").status_code == 400
    assert change_phone(client, proof).status_code == 200
    again = change_phone(client_for(other), proof)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "phone_token")


@pytest.mark.django_db
def test_a_taken_phone_number_is_refused_without_a_name():
    UserFactory.create(phone_number=NEW_PHONE)
    user = UserFactory.create()
    response = change_phone(client_for(user), proof_of())

    assert (response.status_code, response.json()["code"]) == (409, "address_taken")
    assert "omebody" not in response.json()["message"]
    assert not AuditEvent.objects.filter(verb="user.phone_changed").exists()


@pytest.mark.django_db
def test_nobody_changes_their_own_number_without_proof_but_the_office_may():
    user, admin = UserFactory.create(), AdminFactory.create()
    for person in (user, admin):
        path = f"/api/users/{person.pk}"
        response = client_for(person).patch(path, {"phone_number": NEW_PHONE})
        assert (response.status_code, response.json()["code"]) == (400, "proof_needed")
        same = client_for(person).patch(path, {"phone_number": person.phone_number})
        assert same.status_code == 200

    User.objects.filter(pk=user.pk).update(phone_verified_at=timezone.now())
    done = client_for(admin).patch(f"/api/users/{user.pk}", {"phone_number": NEW_PHONE})
    assert done.status_code == 200
    user.refresh_from_db()
    assert (user.phone_number, user.phone_verified_at) == (NEW_PHONE, None)
    assert purposes_to(user) == {MailPurpose.PHONE_CHANGED}
    event = AuditEvent.objects.get(verb="user.changed")
    assert (event.actor, event.details) == (admin, {"fields": ["phone_number"]})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["change-password", "change-email", "change-phone"])
def test_who_is_not_signed_in_changes_nothing(path):
    assert APIClient().post(f"/api/auth/{path}", {}).status_code == 401


@pytest.mark.django_db
def test_a_suspension_that_comes_while_the_password_is_checked_wins(monkeypatch):
    user = UserFactory.create()
    client = client_for(user)
    check = User.check_password

    def slow_check(self, text):
        is_right = check(self, text)
        User.objects.filter(pk=self.pk).update(token_version=7)
        return is_right

    monkeypatch.setattr(User, "check_password", slow_check)

    assert change_password(client).status_code == 401
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
