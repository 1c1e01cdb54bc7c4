"""Refreshing and ending sessions (reliability.md rows 16 and 17)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.clients import Client
from accounts.models import (
    AccountMail,
    AuditEvent,
    AuthSession,
    MailPurpose,
    RefreshToken,
    User,
    UserStatus,
)
from accounts.services import end_session, refresh_session, sign_in, suspend_user
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from accounts.tokens import SESSION_LIFETIME
from chitfund.exceptions import NotAuthenticated, NotFound
from chitfund.testing import in_own_connection, wait_for_blocked_query

HERE = Client(ip="127.0.0.1", user_agent="tests")
OPEN_PATH = "/api/notifications"


def signed_in(user=None):
    user = user or UserFactory.create()
    return sign_in(identifier=user.email, password=PASSWORD, client=HERE)


def refresh(token):
    return APIClient().post("/api/auth/refresh-token", {"refresh_token": token})


def opens(access_token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token}")
    return client.get(OPEN_PATH).status_code == 200


@pytest.mark.django_db
def test_a_refresh_token_gets_a_new_pair_of_the_same_session():
    first = signed_in()
    response = refresh(first.refresh_token)

    assert response.status_code == 200
    body = response.json()
    assert opens(body["access_token"])
    assert body["refresh_token"] != first.refresh_token
    assert AuthSession.objects.count() == 1
    assert refresh(body["refresh_token"]).status_code == 200


@pytest.mark.django_db
def test_a_used_refresh_token_ends_the_session_with_every_token_of_it():
    first = signed_in()
    second = refresh(first.refresh_token).json()
    third = refresh(second["refresh_token"]).json()
    stolen = refresh(first.refresh_token)

    assert stolen.status_code == 401
    assert refresh(third["refresh_token"]).status_code == 401
    assert not opens(first.access_token)
    assert not opens(third["access_token"])
    session = AuthSession.objects.get()
    assert session.end_reason == "refresh token reused"
    assert AuditEvent.objects.filter(verb="session.reuse_detected").count() == 1


@pytest.mark.django_db
def test_reuse_in_one_session_leaves_the_others_alone():
    user = UserFactory.create()
    first, other = signed_in(user), signed_in(user)
    second = refresh(first.refresh_token).json()
    refresh(second["refresh_token"])
    refresh(first.refresh_token)

    assert not opens(first.access_token)
    assert opens(other.access_token)
    assert refresh(other.refresh_token).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_who_refresh_at_once_both_get_the_same_successor():
    token = signed_in().refresh_token
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = refresh_session(refresh_token=token)
            rival = pool.submit(in_own_connection(refresh_session), refresh_token=token)
            wait_for_blocked_query()
        assert rival.result(timeout=5).refresh_token == first.refresh_token

    assert AuthSession.objects.get().ended_at is None
    assert RefreshToken.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "status"), [(9, 200), (11, 401)])
def test_a_lost_reply_is_given_again_for_ten_seconds(seconds, status):
    first = signed_in()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        told = refresh(first.refresh_token).json()["refresh_token"]
        clock.shift(seconds)
        again = refresh(first.refresh_token)

        assert again.status_code == status
        assert opens(first.access_token) == (status == 200)
        if status == 200:
            assert again.json()["refresh_token"] == told


@pytest.mark.django_db
def test_without_a_grace_a_lost_reply_ends_the_session(settings):
    settings.REFRESH_GRACE_SECONDS = 0
    first = signed_in()
    refresh(first.refresh_token)

    assert refresh(first.refresh_token).status_code == 401
    assert AuthSession.objects.get().ended_at is not None


@pytest.mark.django_db
def test_a_used_token_of_an_ended_session_within_the_grace_alarms_nobody():
    first = signed_in()
    second = refresh(first.refresh_token).json()
    end_session(session_id=first.session.pk, actor=first.user)

    assert refresh(first.refresh_token).status_code == 401
    assert refresh(second["refresh_token"]).status_code == 401
    assert not AccountMail.objects.exists()


@pytest.mark.django_db
def test_the_owner_is_told_once_that_a_copy_was_used():
    first = signed_in()
    second = refresh(first.refresh_token).json()
    refresh(second["refresh_token"])
    for _ in range(3):
        refresh(first.refresh_token)

    (mail,) = AccountMail.objects.all()
    assert (mail.user, mail.purpose) == (first.user, MailPurpose.SESSION_REUSED)
    assert AuditEvent.objects.filter(verb="session.reuse_detected").count() == 1


@pytest.mark.django_db
def test_a_used_token_that_comes_after_its_own_end_still_ends_the_session():
    """The newest token lives longer than the one it came from; a copy of that is theft too."""
    start = timezone.now()
    first = signed_in()
    with time_machine.travel(start + timedelta(days=6)):
        second = refresh(first.refresh_token).json()
    with time_machine.travel(start + timedelta(days=8)):
        assert refresh(first.refresh_token).status_code == 401
        assert refresh(second["refresh_token"]).status_code == 401
    assert AuthSession.objects.get().reuse_detected_at is not None


@pytest.mark.django_db
def test_a_refresh_token_ends_after_a_week_without_use_and_does_not_end_the_session_for_that():
    token = signed_in().refresh_token
    later = timezone.now() + settings.REFRESH_TOKEN_LIFETIME + timedelta(seconds=1)
    with time_machine.travel(later):
        assert refresh(token).status_code == 401
    assert AuthSession.objects.get().ended_at is None


@pytest.mark.django_db
def test_a_session_ends_after_a_month_however_often_it_is_refreshed():
    start = timezone.now()
    token = signed_in().refresh_token
    for day in range(6, 30, 6):
        with time_machine.travel(start + timedelta(days=day)):
            token = refresh(token).json()["refresh_token"]

    claims = jwt.decode(
        token,
        settings.JWT_SECRET,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["exp"] <= (start + SESSION_LIFETIME).timestamp() + 1
    with time_machine.travel(start + SESSION_LIFETIME + timedelta(seconds=5)):
        assert refresh(token).status_code == 401


@pytest.mark.django_db
def test_an_access_token_does_not_refresh():
    assert refresh(signed_in().access_token).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "x" * 4097, "\x00", ""])
def test_nonsense_does_not_refresh(token):
    assert refresh(token).status_code in (400, 401, 413)


@pytest.mark.django_db
def test_an_unknown_token_that_we_signed_ends_nobodys_session():
    from accounts.tokens import refresh_token_for

    first = signed_in()
    tomorrow = timezone.now() + timedelta(days=1)
    unsaved = RefreshToken(jti=uuid4(), created_at=timezone.now(), expires_at=tomorrow)
    foreign = refresh_token_for(first.user, first.session, unsaved)

    assert refresh(foreign).status_code == 401
    assert opens(first.access_token)


@pytest.mark.django_db
def test_a_suspended_user_does_not_refresh():
    first = signed_in()
    suspend_user(user_id=first.user.pk, actor=AdminFactory.create(), reason="fraud")

    assert refresh(first.refresh_token).status_code == 401


@pytest.mark.django_db
def test_signing_out_ends_this_session_only():
    user = UserFactory.create()
    here, there = signed_in(user), signed_in(user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {here.access_token}")

    assert client.post("/api/auth/logout").status_code == 204
    assert not opens(here.access_token)
    assert refresh(here.refresh_token).status_code == 401
    assert opens(there.access_token)


@pytest.mark.django_db
def test_signing_out_everywhere_ends_all():
    user = UserFactory.create()
    sessions = [signed_in(user) for _ in range(3)]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions[0].access_token}")

    assert client.post("/api/auth/logout-all").status_code == 204
    assert not any(opens(session.access_token) for session in sessions)
    user.refresh_from_db()
    assert user.token_version == 1


@pytest.mark.django_db
def test_ones_open_sessions_are_listed_newest_first_with_the_current_one_marked():
    user = UserFactory.create()
    signed_in(user)
    signed_in()
    client = client_for(user)
    rows = client.get("/api/auth/sessions").json()["results"]

    assert [row["is_current"] for row in rows] == [True, False]
    assert rows[0].keys() == {
        "id", "user_agent", "ip_address", "created_at", "last_used_at", "expires_at", "is_current",
    }  # fmt: skip


@pytest.mark.django_db
def test_a_device_can_be_signed_out_but_not_somebody_elses():
    user = UserFactory.create()
    other, foreign = signed_in(user), signed_in()
    client = client_for(user)

    assert client.delete(f"/api/auth/sessions/{other.session.pk}").status_code == 204
    assert not opens(other.access_token)
    assert client.delete(f"/api/auth/sessions/{foreign.session.pk}").status_code == 404
    assert opens(foreign.access_token)


@pytest.mark.django_db
def test_the_service_ends_ones_own_sessions_only():
    foreign = signed_in()
    with pytest.raises(NotFound):
        end_session(session_id=foreign.session.pk, actor=UserFactory.create())

    assert opens(foreign.access_token)


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"status": UserStatus.SUSPENDED}, {"token_version": 1}])
def test_what_changes_while_the_password_is_hashed_is_looked_at_again(change, monkeypatch):
    user = UserFactory.create()
    check = User.check_password

    def slow_check(self, text):
        User.objects.filter(pk=self.pk).update(**change)
        return check(self, text)

    monkeypatch.setattr(User, "check_password", slow_check)
    with pytest.raises(NotAuthenticated):
        signed_in(user)

    assert not AuthSession.objects.exists()


@pytest.mark.django_db
def test_the_list_of_sessions_asks_the_same_however_long_it_is(django_assert_max_num_queries):
    user = UserFactory.create()
    client = client_for(user)
    for count in (1, 10):
        for _ in range(count):
            signed_in(user)
        with django_assert_max_num_queries(3):
            client.get("/api/auth/sessions")


@pytest.mark.django_db(transaction=True)
def test_a_suspension_that_comes_while_the_password_is_checked_wins():
    user = UserFactory.create()
    admin = AdminFactory.create()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            suspend_user(user_id=user.pk, actor=admin, reason="fraud")
            rival = pool.submit(in_own_connection(signed_in), user)
            wait_for_blocked_query()
        with pytest.raises(NotAuthenticated):
            rival.result(timeout=5)

    assert not AuthSession.objects.exists()
