"""Foremen: the business they hand in, and the office's decision on person and business."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, AuthSession, ForemanProfile, ForemanProfileStatus
from accounts.sealing import opened_value
from accounts.selectors import expiring_licences
from accounts.tests.api import client_for, session_of
from accounts.tests.factories import (
    AdminFactory,
    ForemanFactory,
    ForemanProfileFactory,
    UserFactory,
)
from chitfund.business_date import business_date

pytestmark = pytest.mark.django_db

REASON = {"reason": "compared with the papers"}
PAN = "ABCPK1234L"
BUSINESS = {
    "company_name": "Sri Lakshmi Chits",
    "licence_number": "CF/TN/00042",
    "licence_expires_on": "2099-12-31",
    "pan": PAN,
    "state_of_registration": "TN",
    "line1": "12 Mount Road",
    "city": "Chennai",
    "state": "TN",
    "pin_code": "600002",
    "designation": "Proprietor",
}
SUBMITTED_FORM = {"_form_submitted": "True"}


def path(foreman, more=""):
    return f"/api/users/{foreman.pk}/foreman-profile{more}"


def working():
    """An approved foreman with an approved business."""
    foreman = ForemanFactory.create(unapproved=True, status="ACTIVE", foreman_approved_at=NOW)
    admin = AdminFactory.create()
    ForemanProfile.objects.update(
        status=ForemanProfileStatus.APPROVED,
        decided_by=admin,
        last_approved={"company_name": "Old Name"},
    )
    return foreman


NOW = "2026-01-01T00:00:00Z"


def put(who, foreman, **changes):
    return client_for(who).put(path(foreman), BUSINESS | changes, format="json")


def test_a_foreman_hands_in_their_business_and_is_approved_with_it():
    foreman, admin = ForemanFactory.create(unapproved=True), AdminFactory.create()
    ForemanProfile.objects.all().delete()
    desk = client_for(admin)
    approve = f"/api/users/{foreman.pk}/approve-foreman"

    missing = desk.post(approve, REASON)
    assert (missing.status_code, missing.json()["code"]) == (409, "foreman_profile_missing")
    assert "licence" in missing.json()["message"]

    # A pending foreman has no session, so the office writes it down for who was invited.
    written = put(admin, foreman)
    assert written.status_code == 200
    assert written.json()["pan"] == "XXXXXX234L"
    waits = desk.post(approve, REASON)
    assert (waits.status_code, waits.json()["code"]) == (409, "foreman_profile_not_submitted")
    assert desk.post(path(foreman, "/submit")).json()["status"] == "SUBMITTED"
    assert desk.post(path(foreman, "/submit")).status_code == 409
    assert put(admin, foreman).status_code == 409

    assert desk.post(approve, REASON).json()["status"] == "ACTIVE"
    profile = ForemanProfile.objects.get()
    assert (profile.status, profile.decided_by) == (ForemanProfileStatus.APPROVED, admin)
    assert desk.post(approve, REASON).status_code == 409
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == [
        "foreman_profile.changed",
        "foreman_profile.submitted",
        "user.foreman_approved",
    ]


def test_the_pan_is_sealed_and_belongs_to_one_foreman():
    admin = AdminFactory.create()
    first, second = ForemanFactory.create_batch(2)
    assert put(admin, first).status_code == 200
    taken = put(admin, second)
    assert (taken.status_code, taken.json()["code"]) == (409, "pan_taken")
    profile = ForemanProfile.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(foreman_profiles)::text FROM foreman_profiles")
        assert PAN not in cursor.fetchone()[0]
    assert opened_value(profile.pan_sealed, cell=f"foreman_profiles.pan.{profile.pk}") == PAN
    without = {key: value for key, value in BUSINESS.items() if key != "pan"}
    again = client_for(first).put(path(first), without, format="json")
    assert again.json()["pan"] == "XXXXXX234L"
    bare = client_for(second).put(path(second), without, format="json")
    assert bare.json()["errors"][0]["field"] == "pan"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("pan", "ABC"),
        ("licence_expires_on", "2020-01-01"),
        ("state", "XX"),
        ("pin_code", "60000"),
        ("company_name", ""),
    ],
)
def test_a_wrong_value_is_refused(field, wrong):
    foreman = ForemanFactory.create()
    answer = put(foreman, foreman, **{field: wrong})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not ForemanProfile.objects.exists()


def test_strangers_see_nothing_and_subscribers_have_none():
    foreman, user = working(), UserFactory.create()
    for stranger in (user, ForemanFactory.create()):
        assert client_for(stranger).get(path(foreman)).status_code == 404
        assert put(stranger, foreman).status_code == 404
    assert put(user, user).status_code == 404
    assert client_for(foreman).get(path(foreman)).status_code == 200
    looking = AdminFactory.create(is_superuser=False)
    looking.user_permissions.set(Permission.objects.filter(codename="view_foremanprofile"))
    assert client_for(looking).get(path(foreman)).status_code == 200
    assert put(looking, foreman).status_code == 403


def test_a_change_of_what_was_compared_is_reviewed_again_and_shuts_nobody_out():
    foreman = working()
    session = session_of(foreman)
    assert put(foreman, foreman, company_name="New Name").json()["status"] == "SUBMITTED"
    foreman.refresh_from_db()
    assert foreman.status == "ACTIVE"
    assert foreman.foreman_approved_at is not None
    assert AuthSession.objects.get(pk=session.pk).ended_at is None

    desk = client_for(AdminFactory.create())
    returned = desk.post(f"/api/users/{foreman.pk}/return-foreman", REASON)
    assert returned.status_code == 200
    mine = client_for(foreman).get(path(foreman)).json()
    assert (mine["status"], mine["return_reason"]) == ("RETURNED", REASON["reason"])
    assert client_for(foreman).post(path(foreman, "/submit")).status_code == 200
    assert desk.post(f"/api/users/{foreman.pk}/approve-foreman", REASON).status_code == 200
    verb = AuditEvent.objects.latest("id").verb
    assert verb == "user.foreman_change_approved"
    assert desk.post(f"/api/users/{foreman.pk}/return-foreman", REASON).status_code == 409


def test_a_change_of_anything_else_needs_no_review():
    foreman = working()
    profile = ForemanProfile.objects.get()
    shown = client_for(foreman).get(path(foreman)).json()
    body = {key: shown[key] for key in BUSINESS if key != "pan"} | {"designation": "Chairman"}
    answer = client_for(foreman).put(path(foreman), body, format="json")
    assert answer.json()["status"] == "APPROVED"
    profile.refresh_from_db()
    assert profile.designation == "Chairman"
    event = AuditEvent.objects.latest("id")
    assert event.details["fields"] == ["designation"]


def test_an_expired_licence_is_neither_handed_in_nor_approved():
    foreman, admin = ForemanFactory.create(unapproved=True), AdminFactory.create()
    ForemanProfile.objects.update(licence_expires_on=business_date())
    answer = client_for(admin).post(f"/api/users/{foreman.pk}/approve-foreman", REASON)
    assert (answer.status_code, answer.json()["code"]) == (400, "licence_expired")
    ForemanProfile.objects.update(status=ForemanProfileStatus.DRAFT)
    assert client_for(admin).post(path(foreman, "/submit")).status_code == 400


@pytest.mark.parametrize("action", ["approve-foreman", "return-foreman"])
def test_each_decision_needs_the_permission(action):
    foreman = ForemanFactory.create(unapproved=True)
    clerk = AdminFactory.create(is_superuser=False)
    url = f"/api/users/{foreman.pk}/{action}"
    clerk.user_permissions.set(Permission.objects.filter(codename="view_user"))
    assert client_for(clerk).post(url, REASON).status_code == 403
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=("view_user", "approve_foreman"))
    )
    assert client_for(clerk).post(url, {}).status_code == 400
    assert client_for(clerk).post(url, REASON).status_code == 200


def test_nobody_decides_on_their_own_business_not_even_in_the_database():
    foreman = ForemanFactory.create(unapproved=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ForemanProfile.objects.update(decided_by=foreman)


def test_licences_that_end_are_found():
    today = business_date()
    for days in (-1, 0, 30, 61):
        ForemanProfileFactory.create(licence_expires_on=today + timedelta(days=days))
    ForemanProfileFactory.create(status=ForemanProfileStatus.DRAFT, licence_expires_on=today)
    found = expiring_licences(as_of=today)
    assert [(row.licence_expires_on - today).days for row in found] == [-1, 0, 30]
    soon = expiring_licences(as_of=today, within=timedelta(0))
    assert [(row.licence_expires_on - today).days for row in soon] == [-1, 0]


# The desk


def desk_of(admin):
    client = Client()
    client.force_login(admin)
    return client


def page(profile, name="change"):
    return reverse(f"admin:accounts_foremanprofile_{name}", args=[profile.pk])


def test_a_foreman_is_approved_at_the_desk_beside_their_business():
    foreman, admin = ForemanFactory.create(unapproved=True), AdminFactory.create()
    profile = ForemanProfile.objects.get()
    desk = desk_of(admin)
    text = desk.get(page(profile)).content.decode()
    for shown in (profile.company_name, profile.licence_number, profile.pan_masked):
        assert shown in text
    assert page(profile, "approve") in text
    assert profile.pan_sealed not in text
    desk.post(page(profile, "approve"), SUBMITTED_FORM | {"reason": " "})
    profile.refresh_from_db()
    assert profile.status == ForemanProfileStatus.SUBMITTED
    desk.post(page(profile, "approve"), SUBMITTED_FORM | REASON)
    profile.refresh_from_db()
    foreman.refresh_from_db()
    assert (profile.status, foreman.status) == (ForemanProfileStatus.APPROVED, "ACTIVE")
    assert page(profile, "approve") not in desk.get(page(profile)).content.decode()


def test_a_business_is_returned_at_the_desk():
    ForemanFactory.create(unapproved=True)
    profile = ForemanProfile.objects.get()
    desk_of(AdminFactory.create()).post(page(profile, "send_back"), SUBMITTED_FORM | REASON)
    profile.refresh_from_db()
    assert (profile.status, profile.return_reason) == ("RETURNED", REASON["reason"])


def test_the_desk_shows_what_changed_and_what_is_claimed_twice():
    foreman = working()
    put(foreman, foreman, company_name="New Name")
    ForemanProfileFactory.create(licence_number=BUSINESS["licence_number"], company_name="Twin")
    profile = ForemanProfile.objects.get(user=foreman)
    text = desk_of(AdminFactory.create()).get(page(profile)).content.decode()
    assert "was Old Name" in text
    assert "Twin" in text


def test_the_desk_is_narrowed_to_licences_that_end():
    today = business_date()
    ForemanProfileFactory.create(company_name="Ends Soon", licence_expires_on=today)
    ForemanProfileFactory.create(company_name="Runs Long", licence_expires_on=date(2099, 1, 1))
    desk = desk_of(AdminFactory.create())
    url = reverse("admin:accounts_foremanprofile_changelist")
    for licence in ("expired", "expiring"):
        text = desk.get(url, {"licence": licence}).content.decode()
        assert ("Ends Soon" in text, "Runs Long" in text) == (True, False)
    assert "Runs Long" in desk.get(url).content.decode()


def test_the_desk_asks_the_same_however_long_it_is(django_assert_max_num_queries):
    desk = desk_of(AdminFactory.create())
    url = reverse("admin:accounts_foremanprofile_changelist")
    for _ in range(2):
        ForemanProfileFactory.create_batch(5)
        with django_assert_max_num_queries(9):
            assert desk.get(url).status_code == 200
