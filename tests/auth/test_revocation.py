"""What is decided about a person bites on their next request, on every route (row 18)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts import authentication
from accounts.models import AuthSession, MailPurpose, Role, User
from accounts.services import change_role, deactivate_user, suspend_user
from accounts.services.mails import ask_for_mail, issue_token
from accounts.services.own_account import change_own_password, confirm_email_change
from accounts.services.people import change_password
from accounts.services.sessions import SignedIn, open_session, sign_out_everywhere
from accounts.tests.factories import PASSWORD, AdminFactory
from accounts.tokens import portal_token_for
from tests.auth.test_refresh_race import HERE

SESSIONS = 20
METHODS = ("get", "post", "put", "patch", "delete")
OPEN_PATH = "/api/auth/sessions"
ORIGIN = "http://localhost:3000"
NEW_PASSWORD = "a lovely new secret"
VALUES = {"uuid": lambda: str(uuid4()), "int": lambda: "1", "str": lambda: "x", "slug": lambda: "x"}

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Route:
    """One method of one path of the API."""

    method: str
    path: str

    def asked_by(self, client: APIClient) -> int:
        """Send it and return the status; whatever it did is undone."""
        path = re.sub(r"<(?:(\w+):)?\w+>", lambda m: VALUES[m[1] or "str"](), self.path)
        with transaction.atomic():
            response = getattr(client, self.method)(path, {} if self.method != "get" else None)
            transaction.set_rollback(True)
        return int(response.status_code)


@cache
def routes() -> tuple[Route, ...]:
    """Return every method of every API path, as the URL resolver knows them."""
    return tuple(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, path)
        elif path.startswith("api/"):
            yield from (Route(method, f"/{path}") for method in _methods(entry))


def _methods(entry: URLPattern) -> list[str]:
    view = entry.callback
    actions = getattr(view, "actions", None)
    offered = actions or getattr(view, "cls", None) or getattr(view, "view_class", None)
    if actions:
        return [method for method in METHODS if method in actions]
    return [method for method in METHODS if hasattr(offered, method)]


def guarded() -> list[Route]:
    """Return the routes at which a stranger is told to sign in."""
    stranger = APIClient(raise_request_exception=False)
    return [route for route in routes() if route.asked_by(stranger) == 401]


def bearer(signed_in: SignedIn) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in.access_token}")
    return client


def browser(signed_in: SignedIn) -> APIClient:
    client = APIClient(raise_request_exception=False, HTTP_ORIGIN=ORIGIN)
    name = {"ADMIN": "adminToken", "FOREMAN": "foremanToken", "USER": "userToken"}
    token = portal_token_for(signed_in.user, signed_in.session)
    client.cookies[name[signed_in.user.role]] = token
    return client


@pytest.fixture
def admin(settings: object) -> User:
    settings.PUBLIC_URL = ORIGIN  # type: ignore[attr-defined]
    return AdminFactory.create()


@pytest.fixture
def sessions(admin: User) -> list[SignedIn]:
    return [
        open_session(user_id=admin.pk, version=admin.token_version, client=HERE)
        for _ in range(SESSIONS)
    ]


def clients_of(sessions: list[SignedIn]) -> list[APIClient]:
    """Return a client for each session, every other one a browser."""
    return [(browser if n % 2 else bearer)(each) for n, each in enumerate(sessions)]


def suspend(user: User) -> None:
    suspend_user(user_id=user.pk, actor=AdminFactory.create(), reason="fraud")


def delete(user: User) -> None:
    deactivate_user(user_id=user.pk, actor=AdminFactory.create(), reason="left us")


def demote(user: User) -> None:
    change_role(user_id=user.pk, role=Role.USER, actor=AdminFactory.create(), reason="left")


def set_password_at_the_desk(user: User) -> None:
    change_password(user_id=user.pk, actor=user, password=NEW_PASSWORD)


def change_password_on_another_device(user: User) -> None:
    other = open_session(user_id=user.pk, version=user.token_version, client=HERE)
    change_own_password(
        actor=user,
        session_id=other.session.pk,
        current_password=PASSWORD,
        new_password=NEW_PASSWORD,
        client=HERE,
    )


def reset_password(user: User) -> None:
    token = issue_token(ask_for_mail(user=user, purpose=MailPurpose.PASSWORD_RESET))
    body = {"token": token, "password": NEW_PASSWORD}
    assert APIClient().post("/api/auth/reset-password", body).status_code == 200


def change_address(user: User) -> None:
    link = ask_for_mail(user=user, purpose=MailPurpose.EMAIL_CHANGE, address="new@example.com")
    confirm_email_change(token=str(issue_token(link)))


def sign_out(user: User) -> None:
    sign_out_everywhere(actor=user)


EVENTS = [
    suspend,
    delete,
    demote,
    set_password_at_the_desk,
    change_password_on_another_device,
    reset_password,
    change_address,
    sign_out,
]


def test_the_resolver_tells_of_the_routes_and_a_live_session_passes_each(
    sessions: list[SignedIn],
) -> None:
    found = guarded()
    print(f"{len(routes())} methods of paths, {len(found)} of them guarded")
    assert len(found) > 80
    assert Route("get", OPEN_PATH) in found
    assert Route("post", "/api/auth/login") in routes()
    assert Route("post", "/api/auth/login") not in found
    for make in (bearer, browser):
        # A browser each: signing out has it forget its cookies.
        told = [(route, route.asked_by(make(sessions[0]))) for route in found]
        assert [each for each in told if each[1] in (401, 500)] == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_twenty_sessions_end_with_the_next_request_on_every_route(
    admin: User, sessions: list[SignedIn], event: Callable[[User], None]
) -> None:
    clients = clients_of(sessions)
    assert [client.get(OPEN_PATH).status_code for client in clients] == [200] * SESSIONS
    found = guarded()
    event(User.objects.get(pk=admin.pk))

    told = [(route, route.asked_by(clients[n % SESSIONS])) for n, route in enumerate(found)]
    assert [each for each in told if each[1] not in (401, 403)] == []
    assert [client.get(OPEN_PATH).status_code for client in clients] == [401] * SESSIONS
    refreshed = [
        APIClient().post("/api/auth/refresh-token", {"refresh_token": each.refresh_token})
        for each in sessions
    ]
    assert [response.status_code for response in refreshed] == [401] * SESSIONS
    mine = AuthSession.objects.filter(pk__in=[each.session.pk for each in sessions])
    assert not mine.filter(ended_at=None).exists()


def test_negative_control_who_believes_the_token_lets_a_suspended_person_in(
    admin: User, sessions: list[SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As most do: the signature holds, so the user is looked up and no more is asked."""

    def believe(claims: object) -> User:
        user = User.objects.get(pk=claims.user_id)  # type: ignore[attr-defined]
        user.status = "ACTIVE"
        return user

    clients = clients_of(sessions)
    suspend(admin)
    monkeypatch.setattr(authentication, "signed_in_user", believe)

    assert [client.get(OPEN_PATH).status_code for client in clients] == [200] * SESSIONS
