"""What every answer carries, errors included, and who of other origins may read it.

reliability.md row 46.
"""

from __future__ import annotations

import json
import re
from uuid import uuid4

import httpx
import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.api.headers import ALWAYS, NOTHING, policy_of
from tests.authz.routes import all_routes

pytestmark = pytest.mark.django_db

PARAMETER = re.compile(r"<(?:(\w+):)?\w+>|\(\?P<\w+>[^)]*\)")
PORTAL, STAFF_PORTAL = "https://portal.office.in", "https://staff.office.in:8443"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def paths() -> list[str]:
    """Return an address for every route of the office."""
    found = {"/" + _filled(route) for route, _ in all_routes()}
    return sorted(path for path in found if "\\" not in path)


def _filled(route: str) -> str:
    values = {"uuid": str(uuid4()), "int": "1"}
    plain = PARAMETER.sub(lambda match: values.get(match[1] or "", "x"), route)
    return plain.replace("^", "").replace("$", "")


def assert_guarded(response, path: str) -> None:
    for name, value in ALWAYS.items():
        assert response.headers.get(name) == value, (path, name)
    assert response.headers["Content-Security-Policy"] == policy_of(path), path
    assert "X-Powered-By" not in response.headers
    assert response.headers["X-Request-ID"]
    if path.startswith("/api/"):
        vary = {word.strip().lower() for word in response.headers["Vary"].split(",")}
        assert {"authorization", "cookie", "origin"} <= vary, path
        assert "no-store" in response.headers["Cache-Control"], path


def assert_envelope(response, path: str) -> None:
    assert response.headers["Content-Type"].startswith("application/json"), path
    assert {"message", "code", "errors", "trace_id"} <= set(json.loads(response.content)), path


def test_every_route_guards_its_answer_whatever_the_method():
    """Nobody and everybody: the headers do not depend on who asks."""
    client = Client(raise_request_exception=False)
    asked = 0
    for path in paths():
        for method in METHODS:
            response = client.generic(method, path, "{}", content_type="application/json")
            assert_guarded(response, path)
            assert response.status_code < 500, (method, path)
            if response.status_code >= 400 and not path.startswith("/admin/"):
                assert_envelope(response, path)
            asked += 1
    assert asked > 500


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing/here", 404),
        ("GET", "/nothing/here", 404),
        ("GET", "/api/nul\x00", 404),
        ("PATCH", "/api/auth/login", 405),
        ("POST", "/healthz", 405),
        ("GET", "/api/users", 401),
        ("POST", "/admin/second-factor/", 302),
    ],
)
def test_errors_outside_and_inside_the_api_are_guarded(method, path, status):
    response = Client().generic(method, path)
    assert response.status_code == status
    assert_guarded(response, path)
    if status >= 400:
        assert_envelope(response, path)
    if status == 405:
        assert response.headers["Allow"]


def test_a_body_that_is_too_large_is_guarded():
    body = json.dumps({"identifier": "x" * 5000, "password": "y"})
    response = Client().post("/api/auth/login", body, content_type="application/json")
    assert response.status_code == 413
    assert_guarded(response, "/api/auth/login")
    assert_envelope(response, "/api/auth/login")


def test_one_attempt_too_many_is_guarded_and_says_when_to_come_back():
    client = Client()
    body = {"identifier": "nobody@example.com", "password": PASSWORD}
    for _ in range(6):
        response = client.post("/api/auth/login", body, content_type="application/json")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert_guarded(response, "/api/auth/login")
    assert_envelope(response, "/api/auth/login")


@pytest.mark.parametrize("path", ["/api/users", "/healthz"])
def test_a_mistake_of_ours_is_guarded_and_shows_nothing_of_it(path, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("accounts.views.users.UserViewSet.list", broken)
    monkeypatch.setattr("chitfund.observability.middleware._keep_private", broken)
    response = Client(raise_request_exception=False).get(path)
    assert response.status_code == 500
    assert "secret" not in response.content.decode()
    for name, value in ALWAYS.items():
        assert response.headers[name] == value
    assert_envelope(response, path)


def test_production_says_that_it_is_reached_by_tls_only(settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    for path in ("/api/users", "/healthz", "/nothing", "/api-docs", "/admin/login/"):
        response = Client().get(path, secure=True)
        told = response.headers["Strict-Transport-Security"]
        assert told == "max-age=31536000; includeSubDomains", path
    assert "Strict-Transport-Security" not in Client().get("/healthz").headers


def pages_of_the_desk() -> list[str]:
    """Return each list at the desk and each form for something new."""
    named = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    found = [f"admin:{name}_{page}" for name in named for page in ("changelist", "add")]
    assert len(found) > 40
    return [reverse(name) for name in found]


def test_pages_run_no_script_that_stands_in_them():
    """The policy would block it, and somebody's page would silently stop working."""
    staff = AdminFactory()
    desk = Client()
    desk.force_login(staff)
    pages = [(Client(), "/api-docs"), (Client(), "/admin/login/"), (desk, "/admin/")]
    for client, path in [*pages, *((desk, path) for path in pages_of_the_desk())]:
        page = client.get(path)
        if page.status_code == 403:
            assert path.endswith("/add/"), path  # most of what is shown there is not added there
            continue
        assert page.status_code == 200, path
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.content.decode(), re.DOTALL)
        assert scripts, path
        for attributes, text in scripts:
            is_data = "application/json" in attributes
            assert is_data or not text.strip(), (path, text[:200])
        assert not re.search(r"<[^>]+\son(click|load|error|change|submit)=", page.content.decode())
    assert "unsafe-inline" not in policy_of("/api-docs").split("script-src")[1]
    assert policy_of("/api/users") == NOTHING


def test_the_web_server_tells_neither_its_own_name_nor_its_version(live_office):
    for method, path in (("GET", "/healthz"), ("GET", "/nothing"), ("POST", "/healthz")):
        response = httpx.request(method, live_office + path)
        assert response.headers.get_list("server") == ["chitfund"]
        assert_guarded(response, path)


NEIGHBOURS = [
    "null",
    "",
    "*",
    "portal.office.in",
    "https://portal.office.in/",
    "https://portal.office.in/auth",
    "https://portal.office.in.evil.com",
    "https://evilportal.office.in",
    "https://evil.com/https://portal.office.in",
    "https://portal.office.in@evil.com",
    "https://evil.com#https://portal.office.in",
    "https://sub.portal.office.in",
    "https://office.in",
    "https://portal-office.in",
    "https://portalxoffice.in",
    "https://PORTAL.office.in",
    "HTTPS://portal.office.in",
    "http://portal.office.in",
    "ftp://portal.office.in",
    "https://portal.office.in:443",
    "https://portal.office.in:8443",
    "https://staff.office.in",
    "https://staff.office.in:84430",
    "https://portal.office.in.",
    "https://portal.office.in https://staff.office.in",
    "https://portal.office.in%00.evil.com",
    "https://p\u043ertal.office.in",
    "file://",
    "chrome-extension://portal.office.in",
    "http://localhost:3000",
]


@pytest.fixture
def listed(settings):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL, STAFF_PORTAL]


@pytest.mark.parametrize("origin", [PORTAL, STAFF_PORTAL])
def test_a_listed_origin_may_read_answers_with_credentials(listed, origin):
    client = client_for(UserFactory())
    answer = client.get("/api/auth/me", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]

    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = Client().options("/api/payments", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "idempotency-key" in preflight.headers["Access-Control-Allow-Headers"]
    assert_guarded(preflight, "/api/payments")


@pytest.mark.parametrize("origin", NEIGHBOURS)
def test_no_other_origin_may_read_anything(listed, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (
        Client().get("/api/auth/oauth", headers={"Origin": origin}),
        Client().options("/api/payments", headers=asked),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/api-docs"])
def test_what_is_not_the_api_is_nobody_elses_to_read(listed, path):
    answer = Client().get(path, headers={"Origin": PORTAL})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_origin_is_listed_until_somebody_lists_it(settings):
    assert settings.CORS_ALLOWED_ORIGINS == []
    answer = Client().get("/api/auth/oauth", headers={"Origin": PORTAL})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_checks_of_the_framework_agree(listed):
    call_command("check", fail_level="WARNING")
