"""Twelve promises about links in mails, each for every kind that opens an account (row 25)."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AccountMail, MailPurpose, User
from accounts.services import forgot_password, suspend_user
from accounts.services.mails import LIFETIMES, WITH_SECRETS, ask_for_mail, issue_token
from accounts.services.own_account import confirm_email_change
from accounts.services.people import activate_user, change_password
from accounts.services.sessions import open_session
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.observability.logging import JsonFormatter
from notifications.account_mails import send_account_mails
from tests.auth.test_refresh_race import HERE
from tests.auth.watching import WatchedOffice
from tests.race.crowd import Answer, Caller, Crowd, statuses

NEW_PASSWORD = "a lovely new secret"
PATHS = {
    MailPurpose.PASSWORD_RESET: "auth/reset-password",
    MailPurpose.INVITATION: "auth/reset-password",
    MailPurpose.VERIFY_EMAIL: "auth/verify-email",
    MailPurpose.EMAIL_CHANGE: "auth/confirm-email-change",
}
# Whoever holds one of these gets into an account, or takes it over.
TAKE_OVER = [MailPurpose.PASSWORD_RESET, MailPurpose.EMAIL_CHANGE]


def person_for(purpose: MailPurpose) -> User:
    user: User = UserFactory.create(pending=purpose == MailPurpose.VERIFY_EMAIL)
    if purpose == MailPurpose.INVITATION:
        user.set_unusable_password()
        user.save()
    return user


def asked(user: User, purpose: MailPurpose) -> AccountMail:
    is_change = purpose == MailPurpose.EMAIL_CHANGE
    address = f"{uuid4().hex}@example.com" if is_change else ""
    return ask_for_mail(user=user, purpose=purpose, address=address)


def link_for(user: User, purpose: MailPurpose) -> str:
    token = issue_token(asked(user, purpose))
    assert token is not None
    return token


def body_of(token: str) -> dict[str, Any]:
    return {"token": token, "password": NEW_PASSWORD}


def use(purpose: MailPurpose, token: str) -> int:
    return int(APIClient().post(f"/api/{PATHS[purpose]}", body_of(token)).status_code)


every_link = pytest.mark.parametrize("purpose", WITH_SECRETS)
every_key = pytest.mark.parametrize("purpose", TAKE_OVER)


def test_every_kind_of_link_is_asked_here() -> None:
    assert set(PATHS) == set(WITH_SECRETS)


# 1: at least 128 bits


@every_link
@pytest.mark.django_db
def test_01_a_secret_has_256_bits_and_only_its_hash_is_kept(purpose: MailPurpose) -> None:
    user = person_for(purpose)
    tokens = [link_for(user, purpose) for _ in range(200)]

    assert len(set(tokens)) == 200
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    kept = str(list(AccountMail.objects.values()))
    assert not any(token in kept for token in tokens)


# 2: single use


def used_over_http(office: str, purpose: MailPurpose, token: str) -> Answer:
    return Caller(office).post(PATHS[purpose], body_of(token))


@every_link
def test_02_of_ten_uses_at_once_one_succeeds(
    live_office: str, crowd: Crowd, purpose: MailPurpose, transactional_db: None
) -> None:
    token = link_for(person_for(purpose), purpose)
    answers = crowd.at_once([partial(used_over_http, live_office, purpose, token)] * 10)

    assert statuses(answers) == {200: 1, 400: 9}


def test_02_negative_control_a_link_that_is_looked_at_first_opens_several_times(
    watched_office: Callable[..., WatchedOffice], crowd: Crowd
) -> None:
    purpose = MailPurpose.PASSWORD_RESET
    office = watched_office(WITHOUT="single_links").url
    token = link_for(person_for(purpose), purpose)
    answers = crowd.at_once([partial(used_over_http, office, purpose, token)] * 10)

    assert statuses(answers)[200] > 1


# 3: short-lived


@every_link
@pytest.mark.django_db
def test_03_a_link_ends(purpose: MailPurpose) -> None:
    user = person_for(purpose)
    token = link_for(user, purpose)
    row = AccountMail.objects.get(used_at=None)
    assert row.expires_at is not None
    assert row.expires_at <= timezone.now() + LIFETIMES[purpose]
    if purpose in TAKE_OVER:
        assert LIFETIMES[purpose] <= timedelta(minutes=30)
    AccountMail.objects.update(expires_at=timezone.now())

    assert use(purpose, token) == 400


# 4: dies on a new request


@every_link
@pytest.mark.django_db
def test_04_the_next_one_that_is_asked_for_voids_it(purpose: MailPurpose) -> None:
    user = person_for(purpose)
    first, second = link_for(user, purpose), link_for(user, purpose)

    assert use(purpose, first) == 400
    assert use(purpose, second) == 200


# 5 to 8: dies with what it was asked for


def new_password(user: User) -> None:
    change_password(user_id=user.pk, actor=user, password="yet another secret")


def new_address(user: User) -> None:
    rival = User.objects.get(pk=user.pk)
    mails = AccountMail.objects.filter(user=rival, used_at=None)
    kept = list(mails.values("pk", "token_hash"))
    token = link_for(rival, MailPurpose.EMAIL_CHANGE)
    for row in kept:  # the link itself voids an older one of its kind; that is promise 4
        AccountMail.objects.filter(pk=row["pk"]).update(used_at=None)
    confirm_email_change(token=token)


def suspension(user: User) -> None:
    suspend_user(user_id=user.pk, actor=AdminFactory.create(), reason="fraud")


def suspension_and_return(user: User) -> None:
    admin = AdminFactory.create()
    suspend_user(user_id=user.pk, actor=admin, reason="fraud")
    activate_user(user_id=user.pk, actor=admin, reason="clear")


def sign_in(user: User) -> None:
    open_session(user_id=user.pk, version=user.token_version, client=HERE)


def password_reset(user: User) -> None:
    token = link_for(user, MailPurpose.PASSWORD_RESET)
    assert use(MailPurpose.PASSWORD_RESET, token) == 200


@every_key
@pytest.mark.parametrize("event", [new_password, password_reset], ids=lambda e: e.__name__)
@pytest.mark.django_db
def test_05_a_new_password_voids_it(purpose: MailPurpose, event: Callable[[User], None]) -> None:
    user = UserFactory.create()
    token = link_for(user, purpose)
    event(user)

    assert use(purpose, token) == 400


@every_key
@pytest.mark.django_db
def test_06_a_new_address_voids_it(purpose: MailPurpose) -> None:
    user = UserFactory.create()
    token = link_for(user, purpose)
    new_address(user)

    assert use(purpose, token) == 400


@every_link
@pytest.mark.parametrize("event", [suspension, suspension_and_return], ids=lambda e: e.__name__)
@pytest.mark.django_db
def test_07_a_suspension_voids_it_and_a_return_does_not_revive_it(
    purpose: MailPurpose, event: Callable[[User], None]
) -> None:
    user = person_for(purpose)
    token = link_for(user, purpose)
    event(user)

    assert use(purpose, token) == 400


@pytest.mark.django_db
def test_08_a_sign_in_voids_a_reset() -> None:
    user = UserFactory.create()
    token = link_for(user, MailPurpose.PASSWORD_RESET)
    sign_in(user)

    assert use(MailPurpose.PASSWORD_RESET, token) == 400


@pytest.mark.django_db
def test_08_a_suspended_person_gets_no_link_at_all() -> None:
    user = UserFactory.create(suspended=True)
    forgot_password(email=user.email, client=HERE)

    assert send_account_mails() == 0
    assert mail.outbox == []


# 9 and 10: Host and X-Forwarded-Host

LIES = [
    {"HTTP_HOST": "evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_X_FORWARDED_HOST": "evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_FORWARDED": "host=evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_X_FORWARDED_SERVER": "evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_X_ORIGINAL_HOST": "evil.example"},
    {"HTTP_HOST": "testserver:evil.example"},
    {"HTTP_HOST": "testserver@evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_HOST": "testserver", "HTTP_REFERER": "https://evil.example/"},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
@pytest.mark.parametrize("is_open", [False, True], ids=["allowed hosts", "any host"])
@pytest.mark.django_db
def test_09_no_header_gets_into_a_mail(lie: dict[str, str], is_open: bool, settings: Any) -> None:
    settings.PUBLIC_URL = "https://office.example"
    settings.ALLOWED_HOSTS = ["*"] if is_open else ["testserver"]
    user = UserFactory.create()
    APIClient(raise_request_exception=False, **lie).post(
        "/api/auth/forgot-password", {"email": user.email}
    )
    send_account_mails()

    for letter in mail.outbox:
        assert "https://office.example/reset-password?token=" in letter.body
        assert "evil" not in letter.message().as_string()


# 11 and 12: not in logs, not in the Referer


@every_link
@pytest.mark.django_db
def test_11_no_log_line_has_the_secret(purpose: MailPurpose) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        user = person_for(purpose)
        asked(user, purpose)
        send_account_mails()
        (letter,) = mail.outbox
        found = re.search(r"\?token=([\w-]+)", str(letter.body))
        assert found is not None
        token = found[1]
        for path in {*PATHS.values(), "auth/sessions"}:
            APIClient().post(f"/api/{path}?token={token}", {"token": token, "password": "short"})
            APIClient().get(f"/api/{path}?token={token}", HTTP_REFERER=f"https://x/?token={token}")
    finally:
        root.setLevel(level)
        root.removeHandler(handler)

    written = lines.getvalue()
    assert all(json.loads(line) for line in written.splitlines())
    assert "request.answered" in written
    assert token not in written
    assert user.email not in written


@every_link
@pytest.mark.django_db
def test_12_the_secret_travels_in_a_body_and_no_answer_or_referer_has_it(
    purpose: MailPurpose,
) -> None:
    token = link_for(person_for(purpose), purpose)
    in_address = APIClient().get(f"/api/{PATHS[purpose]}?token={token}")
    assert in_address.status_code == 405
    response = APIClient().post(f"/api/{PATHS[purpose]}", body_of(token))

    assert response.status_code == 200
    for answer in (in_address, response):
        assert token not in answer.content.decode() + str(answer.headers)
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_reset_link_signs_nobody_in() -> None:
    user = UserFactory.create()
    token = link_for(user, MailPurpose.PASSWORD_RESET)
    response = APIClient().post("/api/auth/reset-password", body_of(token))

    assert response.json().keys() == {"message"}
    assert not response.cookies
    assert client_for(User.objects.get(pk=user.pk)).get("/api/auth/sessions").status_code == 200
    body = {"identifier": user.email, "password": PASSWORD}
    assert APIClient().post("/api/auth/login", body).status_code == 401
