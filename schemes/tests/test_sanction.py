"""Submitting, approving, returning: who may, from where, and what it leaves behind."""

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, UserStatus
from accounts.tests.factories import AdminFactory, ForemanFactory
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, InvalidTransition, NotAllowed, WrongState
from notifications.models import Notification, NotificationEvent
from schemes.models import RecordKind, SchemeStatus, StatutoryRecord
from schemes.services import approve_scheme, return_scheme, submit_scheme, update_scheme
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory

pytestmark = pytest.mark.django_db

DECISIONS = [
    (approve_scheme, {"comment": "In order."}),
    (return_scheme, {"reason": "Name the bank."}),
]


@pytest.fixture
def admin():
    return AdminFactory.create()


def test_a_submitted_draft_waits_for_approval():
    scheme = SchemeFactory.create()
    submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman)
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.PENDING_APPROVAL
    assert scheme.submitted_at is not None
    assert AuditEvent.objects.get(target_id=scheme.pk).verb == "scheme.submitted"


def test_a_start_that_has_passed_is_refused_at_submission_and_today_is_not():
    scheme = SchemeFactory.create(start_date=business_date() - timedelta(days=1))
    with pytest.raises(InvalidInput, match="has passed"):
        submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman)
    update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, start_date=business_date())
    submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman)


def test_only_its_foreman_submits_a_scheme():
    with pytest.raises(NotAllowed):
        submit_scheme(scheme_id=SchemeFactory.create().pk, actor=ForemanFactory.create())


@pytest.mark.parametrize("state", ["submitted", "active", "commenced"])
def test_only_a_draft_is_submitted(state):
    scheme = SchemeFactory.create(**{state: True})
    with pytest.raises(InvalidTransition, match="Only a draft can be submitted"):
        submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman)


def test_approval_opens_a_scheme_under_a_sanction_and_tells_its_foreman(admin):
    scheme = SchemeFactory.create(submitted=True)
    approve_scheme(scheme_id=scheme.pk, actor=admin, comment="In order.")
    scheme.refresh_from_db()
    number = f"PSO-{business_date().year}-000001"
    assert scheme.status == SchemeStatus.ACTIVE
    assert (scheme.approved_by, scheme.approval_comment) == (admin, "In order.")
    assert scheme.is_open_for_enrolment
    record = StatutoryRecord.objects.get(scheme=scheme)
    assert (record.kind, record.number) == (RecordKind.PRIOR_SANCTION, number)
    assert (record.issued_on, record.recorded_by) == (business_date(), admin)
    event = AuditEvent.objects.get(target_id=scheme.pk)
    assert (event.verb, event.actor) == ("scheme.approved", admin)
    assert event.details["sanction_number"] == number
    told = Notification.objects.get(event=NotificationEvent.SCHEME_APPROVED)
    assert told.recipient == scheme.foreman
    assert number in told.body


def test_sanction_numbers_follow_each_other_and_pass_over_one_given_by_hand(admin):
    year = business_date().year
    StatutoryRecordFactory.create(number=f"PSO-{year}-000002")
    numbers = []
    for _ in range(2):
        scheme = SchemeFactory.create(submitted=True)
        approve_scheme(scheme_id=scheme.pk, actor=admin)
        numbers.append(scheme.records.get().number)
    assert numbers == [f"PSO-{year}-000001", f"PSO-{year}-000003"]


def test_the_registrars_own_number_is_taken_once(admin):
    first, second = SchemeFactory.create_batch(2, submitted=True)
    approve_scheme(scheme_id=first.pk, actor=admin, sanction_number="PSO/CHN/2026/044")
    with pytest.raises(Conflict, match="Another scheme has"):
        approve_scheme(scheme_id=second.pk, actor=admin, sanction_number="PSO/CHN/2026/044")
    second.refresh_from_db()
    assert second.status == SchemeStatus.PENDING_APPROVAL


@pytest.mark.parametrize(("decide", "with_"), DECISIONS)
@pytest.mark.parametrize("state", ["draft", "active", "commenced"])
def test_only_a_submitted_scheme_is_decided_on(admin, decide, with_, state):
    scheme = SchemeFactory.create(**({} if state == "draft" else {state: True}))
    with pytest.raises(InvalidTransition, match="Only a submitted scheme"):
        decide(scheme_id=scheme.pk, actor=admin, **with_)
    assert Notification.objects.count() == 0


@pytest.mark.parametrize(("decide", "with_"), DECISIONS)
def test_nobody_decides_on_their_own_scheme(decide, with_):
    scheme = SchemeFactory.create(submitted=True)
    with pytest.raises(NotAllowed, match="of their own"):
        decide(scheme_id=scheme.pk, actor=scheme.foreman, **with_)


def test_the_scheme_of_a_suspended_foreman_is_not_approved(admin):
    scheme = SchemeFactory.create(submitted=True)
    scheme.foreman.status = UserStatus.SUSPENDED
    scheme.foreman.save()
    with pytest.raises(WrongState, match="not an active, approved foreman"):
        approve_scheme(scheme_id=scheme.pk, actor=admin)


def test_a_returned_scheme_is_a_draft_that_says_why(admin):
    scheme = SchemeFactory.create(submitted=True)
    return_scheme(scheme_id=scheme.pk, actor=admin, reason="Name the bank.")
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.DRAFT
    assert scheme.return_reason == "Name the bank."
    assert scheme.returned_at is not None
    told = Notification.objects.get()
    assert (told.recipient, told.event) == (scheme.foreman, NotificationEvent.SCHEME_RETURNED)
    assert "Name the bank." in told.body
    assert AuditEvent.objects.get(target_id=scheme.pk).details == {"reason": "Name the bank."}


def test_a_scheme_is_not_returned_without_a_reason(admin):
    scheme = SchemeFactory.create(submitted=True)
    with pytest.raises(InvalidInput, match="what the foreman has to change"):
        return_scheme(scheme_id=scheme.pk, actor=admin, reason="  ")


def test_a_returned_scheme_is_corrected_submitted_again_and_approved(admin):
    scheme = SchemeFactory.create(submitted=True)
    return_scheme(scheme_id=scheme.pk, actor=admin, reason="Name the bank.")
    update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, name="Lakshmi, SBI Mysuru")
    submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman)
    scheme.refresh_from_db()
    assert (scheme.returned_at, scheme.return_reason) == (None, "")
    approve_scheme(scheme_id=scheme.pk, actor=admin)
