"""Two payments, two reversals, two uses of one reference at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest

from accounts.models import User
from payments.audit import check_ledger
from payments.models import Installment, Payment, PaymentType, Transfer, TransferKind
from schemes.models import Scheme
from subscriptions.models import Subscription
from tests.race import chits
from tests.race.crowd import Caller, Crowd, faults, statuses


@pytest.fixture
def foreman() -> User:
    return chits.foreman()


@pytest.fixture
def some_chits(foreman: User) -> list[Scheme]:
    """Five chits of four tickets, each of which owes its first 1,000 rupees."""
    admin = chits.administrators(1)[0]
    return chits.running(5, holders=chits.people(4), foreman=foreman, actor=admin)


def pay(till: Caller, ticket: Subscription, amount: str) -> Callable[[], object]:
    body = {"subscription": str(ticket.pk), "amount": amount, "method": "CASH"}
    return partial(till.post, "payments", body)


def test_two_payments_of_600_at_once_pay_a_due_of_1000_and_leave_200(
    live_office: str, crowd: Crowd, some_chits: list[Scheme], foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    tickets = [ticket for chit in some_chits for ticket in chits.tickets_of(chit)]
    for ticket in tickets:
        assert statuses(crowd.at_once([pay(till, ticket, "600.00")] * 2)) == {201: 2}
        due = Installment.objects.get(subscription=ticket)
        ticket.refresh_from_db()
        assert (due.paid, due.due) == (Decimal(1000), Decimal(0))
        assert (ticket.outstanding, ticket.advance) == (Decimal(0), Decimal(200))
    assert Payment.objects.filter(payment_type=PaymentType.INSTALLMENT).count() == 2 * len(tickets)
    assert check_ledger() == []


def test_eight_payments_at_once_never_apply_more_than_is_due(
    live_office: str, crowd: Crowd, some_chits: list[Scheme], foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    for chit in some_chits:
        ticket = chits.tickets_of(chit)[0]
        assert statuses(crowd.at_once([pay(till, ticket, "150.00")] * 8)) == {201: 8}
        due = Installment.objects.get(subscription=ticket)
        ticket.refresh_from_db()
        assert (due.paid, ticket.advance) == (Decimal(1000), Decimal(200))
    assert check_ledger() == []


def test_negative_control_without_the_lock_two_payments_apply_more_than_is_due(
    unguarded_office: Callable[[str], str],
    crowd: Crowd,
    some_chits: list[Scheme],
    foreman: User,
) -> None:
    till = Caller.signed_in(unguarded_office("row_locks"), foreman)
    for chit in some_chits:
        crowd.at_once([pay(till, chits.tickets_of(chit)[0], "600.00")] * 2)
    broken = {finding.rule for finding in check_ledger()}
    assert "an installment was paid by its allocations" in broken


def test_a_payment_reversed_by_eight_at_once_is_reversed_once(
    live_office: str, crowd: Crowd, some_chits: list[Scheme], foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    tickets = [ticket for chit in some_chits for ticket in chits.tickets_of(chit)]
    for ticket in tickets:
        paid = pay(till, ticket, "700.00")().json["id"]
        reverse = partial(till.post, f"payments/{paid}/reverse", {"reason": "Entered wrongly"})
        answers = crowd.at_once([reverse] * 8)
        assert statuses(answers) == {201: 1, 409: 7}
        assert not any(answer.is_told_by_the_database for answer in answers)
        ticket.refresh_from_db()
        assert (ticket.outstanding, ticket.advance) == (Decimal(1000), Decimal(0))
    mirrored = Transfer.objects.filter(kind=TransferKind.REVERSAL)
    assert mirrored.count() == Payment.objects.exclude(reverses=None).count() == len(tickets)
    assert check_ledger() == []


def test_negative_control_without_the_lock_only_the_constraint_stops_a_second_reversal(
    unguarded_office: Callable[[str], str],
    crowd: Crowd,
    some_chits: list[Scheme],
    foreman: User,
) -> None:
    till = Caller.signed_in(unguarded_office("row_locks"), foreman)
    answers = []
    for chit in some_chits:
        paid = pay(till, chits.tickets_of(chit)[0], "700.00")().json["id"]
        reverse = partial(till.post, f"payments/{paid}/reverse", {"reason": "Entered wrongly"})
        answers += crowd.at_once([reverse] * 8)
    assert any(answer.is_told_by_the_database for answer in answers)
    assert faults(answers) == []
    assert Payment.objects.exclude(reverses=None).count() == len(some_chits)


def test_one_bank_reference_in_several_chits_at_once_is_taken_in_once(
    live_office: str, crowd: Crowd, some_chits: list[Scheme], foreman: User
) -> None:
    """The chits have no lock in common: here the unique constraint is the guard."""
    till = Caller.signed_in(live_office, foreman)
    for number in range(4):
        reference = f"UTR-{uuid4().hex}"
        bodies = [
            {
                "subscription": str(chits.tickets_of(chit)[number].pk),
                "amount": "100.00",
                "method": "NEFT",
                "transaction_id": reference,
            }
            for chit in some_chits
        ]
        answers = crowd.at_once([partial(till.post, "payments", body) for body in bodies])
        assert statuses(answers) == {201: 1, 409: len(some_chits) - 1}
        assert Payment.objects.filter(transaction_id=reference.upper()).count() == 1
    assert check_ledger() == []
