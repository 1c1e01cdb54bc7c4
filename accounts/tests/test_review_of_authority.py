"""What a hostile reader found in sign-in and authority, each as a test that it is mended."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts import limits
from accounts.clients import Client
from accounts.models import (
    AccountMail,
    ExternalIdentity,
    MailPurpose,
    Role,
    TimeBasedFactor,
    UserStatus,
)
from accounts.services import people, recovery
from accounts.services.mails import ask_for_mail, issue_token
from accounts.services.sessions import open_session
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.exceptions import Unavailable

pytestmark = pytest.mark.django_db


def sign_in(identifier: str, password: str):
    body = {"identifier": identifier, "password": password}
    return client_for(None).post("/api/auth/login", body).status_code


@pytest.mark.parametrize("is_known", [True, False])
def test_another_spelling_of_a_phone_number_is_counted_with_it_known_or_not(is_known):
    if is_known:
        UserFactory(phone_number="+919876543210")
    assert [sign_in("+919876543210", "wrong") for _ in range(5)] == [401] * 5
    assert sign_in("98765 43210", "wrong") == 429


def test_the_count_does_not_tell_that_an_address_and_a_number_are_one_persons():
    person = UserFactory()
    assert [sign_in(person.email.upper(), "wrong") for _ in range(5)] == [401] * 5
    assert sign_in(person.email, "wrong") == 429
    assert sign_in(person.phone_number, "wrong") == 401


def test_a_crowd_at_the_door_uses_up_nobodys_attempts(monkeypatch):
    person = UserFactory()

    def no_turn(*_):
        raise Unavailable("Too many people are signing in.", retry_after=5)

    with monkeypatch.context() as patched:
        patched.setattr("accounts.passwords.OfficePasswordHasher.encode", no_turn)
        assert [sign_in(person.email, PASSWORD) for _ in range(6)] == [503] * 6
    assert sign_in(person.email, PASSWORD) == 200


def test_nobody_blocks_another_persons_way_back_in_by_asking_for_their_address():
    victim, thief = UserFactory(), UserFactory()
    client = client_for(thief)
    for _ in range(limits.MAIL_ACCOUNT.attempts + 1):
        client.post("/api/auth/change-email", {"current_password": "wrong", "email": victim.email})
    answer = client_for(None).post("/api/auth/forgot-password", {"email": victim.email})
    assert answer.status_code == 202
    reset = AccountMail.objects.filter(user=victim, purpose=MailPurpose.PASSWORD_RESET)
    assert reset.count() == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("suspend", {}), ("role", {"role": Role.USER}), ("reset-second-factor", {})],
)
def test_a_clerk_decides_nothing_about_a_superuser(path, body):
    clerk, chief = AdminFactory(is_superuser=False), AdminFactory()
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    answer = client_for(clerk).post(f"/api/users/{chief.pk}/{path}", body | {"reason": "A coup"})
    assert answer.status_code == 403, answer.json()
    chief.refresh_from_db()
    assert (chief.status, chief.role, chief.is_superuser) == (UserStatus.ACTIVE, Role.ADMIN, True)


def linked():
    person = UserFactory()
    ExternalIdentity.objects.create(user=person, provider="test", subject="an intruder's")
    return person


def test_a_password_reset_unlinks_what_an_intruder_may_have_linked():
    person = linked()
    token = issue_token(ask_for_mail(user=person, purpose=MailPurpose.PASSWORD_RESET))
    recovery.reset_password(token=token, password="another good one 7")
    assert not ExternalIdentity.objects.exists()


def test_who_becomes_staff_links_a_provider_anew_with_their_password():
    person = linked()
    people.change_role(user_id=person.pk, role=Role.ADMIN, actor=AdminFactory(), reason="Hired")
    assert not ExternalIdentity.objects.exists()


def test_renewing_a_hash_never_brings_an_old_password_back(monkeypatch):
    person = UserFactory()
    stale = type(person).objects.get(pk=person.pk)
    person.set_password("a new one, set in between")
    person.save()

    monkeypatch.setattr("accounts.passwords.OfficePasswordHasher.must_update", lambda *_: True)
    assert stale.check_password(PASSWORD)
    current = type(person).objects.get(pk=person.pk)
    assert current.check_password("a new one, set in between")
    assert not current.check_password(PASSWORD)


def test_a_hash_of_an_old_cost_is_renewed(monkeypatch):
    person = UserFactory()
    before = person.password
    monkeypatch.setattr("accounts.passwords.OfficePasswordHasher.must_update", lambda *_: True)
    assert person.check_password(PASSWORD)
    person.refresh_from_db()
    assert person.password != before


def test_a_factor_that_came_while_the_password_was_checked_is_still_owed():
    person = UserFactory()
    now = timezone.now()
    TimeBasedFactor.objects.create(user=person, secret=b"", created_at=now, confirmed_at=now)
    opened = open_session(
        user_id=person.pk, version=person.token_version, client=Client(ip=None, user_agent="")
    )
    assert opened.session.second_factor_due
