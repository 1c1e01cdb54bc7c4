"""The end of a chit: it closes with the last rupee, by itself, and for good."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEvent
from notifications.models import Notification, NotificationEvent
from payments.models import (
    AccountKind,
    LedgerAccount,
    MovementKind,
    Payment,
    PaymentMethod,
    Transfer,
    TransferKind,
)
from payments.services.cash import approve_movement
from payments.services.payouts import pay_payout
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused
from schemes.models import SchemeStatus
from subscriptions.models import SubscriptionStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def balances(chit: Chit) -> set[Decimal]:
    return {account.balance for account in LedgerAccount.objects.filter(scheme=chit.pk)}


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"foreman_installment": 2},
        {"foreman_installment": 3, "commission_mode": "ON_TOP"},
        {"commission_mode": "IN_INSTALLMENT", "dividend_timing": "SAME"},
        {"dividend_policy": "NON_PRIZED", "rounding_unit": Decimal("0.01")},
        {"dividend_policy": "EXCLUDE_WINNER", "commission_percent": Decimal("5.01")},
        {"commission_base": "DISCOUNT", "late_dividend": "FORFEIT"},
    ],
)
def test_a_chit_of_any_terms_runs_out_to_zero(terms):
    chit = running_chit(3, **terms)
    chit.pay_all()
    chit.hold_draw(1, winner=2, discount=450)
    chit.play_to_the_end()
    assert chit.scheme.status == SchemeStatus.COMPLETED
    assert balances(chit) == {0}


def test_the_tickets_close_with_the_chit_and_everybody_is_told_once():
    chit = running_chit(2)
    chit.play_to_the_end()
    scheme = chit.scheme
    assert scheme.completed_at is not None
    assert {ticket.status for ticket in chit.tickets()} == {SubscriptionStatus.COMPLETED}
    told = Notification.objects.filter(event=NotificationEvent.SCHEME_COMPLETED)
    assert {row.recipient for row in told} == {chit.foreman, *chit.members}
    assert told.count() == 3
    assert AuditEvent.objects.filter(verb="scheme.completed", target_id=chit.pk).count() == 1


# -- the last rupee --------------------------------------------------------------------


def almost_done() -> tuple[Chit, dict[str, Callable[[], object]]]:
    """Return a chit of which everything is paid in, and the ways in which money leaves it."""
    chit = running_chit(2)
    chit.pay_all()
    chit.hold_draw(1)
    move_to(chit.draw_day(2))
    mistake = chit.pay(2, 100)
    chit.pay(2, 1000)
    chit.pay(1, 1100)
    chit.hold_draw(2)
    chit.pay_out(1)
    ways = {
        "prize": lambda: chit.pay_out(2),
        "refund": lambda: chit.refund(1),
        "tax": lambda: chit.move_cash(MovementKind.TAX_PAID, 36),
        "draw": lambda: chit.move_cash(MovementKind.FOREMAN_DRAWS, 200),
        "reversal": lambda: chit.reverse(mistake),
    }
    return chit, ways


@pytest.mark.parametrize("last", ["prize", "refund", "tax", "draw", "reversal"])
def test_the_chit_closes_with_its_last_rupee_whichever_way_it_leaves(last):
    chit, ways = almost_done()
    for name, leave in ways.items():
        if name != last:
            leave()
    assert chit.scheme.status == SchemeStatus.ACTIVE
    ways[last]()
    assert chit.scheme.status == SchemeStatus.COMPLETED
    assert balances(chit) == {0}


def test_a_chit_in_which_something_is_owed_stays_open():
    chit = running_chit(2)
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=100)
    chit.pay(2)
    chit.hold_draw(2)
    chit.cover(800)
    for month in chit.months:
        chit.pay_out(month)
    chit.move_cash(MovementKind.TAX_PAID, 36)
    assert (chit.cash, chit.ticket(1).outstanding) == (0, 1000)
    assert chit.scheme.status == SchemeStatus.ACTIVE
    chit.pay(1)
    chit.move_cash(MovementKind.FOREMAN_DRAWS, 1000)
    assert chit.scheme.status == SchemeStatus.COMPLETED


def test_a_prize_of_nothing_is_decided_before_the_chit_closes():
    """Its dues have eaten it, but somebody has to say that no security is needed."""
    chit = running_chit(2)
    chit.pay(1)
    chit.hold_draw(1, winner=1, discount=100)
    chit.hold_draw(2)
    move_to(day_after(chit.draw_day(2)))
    chit.order_draw(2)
    assert chit.payout(2).net_amount == 0
    chit.pay_all()
    chit.cover(chit.payout(1).net_amount)
    chit.pay_out(1)
    chit.move_cash(MovementKind.TAX_PAID, 36)
    drawable = chit.cash
    chit.move_cash(MovementKind.FOREMAN_DRAWS, drawable)
    assert (chit.cash, chit.scheme.status) == (0, SchemeStatus.ACTIVE)
    chit.pay_out(2)
    assert chit.scheme.status == SchemeStatus.COMPLETED


# -- for good --------------------------------------------------------------------------


def closed() -> Chit:
    chit = running_chit(2)
    chit.play_to_the_end()
    return chit


def test_closed_books_take_and_give_nothing():
    chit = closed()
    payment = Payment.objects.filter(scheme=chit.pk).exclude(receipt_number="").first()
    attempts: list[Callable[[], object]] = [
        lambda: chit.pay(1, 10),
        lambda: chit.pay(1, 10, by=chit.members[0]),
        lambda: chit.reverse(payment),
        lambda: chit.request(MovementKind.FOREMAN_COVERS, 10),
        lambda: chit.request(MovementKind.FOREMAN_DRAWS, 10),
        lambda: chit.open(1),
        lambda: chit.close(2),
        lambda: chit.record(2, 1, 200),
        lambda: chit.postpone(2),
        lambda: chit.order_draw(2),
        chit.commence,
        lambda: pay_payout(
            payout_id=chit.payout(1).pk, actor=chit.foreman, method=PaymentMethod.CASH
        ),
    ]
    for attempt in attempts:
        with refused("wrong_state"):
            attempt()


def test_what_waited_for_a_second_person_when_the_books_closed_is_not_posted():
    chit = running_chit(2)
    chit.cover(100)
    waiting = chit.request(MovementKind.FOREMAN_DRAWS, 50)
    chit.play_to_the_end()
    assert chit.scheme.status == SchemeStatus.COMPLETED
    with refused("wrong_state"):
        approve_movement(scheme_id=chit.pk, movement_id=waiting.pk, actor=chit.asha)
    assert chit.reject(waiting).status == "REJECTED"


def test_the_database_refuses_a_transfer_in_closed_books():
    chit = closed()
    accounts = {row.kind: row for row in LedgerAccount.objects.filter(scheme=chit.pk)}
    with pytest.raises(DatabaseError, match="not open"), transaction.atomic():
        Transfer.objects.create(
            scheme=chit.scheme,
            entry=chit.pk,
            debit_account=accounts[AccountKind.CASH],
            credit_account=accounts[AccountKind.FOREMAN],
            amount=1,
            kind=TransferKind.FOREMAN_COVERS,
            business_date=chit.draw_day(2),
        )
