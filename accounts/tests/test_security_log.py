"""The security log: which events it shows, to whom, and how it is asked."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.limits import REFUSED_TOKENS, SIGN_IN_PAIR
from accounts.models import AuditEvent
from accounts.security_log import SEVERITIES, Severity
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory

URL = "/api/security/activity-log"
# Verbs of accounts that are ordinary business and no matter of security.
ORDINARY = {
    "address.changed",
    "bank_account.added",
    "bank_account.made_primary",
    "bank_account.removed",
    "consent.given",
    "consent.withdrawn",
    "foreman_profile.changed",
    "foreman_profile.submitted",
    "nominees.replaced",
    "profile.changed",
    "user.changed",
    "user.foreman_change_approved",
    "user.foreman_returned",
    "user.seen",
}


@pytest.fixture
def admin():
    admin = AdminFactory.create(is_superuser=False)
    admin.user_permissions.add(Permission.objects.get(codename="view_security_log"))
    return admin


def actions(client, query=""):
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.json()
    return [row["action"] for row in answer.json()["results"]]


def test_every_verb_of_accounts_is_weighed():
    """A new verb is put into the log or said to be ordinary; nobody forgets to decide."""
    sources = (Path(settings.BASE_DIR) / "accounts").rglob("*.py")
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in sources if "tests" not in path.parts
    )
    # Also those that are chosen first and recorded later.
    verbs = set(re.findall(r'verb ?= ?"([a-z_]+\.[a-z_]+)"', text))
    assert len(verbs) > 40
    assert verbs - SEVERITIES.keys() - ORDINARY == set()
    assert not SEVERITIES.keys() & ORDINARY


@pytest.mark.django_db
def test_only_an_administrator_with_the_permission_reads_it(admin):
    assert client_for(admin).get(URL).status_code == 200
    assert client_for(AdminFactory.create(is_superuser=False)).get(URL).status_code == 403
    assert client_for(ForemanFactory.create()).get(URL).status_code == 403
    assert client_for(UserFactory.create()).get(URL).status_code == 403
    assert APIClient().get(URL).status_code == 401


@pytest.mark.django_db
def test_it_shows_events_of_weight_in_the_portals_words(admin):
    user = UserFactory.create()
    record_audit_event(actor=user, verb="scheme.approved", target=user)
    APIClient().post(
        "/api/auth/login",
        {"identifier": user.email, "password": "wrong-1234"},
        REMOTE_ADDR="192.0.2.9",
    )

    rows = client_for(admin).get(URL).json()
    assert set(rows) == {"next", "previous", "results"}
    (row,) = rows["results"]
    assert row["action"] == "user.sign_in_failed"
    assert row["ip"] == "192.0.2.9"
    assert row["user_id"] == str(user.pk)
    assert row["path"] == "POST /api/auth/login"
    assert row["severity"] == Severity.MEDIUM
    assert row["timestamp"]
    assert user.email not in str(row)


@pytest.mark.django_db
def test_it_is_filtered_by_severity_address_person_time_and_verb(admin):
    user, other = UserFactory.create(), UserFactory.create()
    client = client_for(admin)
    record_audit_event(actor=user, verb="session.opened", target=user)
    record_audit_event(actor=None, verb="session.reuse_detected", target=user)
    record_audit_event(actor=other, verb="user.suspended", target=user)
    record_attempt_on_nobody(verb="limit.reached")
    APIClient().post(
        "/api/auth/login", {"identifier": "x@y.example", "password": "p"}, REMOTE_ADDR="2001:db8::1"
    )

    assert actions(client, "severity=critical") == ["session.reuse_detected"]
    assert actions(client, "severity=high") == ["limit.reached", "user.suspended"]
    assert actions(client, "ip=2001:db8::1") == ["user.sign_in_failed"]
    assert actions(client, f"user={other.pk}") == ["user.suspended"]
    assert len(actions(client, f"user={user.pk}")) == 3
    assert actions(client, "action=session.opened") == ["session.opened"]
    ago = (timezone.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(actions(client, f"from={ago}")) == 5
    assert actions(client, f"to={ago}") == []
    for bad in ("severity=grave", "ip=300.1.1.1", "user=me", "from=yesterday", "action=a.b"):
        assert client.get(f"{URL}?{bad}").status_code == 400


@pytest.mark.django_db
def test_pages_follow_each_other_and_each_costs_the_same(admin, django_assert_max_num_queries):
    user = UserFactory.create()
    for _ in range(5):
        record_audit_event(actor=user, verb="session.opened", target=user)
    client = client_for(admin)
    first = client.get(f"{URL}?page_size=2").json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    ids = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert len(ids) == len(set(ids)) == 5
    assert third["next"] is None

    for _ in range(60):
        record_audit_event(actor=user, verb="session.opened", target=user)
    # Who asks, what they may (their own and their groups'), and the page.
    with django_assert_max_num_queries(4):
        assert len(client.get(f"{URL}?page_size=100").json()["results"]) == 65


# -- what is recorded ----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_lockout_is_one_event_however_long_somebody_tries():
    user = UserFactory.create()
    codes = [
        APIClient()
        .post("/api/auth/login", {"identifier": user.email, "password": f"wrong {n}"})
        .status_code
        for n in range(SIGN_IN_PAIR.attempts + 4)
    ]
    assert codes.count(429) == 4

    (event,) = AuditEvent.objects.filter(verb="limit.reached")
    assert event.details == {"limit": SIGN_IN_PAIR.name}
    assert event.ip_address == "127.0.0.1"


@pytest.mark.django_db
def test_a_refused_write_is_one_event_and_a_refused_read_none():
    user = UserFactory.create()
    client = client_for(user)
    assert client.get("/api/users").status_code == 403
    assert client.post("/api/users", {}).status_code == 403

    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.actor, event.route) == ("access.denied", user, "POST /api/users")


@pytest.mark.django_db
def test_somebody_elses_thing_is_404_and_no_event():
    user, other = UserFactory.create(), UserFactory.create()
    assert client_for(user).patch(f"/api/users/{other.pk}", {}).status_code == 404
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_who_looks_for_the_log_and_may_not_is_in_it():
    assert client_for(UserFactory.create()).get(URL).status_code == 403
    assert AuditEvent.objects.get().route == "GET /api/security/activity-log"


@pytest.mark.django_db
def test_many_refused_tokens_from_one_line_are_one_event():
    client = APIClient(HTTP_AUTHORIZATION="Bearer not.a.token")
    for _ in range(REFUSED_TOKENS.attempts + 5):
        assert client.get("/api/users").status_code == 401

    (event,) = AuditEvent.objects.all()
    assert event.verb == "token.refused_often"


@pytest.mark.django_db
def test_a_request_without_a_token_is_counted_by_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert APIClient().get("/api/users").status_code == 401


# -- the desk ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_desk_shows_the_log_to_whoever_may_see_it_and_changes_nothing(admin):
    user = UserFactory.create()
    record_audit_event(actor=user, verb="user.suspended", target=user)
    record_audit_event(actor=user, verb="scheme.approved", target=user)
    browser = Browser()
    browser.force_login(admin)
    page = browser.get("/admin/accounts/securityevent/")
    assert page.status_code == 200
    assert b"user.suspended" in page.content
    assert b"scheme.approved" not in page.content
    assert browser.get("/admin/accounts/securityevent/?severity=critical").status_code == 200
    event = AuditEvent.objects.get(verb="user.suspended")
    assert browser.get(f"/admin/accounts/securityevent/{event.pk}/change/").status_code == 200
    assert browser.get("/admin/accounts/securityevent/add/").status_code == 403
    assert browser.post(f"/admin/accounts/securityevent/{event.pk}/delete/").status_code == 403


@pytest.mark.django_db
def test_the_desk_shows_the_log_to_nobody_else():
    browser = Browser()
    browser.force_login(AdminFactory.create(is_superuser=False))
    assert browser.get("/admin/accounts/securityevent/").status_code == 403
