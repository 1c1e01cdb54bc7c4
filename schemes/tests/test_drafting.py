"""Drafting: free until submitted, and only by the foreman whose scheme it is."""

from datetime import date, time
from decimal import Decimal

import pytest

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.exceptions import InvalidInput, NotAllowed, NotFound, WrongState
from schemes.models import RecordKind, Scheme, SchemeStatus, StatutoryRecord
from schemes.services import create_scheme, delete_scheme, update_scheme
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory, a_draft

pytestmark = pytest.mark.django_db


def test_a_draft_has_the_terms_that_nobody_named():
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft(start_date=date(2027, 1, 31)))
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.DRAFT
    assert scheme.total_amount == Decimal("5000.00")
    assert scheme.end_date == date(2027, 6, 30)
    assert scheme.auction_day == 31
    assert scheme.auction_time == time(10, 0)
    assert scheme.commission_percent == 5
    assert scheme.max_discount_percent == 30
    assert scheme.min_discount_percent is None
    assert scheme.foreman_installment == 1
    assert scheme.current_subscribers == 0


def test_drafting_is_on_the_audit_trail():
    foreman = ForemanFactory.create()
    scheme = create_scheme(foreman=foreman, **a_draft())
    event = AuditEvent.objects.get(target_id=scheme.pk)
    assert (event.verb, event.actor) == ("scheme.created", foreman)


@pytest.mark.parametrize(
    "nobody", [UserFactory, AdminFactory], ids=["a subscriber", "an administrator"]
)
def test_only_a_foreman_drafts(nobody):
    with pytest.raises(NotAllowed, match="Only a foreman"):
        create_scheme(foreman=nobody.create(), **a_draft())


def test_a_foreman_who_is_not_approved_does_not_draft():
    with pytest.raises(NotAllowed, match="has to approve you"):
        create_scheme(foreman=ForemanFactory.create(unapproved=True), **a_draft())


@pytest.mark.parametrize("name", ["name", "start_date", "max_subscribers"])
def test_what_has_no_default_is_asked_for(name):
    draft = a_draft()
    del draft[name]
    with pytest.raises(InvalidInput, match=name):
        create_scheme(foreman=ForemanFactory.create(), **draft)


def test_the_months_follow_from_the_subscribers():
    draft = a_draft(max_subscribers=8)
    del draft["duration_months"]
    assert create_scheme(foreman=ForemanFactory.create(), **draft).duration_months == 8


def test_a_change_redoes_what_follows_from_it():
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft(start_date=date(2027, 3, 10)))
    changed = update_scheme(
        scheme_id=scheme.pk,
        actor=scheme.foreman,
        max_subscribers=10,
        start_date=date(2027, 4, 15),
    )
    changed.refresh_from_db()
    assert changed.duration_months == 10
    assert changed.total_amount == Decimal("10000.00")
    assert changed.monthly_installment == Decimal("1000.00")
    assert changed.end_date == date(2028, 2, 14)
    assert changed.auction_day == 15


def test_an_auction_day_that_was_chosen_stays_when_the_start_moves():
    scheme = create_scheme(
        foreman=ForemanFactory.create(),
        **a_draft(start_date=date(2027, 3, 10), auction_day=20),
    )
    moved = update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, start_date=date(2027, 4, 15))
    assert moved.auction_day == 20
    reset = update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, auction_day=None)
    assert reset.auction_day == 15


def test_a_new_total_alone_brings_its_installment():
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft())
    changed = update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, total_amount=Decimal(7500))
    assert changed.monthly_installment == Decimal("1500.00")


def test_a_refused_change_changes_nothing():
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft())
    with pytest.raises(InvalidInput):
        update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, name="Other", grace_days=100)
    scheme.refresh_from_db()
    assert scheme.name == "Lakshmi"
    assert not AuditEvent.objects.filter(verb="scheme.changed").exists()


def test_a_change_is_audited_by_field_and_no_change_is_not():
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft())
    update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, name="Lakshmi")
    assert not AuditEvent.objects.filter(verb="scheme.changed").exists()
    update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, monthly_installment=Decimal(2000))
    event = AuditEvent.objects.get(verb="scheme.changed")
    assert event.details == {"fields": ["monthly_installment", "total_amount"]}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("submitted", "Ask an administrator to return it"),
        ("active", "this one is active"),
        ("commenced", "this one is active"),
    ],
)
def test_terms_are_frozen_once_submitted(state, told):
    scheme = SchemeFactory.create(**{state: True})
    with pytest.raises(WrongState, match=told):
        update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, name="Other")


def test_nobody_changes_the_draft_of_another_foreman():
    scheme = SchemeFactory.create()
    with pytest.raises(NotAllowed):
        update_scheme(scheme_id=scheme.pk, actor=ForemanFactory.create(), name="Mine")
    with pytest.raises(NotAllowed):
        delete_scheme(scheme_id=scheme.pk, actor=ForemanFactory.create())


def test_a_draft_is_deleted_with_its_records_and_leaves_its_trail():
    scheme = SchemeFactory.create()
    StatutoryRecordFactory.create(scheme=scheme, kind=RecordKind.SECURITY_DEPOSIT)
    delete_scheme(scheme_id=scheme.pk, actor=scheme.foreman)
    assert not Scheme.objects.exists()
    assert not StatutoryRecord.objects.exists()
    assert AuditEvent.objects.get(target_id=scheme.pk).verb == "scheme.deleted"
    with pytest.raises(NotFound):
        delete_scheme(scheme_id=scheme.pk, actor=scheme.foreman)


@pytest.mark.parametrize("state", ["submitted", "active", "commenced"])
def test_only_a_draft_is_deleted(state):
    scheme = SchemeFactory.create(**{state: True})
    with pytest.raises(WrongState, match="Only a draft"):
        delete_scheme(scheme_id=scheme.pk, actor=scheme.foreman)
    assert Scheme.objects.filter(pk=scheme.pk).exists()
