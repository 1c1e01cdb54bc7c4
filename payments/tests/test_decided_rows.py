"""What is decided stays, and rows that no service removes cannot be removed.

Every statement is sent as the role that answers requests, without the services in front of it.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.urls import reverse
from psycopg import errors

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory
from auctions.models import Auction, AuctionStatus
from payments.models import (
    CashMovement,
    Installment,
    MovementKind,
    PaymentMethod,
    PaymentStatus,
    PayoutStatus,
    PrizePayout,
    TaxRate,
)
from payments.tests.chits import Chit, running_chit
from subscriptions.models import Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def chit() -> Chit:
    chit = running_chit(3)
    chit.pay_all()
    chit.hold_draw(winner=1, discount=300)
    chit.pay_all()
    return chit


def change(row: Any, **columns: Any) -> None:
    with transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**columns)


def is_kept(row: Any, **columns: Any) -> bool:
    """Tell whether our trigger, and nothing else, refuses a change."""
    with pytest.raises(IntegrityError) as refusal:
        change(row, **columns)
    return isinstance(refusal.value.__cause__, errors.RestrictViolation)


def test_these_statements_are_sent_by_the_role_that_answers_requests():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("chitfund_app",)


@pytest.mark.parametrize(
    "columns",
    [
        {"prize_amount": 1},
        {"discount": 301},
        {"commission": 0},
        {"dividend_per_ticket": 1},
        {"method": "LOT_NO_BID"},
        {"winner": None},
        {"seed": "0"},
        {"rules": {}},
        {"settled_on": "2026-01-01"},
        {"status": AuctionStatus.CLOSED},
        {"status": AuctionStatus.SCHEDULED},
        {"status": AuctionStatus.VOID, "prize_amount": 1},
    ],
)
def test_the_outcome_of_a_settled_draw_stands(chit, columns):
    assert is_kept(chit.auction(1), **columns)


def test_a_settled_draw_may_become_void_and_stays_that(chit):
    auction = chit.auction(1)
    change(auction, status=AuctionStatus.VOID)
    assert is_kept(auction, status=AuctionStatus.SETTLED)
    assert is_kept(auction, prize_amount=1)


def test_a_draw_that_is_not_held_yet_goes_on(chit):
    change(chit.auction(2), status=AuctionStatus.POSTPONED, postponement_reason="A holiday")


@pytest.mark.parametrize(
    "columns",
    [
        {"reference": "ELSE"},
        {"security": "None"},
        {"paid_at": None},
        {"payment": None},
        {"status": PayoutStatus.APPROVED, "paid_by": None},
    ],
)
def test_a_prize_that_was_paid_stays_paid(chit, columns):
    payout = chit.payout(1)
    change(payout, comment="not paid yet")
    chit.pay_out(1)
    assert is_kept(payout, **columns)


@pytest.mark.parametrize("decision", ["completed", "rejected"])
def test_a_movement_of_cash_is_decided_once(chit, decision):
    if decision == "completed":
        movement = chit.cover(100)
    else:
        movement = chit.request(MovementKind.FOREMAN_DRAWS, 50)
        change(movement, note="asked for")
        movement = chit.reject(movement)
    assert is_kept(movement, amount=99)
    assert is_kept(movement, note="another")
    assert is_kept(movement, status="PENDING", entry=None)


@pytest.mark.parametrize("column", ["scheme", "subscriber", "subscription", "amount"])
def test_a_payment_that_waits_stays_with_its_scheme_person_ticket_and_amount(chit, column):
    payment = chit.pay(2, 700, method=PaymentMethod.CHEQUE)
    assert payment.status == PaymentStatus.PENDING
    other = {
        "scheme": lambda: running_chit(2).scheme,
        "subscriber": lambda: chit.foreman,
        "subscription": lambda: chit.ticket(1),
        "amount": lambda: 7000,
    }[column]()
    assert is_kept(payment, **{column: other})


def test_a_payment_that_waits_is_confirmed_or_fails_all_the_same(chit):
    chit.confirm(chit.pay(2, 700, method=PaymentMethod.CHEQUE))
    chit.fail(chit.pay(2, 200, method=PaymentMethod.CHEQUE))


@pytest.mark.parametrize("model", [Auction, Installment, PrizePayout, CashMovement, Subscription])
@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE"])
def test_what_no_service_removes_is_not_removed(chit, model, verb):
    with pytest.raises(ProgrammingError) as refusal, transaction.atomic():
        connection.cursor().execute(f"{verb} {model._meta.db_table}")
    assert isinstance(refusal.value.__cause__, errors.InsufficientPrivilege)


def test_a_tax_rate_that_is_added_at_the_desk_is_on_record(client):
    admin = AdminFactory.create()
    client.force_login(admin)
    answer = client.post(
        reverse("admin:payments_taxrate_add"),
        {"percent": "5", "valid_from": "2030-04-01", "source": "Notification 1/2030"},
    )
    assert answer.status_code == 302
    rate = TaxRate.objects.get(valid_from="2030-04-01")
    event = AuditEvent.objects.get(verb="tax_rate.added")
    assert (event.actor, event.target_id) == (admin, rate.pk)
    assert event.details == {"percent": "5", "valid_from": "2030-04-01"}
