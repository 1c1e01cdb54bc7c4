"""The cookie session: the portal's cookies, and the pages that may use them."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEvent, AuthSession, Role
from accounts.services import change_role, suspend_user
from accounts.tests.api import client_for, session_of
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from accounts.tokens import access_token_for, portal_token_for

HOME = "http://localhost:3000"
OPEN_PATH = "/api/auth/sessions"
REFRESH = "__Secure-refreshToken"
NAMES = {Role.USER: "userToken", Role.FOREMAN: "foremanToken", Role.ADMIN: "adminToken"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_home(settings):
    settings.PUBLIC_URL = HOME


def browser(origin=HOME, **headers):
    given = {"HTTP_ORIGIN": origin, **headers} if origin else headers
    return APIClient(**given)


def sign_in(client, user, path="/api/auth/login?session=cookie"):
    return client.post(path, {"identifier": user.email, "password": PASSWORD})


def person_of(role):
    if role == Role.USER:
        return UserFactory.create()
    return UserFactory.create(role=role, foreman_approved_at=timezone.now(), is_superuser=True)


@pytest.mark.parametrize("role", list(Role))
def test_a_cookie_session_sets_the_portals_cookie_of_the_role_and_tells_no_token(role):
    user = person_of(role)
    client = browser()
    response = sign_in(client, user)

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {"token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Cookie", 86400)
    cookie = response.cookies[NAMES[role]]
    flags = {key: cookie[key] for key in ("httponly", "secure", "samesite", "path", "max-age")}
    assert flags == {
        "httponly": True, "secure": True, "samesite": "Strict", "path": "/", "max-age": 86400,
    }  # fmt: skip
    assert cookie["domain"] == ""
    refresh = response.cookies[REFRESH]
    assert (refresh["httponly"], refresh["secure"]) == (True, True)
    assert (refresh["samesite"], refresh["path"]) == ("Strict", "/api")
    assert 0 < refresh["max-age"] <= 7 * 86400
    for other in set(NAMES.values()) - {NAMES[role]}:
        assert (response.cookies[other].value, response.cookies[other]["max-age"]) == ("", 0)


def test_the_portals_token_says_what_its_middleware_reads_and_names_nobody():
    user = AdminFactory.create()
    response = sign_in(browser(), user)
    token = response.cookies["adminToken"].value
    claims = jwt.decode(token, django_settings.JWT_SECRET, algorithms=["HS256"], issuer="chitfund")

    assert (claims["userId"], claims["role"]) == (str(user.pk), "admin")
    assert claims["ucfsin"] == user.ucfsin
    assert claims["exp"] - claims["iat"] == 86400
    assert claims.keys() == {
        "token_type", "exp", "iat", "jti", "iss", "userId", "role", "ucfsin", "sid", "ver",
    }  # fmt: skip
    for private in (user.email, user.phone_number, user.full_name):
        assert private not in str(claims)


def test_the_cookie_signs_requests_in_and_the_database_is_asked():
    user = UserFactory.create()
    client = browser()
    sign_in(client, user)
    assert client.get(OPEN_PATH).json()["results"][0]["is_current"] is True

    suspend_user(user_id=user.pk, actor=AdminFactory.create(), reason="fraud")
    assert client.get(OPEN_PATH).status_code == 401


def test_a_cookie_of_another_role_is_nobodys():
    user = UserFactory.create()
    client = browser()
    client.cookies["adminToken"] = portal_token_for(user, session_of(user))

    assert client.get(OPEN_PATH).status_code == 401
    change_role(user_id=user.pk, role=Role.ADMIN, actor=AdminFactory.create(), reason="hired")
    assert client.get(OPEN_PATH).status_code == 401


def test_each_token_opens_at_its_own_door_only():
    user = UserFactory.create()
    session = session_of(user)
    portal, access = portal_token_for(user, session), access_token_for(user, session)
    for cookie, bearer in ((access, None), (None, portal)):
        client = browser()
        if cookie:
            client.cookies["userToken"] = cookie
        if bearer:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {bearer}")
        assert client.get(OPEN_PATH).status_code == 401


def test_a_bearer_token_wins_over_a_cookie():
    by_cookie, by_token = UserFactory.create_batch(2)
    client = browser()
    sign_in(client, by_cookie)
    session = session_of(by_token)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token_for(by_token, session)}")
    (row,) = client.get(OPEN_PATH).json()["results"]
    assert row["id"] == str(session.pk)

    client.credentials(HTTP_AUTHORIZATION="Bearer x.y.z")
    assert client.get(OPEN_PATH).status_code == 401


FOREIGN = [
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_ORIGIN": ""},
    {"HTTP_ORIGIN": "http://localhost:3001"},
    {"HTTP_ORIGIN": "https://localhost:3000"},
    {"HTTP_ORIGIN": "http://localhost:3000.evil.example"},
    {"HTTP_ORIGIN": "http://evil@localhost:3000"},
    {"HTTP_ORIGIN": "http://localhost:port"},
    {"HTTP_ORIGIN": "http://[::1"},
    {"HTTP_ORIGIN": "https://evil.example", "HTTP_SEC_FETCH_SITE": "same-origin"},
    {"HTTP_SEC_FETCH_SITE": "cross-site"},
    {"HTTP_SEC_FETCH_SITE": "same-site"},
    {"HTTP_SEC_FETCH_SITE": "none"},
    {"HTTP_REFERER": f"{HOME}/page"},
    {},
]
OWN = [
    {"HTTP_ORIGIN": HOME},
    {"HTTP_ORIGIN": "HTTP://LOCALHOST:3000"},
    {"HTTP_SEC_FETCH_SITE": "same-origin"},
    {"HTTP_ORIGIN": "https://portal.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("method", ["post", "delete", "put", "patch"])
def test_a_foreign_page_changes_nothing_with_a_cookie(headers, method):
    user = UserFactory.create()
    client = browser()
    sign_in(client, user)
    stranger = browser(None, **headers)
    stranger.cookies = client.cookies
    paths = {
        "post": "/api/auth/logout-all",
        "delete": f"{OPEN_PATH}/{AuthSession.objects.get().pk}",
        "put": f"/api/users/{user.pk}",
        "patch": f"/api/users/{user.pk}",
    }
    response = getattr(stranger, method)(paths[method], {"full_name": "Mallory"})

    assert response.status_code == 403
    assert (response.json()["message"], response.json()["code"]) == ("Forbidden", "foreign_origin")
    assert "bearer token" in response.json()["errors"][0]["message"]
    assert client.get(OPEN_PATH).status_code == 200
    user.refresh_from_db()
    assert user.full_name != "Mallory"
    denied = AuditEvent.objects.get(verb="access.denied")
    assert (denied.actor, denied.details) == (user, {"reason": "foreign_origin"})


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_neither_signs_in_nor_refreshes_with_cookies(headers):
    user = UserFactory.create()
    client = browser()
    sign_in(client, user)
    stranger = browser(None, **headers)
    stranger.cookies = client.cookies

    assert stranger.post("/api/auth/refresh-token").json()["code"] == "foreign_origin"
    assert sign_in(browser(None, **headers), user).json()["code"] == "foreign_origin"
    assert AuthSession.objects.count() == 1
    assert client.post("/api/auth/refresh-token").status_code == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_offices_own_pages_may(headers, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    user = UserFactory.create()
    client = browser(None, **headers)

    assert sign_in(client, user).status_code == 200
    assert client.post("/api/auth/refresh-token").status_code == 200
    assert client.post("/api/auth/logout").status_code == 204


def test_reading_needs_no_origin():
    client = browser()
    sign_in(client, UserFactory.create())
    reader = browser(None)
    reader.cookies = client.cookies

    assert reader.get(OPEN_PATH).status_code == 200


def test_a_bearer_token_needs_no_origin_whatever_cookies_there_are():
    user = UserFactory.create()
    client = browser()
    sign_in(client, user)
    bearer = client_for(user)
    bearer.cookies = client.cookies

    assert bearer.post("/api/auth/logout").status_code == 204


def test_the_refresh_cookie_gets_new_cookies_and_no_token_is_told():
    client = browser()
    first = sign_in(client, UserFactory.create())
    second = client.post("/api/auth/refresh-token")

    assert second.status_code == 200
    assert second.json().keys() == {"token_type", "expires_in", "user"}
    for name in (REFRESH, "userToken"):
        assert second.cookies[name].value not in ("", first.cookies[name].value)
    assert client.get(OPEN_PATH).status_code == 200


def test_a_used_refresh_cookie_ends_the_session_and_the_browser_forgets_it():
    client = browser()
    stolen = sign_in(client, UserFactory.create()).cookies[REFRESH].value
    client.post("/api/auth/refresh-token")
    client.post("/api/auth/refresh-token")
    thief = browser()
    thief.cookies[REFRESH] = stolen
    response = thief.post("/api/auth/refresh-token")

    assert response.status_code == 401
    assert {name: cookie["max-age"] for name, cookie in response.cookies.items()} == dict.fromkeys(
        [REFRESH, *NAMES.values()], 0
    )
    assert client.get(OPEN_PATH).status_code == 401


def test_a_token_in_the_body_wins_over_the_cookie_and_is_answered_in_the_body():
    user, other = UserFactory.create_batch(2)
    client = browser()
    sign_in(client, user)
    pair = sign_in(APIClient(), other, "/api/auth/login").json()
    response = client.post("/api/auth/refresh-token", {"refresh_token": pair["refresh_token"]})

    assert response.json()["user"]["id"] == str(other.pk)
    assert response.json()["refresh_token"]
    assert not response.cookies


def test_without_token_and_cookie_there_is_nothing_to_refresh():
    response = browser().post("/api/auth/refresh-token")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "refresh_token"


@pytest.mark.parametrize("path", ["/api/auth/logout", "/api/auth/logout-all"])
def test_signing_out_ends_the_session_and_clears_the_cookies(path):
    client = browser()
    kept = dict(sign_in(client, UserFactory.create()).cookies)
    response = client.post(path)

    assert response.status_code == 204
    assert {cookie["max-age"] for cookie in response.cookies.values()} == {0}
    assert response.cookies.keys() == {REFRESH, *NAMES.values()}
    again = browser()
    for name, cookie in kept.items():
        again.cookies[name] = cookie.value
    assert again.get(OPEN_PATH).status_code == 401
    assert again.post("/api/auth/refresh-token").status_code == 401


def test_a_dead_cookie_does_not_shut_anybody_out_of_what_is_public():
    client = browser("https://anywhere.example")
    client.cookies["userToken"] = "x.y.z"

    assert client.get(OPEN_PATH).status_code == 401
    assert client.post("/api/auth/forgot-password", {"email": "a@example.com"}).status_code == 202


def test_the_portals_cookie_ends_after_a_day_and_the_refresh_cookie_renews_it():
    client = browser()
    sign_in(client, UserFactory.create())
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert client.get(OPEN_PATH).status_code == 401
        assert client.post("/api/auth/refresh-token").status_code == 200
        assert client.get(OPEN_PATH).status_code == 200


def test_no_cookie_outlives_its_session():
    user = UserFactory.create()
    client = browser()
    sign_in(client, user)
    AuthSession.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    response = client.post("/api/auth/refresh-token")

    assert 3500 < response.json()["expires_in"] <= 3600
    assert response.cookies["userToken"]["max-age"] <= 3600
    assert response.cookies[REFRESH]["max-age"] <= 3600


def test_another_value_of_session_is_refused():
    response = sign_in(browser(), UserFactory.create(), "/api/auth/login?session=header")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "session")


def test_without_tls_a_developer_may_have_cookies_that_any_client_keeps(settings):
    settings.PORTAL_COOKIES_SECURE = False
    client = browser()
    response = sign_in(client, UserFactory.create())

    assert response.cookies.keys() == {"refreshToken", *NAMES.values()}
    assert not any(cookie["secure"] for cookie in response.cookies.values())
    assert client.post("/api/auth/refresh-token").status_code == 200


def test_the_description_names_the_cookies():
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    schemes = schema["components"]["securitySchemes"]
    for name in NAMES.values():
        assert (schemes[name]["type"], schemes[name]["in"]) == ("apiKey", "cookie")
        assert {name: []} in schema["paths"]["/api/auth/sessions"]["get"]["security"]
