"""Statutory records: entered once, when the Act asks for them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory, ForemanFactory
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, WrongState
from schemes.models import RecordKind, Stage
from schemes.services import add_record, mark_commenced, mark_completed, mark_terminated
from schemes.stage import stage_of
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory

pytestmark = pytest.mark.django_db


def deposit(**changes):
    return {
        "kind": RecordKind.SECURITY_DEPOSIT,
        "number": "FDR 4711",
        "issued_on": business_date(),
        "amount": Decimal("5000.00"),
        **changes,
    }


def agreement(**changes):
    return {
        "kind": RecordKind.AGREEMENT,
        "number": "REG 12/2026",
        "issued_on": business_date(),
        **changes,
    }


def test_a_foreman_records_the_deposit_of_a_draft():
    scheme = SchemeFactory.create()
    record = add_record(scheme_id=scheme.pk, actor=scheme.foreman, **deposit())
    assert (record.number, record.amount) == ("FDR 4711", Decimal("5000.00"))
    event = AuditEvent.objects.get(target_id=scheme.pk)
    assert event.verb == "scheme.record_added"
    assert event.details["number"] == "FDR 4711"


def test_the_stage_follows_from_the_agreement():
    scheme = SchemeFactory.create(active=True)
    add_record(scheme_id=scheme.pk, actor=scheme.foreman, **agreement())
    kinds = {record.kind for record in scheme.records.all()}
    assert stage_of(scheme, kinds) == Stage.FINAL_AGREEMENT_UPLOADED


def test_staff_with_the_right_enter_records_and_others_do_not():
    scheme = SchemeFactory.create(active=True)
    for stranger in (ForemanFactory.create(), AdminFactory.create(is_superuser=False)):
        with pytest.raises(NotAllowed):
            add_record(scheme_id=scheme.pk, actor=stranger, **agreement())
    add_record(scheme_id=scheme.pk, actor=AdminFactory.create(), **agreement())


@pytest.mark.parametrize(
    ("kind", "door"),
    [(RecordKind.PRIOR_SANCTION, "approving"), (RecordKind.COMMENCEMENT, "commencing")],
)
def test_sanction_and_certificate_are_not_entered_by_hand(kind, door):
    scheme = SchemeFactory.create(active=True)
    with pytest.raises(InvalidInput, match=door):
        add_record(scheme_id=scheme.pk, actor=scheme.foreman, **agreement(kind=kind))


def test_an_agreement_is_entered_for_a_sanctioned_scheme_only():
    for state in ({}, {"submitted": True}):
        scheme = SchemeFactory.create(**state)
        with pytest.raises(WrongState, match="while a scheme is active"):
            add_record(scheme_id=scheme.pk, actor=scheme.foreman, **agreement())


def test_a_kind_is_recorded_once():
    scheme = SchemeFactory.create()
    add_record(scheme_id=scheme.pk, actor=scheme.foreman, **deposit())
    with pytest.raises(Conflict, match="with number FDR 4711"):
        add_record(scheme_id=scheme.pk, actor=scheme.foreman, **deposit(number="FDR 4712"))


def test_a_number_belongs_to_one_scheme():
    first, second = SchemeFactory.create_batch(2)
    add_record(scheme_id=first.pk, actor=first.foreman, **deposit())
    with pytest.raises(Conflict, match="Another scheme has"):
        add_record(scheme_id=second.pk, actor=second.foreman, **deposit())


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("issued_on", {"issued_on": date(2099, 1, 1)}),
        ("expires_on", {"expires_on": date(2000, 1, 1)}),
        ("amount", {"amount": None}),
        ("amount", {"amount": Decimal(0)}),
    ],
)
def test_a_record_that_cannot_be_is_refused(field, changes):
    scheme = SchemeFactory.create()
    with pytest.raises(InvalidInput) as refusal:
        add_record(scheme_id=scheme.pk, actor=scheme.foreman, **deposit(**changes))
    assert refusal.value.errors[0].field == field


@pytest.mark.parametrize(
    "changes",
    [{"number": ""}, {"expires_on": date(2000, 1, 1)}, {"amount": Decimal(0)}, {"kind": "X"}],
)
def test_the_table_refuses_such_records_too(changes):
    scheme = SchemeFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        StatutoryRecordFactory.create(scheme=scheme, **changes)


# -- what higher apps do -------------------------------------------------------------------


def test_commencement_writes_its_certificate_and_sets_the_real_term():
    scheme, today = SchemeFactory.create(active=True), business_date()
    start = today + timedelta(days=3)
    record = mark_commenced(
        scheme=scheme,
        actor=AdminFactory.create(),
        certificate_number=None,
        on=today,
        start_date=start,
    )
    scheme.refresh_from_db()
    assert record.number == f"FORM7-{today.year}-000001"
    assert record.kind == RecordKind.COMMENCEMENT
    assert (scheme.commenced_on, scheme.start_date) == (today, start)
    assert scheme.end_date > start
    with pytest.raises(WrongState, match="commences once"):
        mark_commenced(
            scheme=scheme,
            actor=AdminFactory.create(),
            certificate_number="X",
            on=today,
            start_date=start,
        )


@pytest.mark.parametrize("state", [{}, {"submitted": True}])
def test_only_a_sanctioned_scheme_commences(state):
    with pytest.raises(WrongState):
        mark_commenced(
            scheme=SchemeFactory.create(**state),
            actor=AdminFactory.create(),
            certificate_number=None,
            on=business_date(),
            start_date=business_date(),
        )


def test_completing_and_giving_up_are_ends():
    running, waiting = SchemeFactory.create(commenced=True), SchemeFactory.create(active=True)
    mark_completed(scheme=running, actor=None)
    mark_terminated(scheme=waiting, actor=AdminFactory.create(), reason="No subscribers.")
    for scheme, verb in ((running, "scheme.completed"), (waiting, "scheme.terminated")):
        scheme.refresh_from_db()
        assert not scheme.MOVES[scheme.status]
        assert AuditEvent.objects.get(target_id=scheme.pk).verb == verb


def test_a_running_scheme_is_not_given_up():
    with pytest.raises(WrongState, match="has commenced"):
        mark_terminated(
            scheme=SchemeFactory.create(commenced=True), actor=AdminFactory.create(), reason="x"
        )
