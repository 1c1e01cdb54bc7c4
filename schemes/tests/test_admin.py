"""The approval desk: the same services as the API, each behind its own permission."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from schemes.models import RecordKind, SchemeStatus
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:schemes_scheme_changelist")
SUBMITTED = {"_form_submitted": "True"}


def desk_of(admin):
    client = Client()
    client.force_login(admin)
    return client


def clerk(*permissions):
    """Return an administrator with these Django permissions only."""
    person = AdminFactory.create(is_superuser=False)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def page(scheme, name="change"):
    return reverse(f"admin:schemes_scheme_{name}", args=[scheme.pk])


def told(answer):
    return " ".join(str(message) for message in answer.context["messages"])


def test_what_waits_longest_stands_on_top_with_its_age():
    SchemeFactory.create(submitted=True, name="Fresh")
    SchemeFactory.create(
        submitted=True, name="Old", submitted_at=timezone.now() - timedelta(days=3)
    )
    SchemeFactory.create(active=True, name="Running")
    answer = desk_of(AdminFactory.create()).get(LIST)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.index("Old") < text.index("Fresh") < text.index("Running")
    assert "3 days" in text
    assert "since today" in text


@pytest.mark.parametrize(
    ("stage", "shown"), [("submitted", "Waiting One"), ("pso_approved", "Sanctioned One")]
)
def test_the_desk_is_narrowed_by_stage(stage, shown):
    SchemeFactory.create(submitted=True, name="Waiting One")
    SchemeFactory.create(active=True, name="Sanctioned One")
    text = desk_of(AdminFactory.create()).get(LIST, {"stage": stage}).content.decode()
    assert [name for name in ("Waiting One", "Sanctioned One") if name in text] == [shown]


def test_a_stage_that_does_not_exist_narrows_nothing():
    SchemeFactory.create(submitted=True, name="Waiting One")
    answer = desk_of(AdminFactory.create()).get(LIST, {"stage": "bogus"}, follow=True)
    assert answer.status_code == 200
    assert "Waiting One" in answer.content.decode()


def test_a_scheme_is_reviewed_with_all_terms_and_records_and_nothing_to_type():
    scheme = SchemeFactory.create(submitted=True)
    StatutoryRecordFactory.create(
        scheme=scheme, kind=RecordKind.SECURITY_DEPOSIT, number="FDR 4711"
    )
    text = desk_of(AdminFactory.create()).get(page(scheme)).content.decode()
    for shown in ("Commission percent", "Max discount percent", "Late dividend", "FDR 4711"):
        assert shown in text
    for name in ("status", "monthly_installment", "records-0-number"):
        assert f'name="{name}"' not in text
    assert page(scheme, "approve") in text
    assert page(scheme, "send_back") in text


def test_a_scheme_is_approved_at_the_desk():
    scheme, admin = SchemeFactory.create(submitted=True), AdminFactory.create()
    answer = desk_of(admin).post(
        page(scheme, "approve"),
        {**SUBMITTED, "comment": "In order.", "sanction_number": "PSO/CHN/2026/044"},
        follow=True,
    )
    assert "Approved." in told(answer)
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.ACTIVE
    assert (scheme.approved_by, scheme.approval_comment) == (admin, "In order.")
    assert scheme.records.get().number == "PSO/CHN/2026/044"
    assert AuditEvent.objects.get(verb="scheme.approved").actor == admin


def test_out_of_its_dialog_the_browser_is_sent_back_by_htmx():
    scheme = SchemeFactory.create(submitted=True)
    answer = desk_of(AdminFactory.create()).post(
        page(scheme, "approve"), {**SUBMITTED, "comment": "ok"}, headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Redirect"] == page(scheme)


def test_a_scheme_is_returned_at_the_desk_with_a_reason():
    scheme = SchemeFactory.create(submitted=True)
    desk = desk_of(AdminFactory.create())
    asked = desk.post(page(scheme, "send_back"), {**SUBMITTED, "reason": ""})
    assert "This field is required" in asked.content.decode()
    desk.post(page(scheme, "send_back"), {**SUBMITTED, "reason": "Name the bank."})
    scheme.refresh_from_db()
    assert (scheme.status, scheme.return_reason) == (SchemeStatus.DRAFT, "Name the bank.")


def test_several_schemes_are_approved_at_once_and_a_refusal_stops_no_other():
    waiting = SchemeFactory.create_batch(2, submitted=True)
    done = SchemeFactory.create(active=True)
    answer = desk_of(AdminFactory.create()).post(
        LIST,
        {
            "action": "approve_selected",
            "_selected_action": [str(scheme.pk) for scheme in (done, *waiting)],
        },
        follow=True,
    )
    for scheme in waiting:
        scheme.refresh_from_db()
        assert scheme.status == SchemeStatus.ACTIVE
    assert "approved already" in told(answer)


@pytest.mark.parametrize("state", ["draft", "active", "commenced"])
def test_a_decision_is_offered_on_what_waits_only(state):
    scheme = SchemeFactory.create(**({} if state == "draft" else {state: True}))
    text = desk_of(AdminFactory.create()).get(page(scheme)).content.decode()
    assert page(scheme, "approve") not in text
    assert page(scheme, "send_back") not in text


def test_who_comes_too_late_is_told():
    scheme = SchemeFactory.create(active=True)
    answer = desk_of(AdminFactory.create()).post(
        page(scheme, "approve"), {**SUBMITTED, "comment": "ok"}, follow=True
    )
    assert "approved already" in told(answer)


@pytest.mark.parametrize("name", ["approve", "send_back"])
def test_looking_is_not_deciding(name):
    scheme = SchemeFactory.create(submitted=True)
    desk = desk_of(clerk("view_scheme", "view_statutoryrecord", "change_scheme", "delete_scheme"))
    text = desk.get(page(scheme)).content.decode()
    assert page(scheme, name) not in text
    answer = desk.post(page(scheme, name), {**SUBMITTED, "comment": "ok", "reason": "no"})
    assert answer.status_code == 403
    assert "approve_selected" not in desk.get(LIST).content.decode()
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.PENDING_APPROVAL


def test_the_right_to_approve_is_enough_to_decide():
    scheme = SchemeFactory.create(submitted=True)
    desk = desk_of(clerk("view_scheme", "approve_scheme"))
    desk.post(page(scheme, "approve"), {**SUBMITTED, "comment": "In order."})
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.ACTIVE


def test_a_scheme_is_neither_added_edited_nor_deleted_at_the_desk():
    scheme = SchemeFactory.create()
    desk = desk_of(AdminFactory.create())
    assert desk.get(reverse("admin:schemes_scheme_add")).status_code == 403
    assert desk.post(page(scheme), {"name": "Other"}).status_code == 403
    assert desk.post(page(scheme, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("person", [UserFactory, ForemanFactory])
def test_nobody_but_staff_is_let_in(person):
    assert desk_of(person.create()).get(LIST).status_code == 302


def test_an_unknown_scheme_is_404_at_the_desk():
    desk = desk_of(AdminFactory.create())
    url = reverse("admin:schemes_scheme_approve", args=["nonsense"])
    assert desk.post(url, {**SUBMITTED, "comment": "ok"}).status_code == 404


def test_records_are_found_by_number():
    StatutoryRecordFactory.create(number="PSO/CHN/2026/044")
    StatutoryRecordFactory.create(number="FDR 4711")
    url = reverse("admin:schemes_statutoryrecord_changelist")
    text = desk_of(AdminFactory.create()).get(url, {"q": "CHN"}).content.decode()
    assert "PSO/CHN/2026/044" in text
    assert "FDR 4711" not in text


def test_the_list_costs_the_same_queries_however_long():
    desk = desk_of(AdminFactory.create())

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST).status_code == 200
        return len(captured)

    SchemeFactory.create(submitted=True)
    few = queries()
    SchemeFactory.create_batch(5, active=True)
    assert queries() == few
