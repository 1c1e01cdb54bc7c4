"""Eight people decide the same thing at once: a scheme, a prize, cash, a declared payment."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AuditEvent, User
from notifications.models import Notification, NotificationEvent
from payments.audit import check_ledger
from payments.models import (
    CashMovement,
    MovementStatus,
    Payment,
    PaymentStatus,
    PayoutStatus,
    PrizePayout,
    Transfer,
    TransferKind,
)
from schemes.models import Scheme, SchemeStatus, StatutoryRecord
from tests.race import chits
from tests.race.crowd import Answer, Caller, Crowd, statuses
from tests.race.database import without_constraints

SCHEMES, DECIDERS = 200, 8
TOLD = (NotificationEvent.SCHEME_APPROVED, NotificationEvent.SCHEME_RETURNED)


@pytest.fixture
def admins() -> list[User]:
    return chits.administrators(DECIDERS)


@pytest.fixture
def foreman() -> User:
    return chits.foreman()


def desks(office: str, admins: list[User]) -> list[Caller]:
    return [Caller.signed_in(office, admin) for admin in admins]


def audited(target: Any, *verbs: str) -> int:
    return AuditEvent.objects.filter(target_id=target.pk, verb__in=verbs).count()


def check_one_was_heard(answers: list[Answer]) -> Answer:
    """Return the one decision that took effect; the others were refused by the row's state."""
    assert statuses(answers) == {200: 1, 409: len(answers) - 1}
    assert not any(answer.is_told_by_the_database for answer in answers)
    return next(answer for answer in answers if answer.status == 200)


# -- schemes -------------------------------------------------------------------------------


def approve(desk: Caller, scheme: Scheme) -> Callable[[], Answer]:
    return partial(desk.post, f"schemes/{scheme.pk}/approve", {"comment": "In order"})


def send_back(desk: Caller, scheme: Scheme) -> Callable[[], Answer]:
    return partial(desk.post, f"schemes/{scheme.pk}/return", {"reason": "The deposit is missing"})


def submitted(count: int, foreman: User) -> list[Scheme]:
    return chits.schemes(count, foreman=foreman, tickets=3, status=SchemeStatus.PENDING_APPROVAL)


@pytest.mark.slow
def test_of_eight_decisions_on_a_scheme_one_takes_effect(
    *,
    live_office: str,
    crowd: Crowd,
    dice: random.Random,
    admins: list[User],
    foreman: User,
) -> None:
    office = desks(live_office, admins)
    approved = 0
    for scheme in submitted(SCHEMES, foreman):
        answers = crowd.at_once(
            [dice.choice([approve, send_back])(desk, scheme) for desk in office]
        )
        heard = check_one_was_heard(answers)
        scheme.refresh_from_db()
        is_approved = scheme.status == SchemeStatus.ACTIVE
        approved += is_approved
        assert heard.json["status"] == scheme.status
        assert scheme.status in (SchemeStatus.ACTIVE, SchemeStatus.DRAFT)
        assert audited(scheme, "scheme.approved", "scheme.returned") == 1
        assert StatutoryRecord.objects.filter(scheme=scheme).count() == is_approved
        told = Notification.objects.filter(recipient=foreman, context__scheme=scheme.name)
        assert [told_of.event for told_of in told] == [TOLD[0] if is_approved else TOLD[1]]
    assert 0 < approved < SCHEMES
    numbers = sorted(StatutoryRecord.objects.values_list("number", flat=True))
    assert numbers == [f"PSO-2027-{number:06d}" for number in range(1, approved + 1)]


def test_negative_control_without_the_lock_a_scheme_is_returned_several_times(
    unguarded_office: Callable[[str], str], crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = desks(unguarded_office("row_locks"), admins)[:4]
    schemes = submitted(5, foreman)
    for scheme in schemes:
        crowd.at_once([send_back(desk, scheme) for desk in office])
    assert all(audited(scheme, "scheme.returned") > 1 for scheme in schemes)
    assert Notification.objects.filter(event__in=TOLD).count() > len(schemes)


# -- prizes --------------------------------------------------------------------------------


def prizes(count: int, *, foreman: User, actor: User) -> list[PrizePayout]:
    """Return prizes of one chit, all of them unpaid, with the cash to pay them."""
    chit = chits.running(1, holders=chits.people(count + 1), foreman=foreman, actor=actor)[0]
    chits.cover(chit, actor=foreman, amount=Decimal(900_000), reference="opening")
    return [
        chits.with_prize_to_pay(chit, actor=foreman, number=number + 1) for number in range(count)
    ]


def approve_prize(desk: Caller, payout: PrizePayout) -> Callable[[], Answer]:
    return partial(desk.post, f"payouts/{payout.pk}/approve", {"security": "Two guarantors"})


def pay_prize(till: Caller, payout: PrizePayout) -> Callable[[], Answer]:
    return partial(till.post, f"payouts/{payout.pk}/pay", {"method": "CASH"})


def times_paid(payout: PrizePayout) -> int:
    return Transfer.objects.filter(
        kind=TransferKind.PRIZE_PAID,
        scheme=payout.scheme,
        installment_number=payout.auction.installment_number,
    ).count()


def test_of_eight_a_prize_is_approved_by_one_and_paid_by_one(
    *, live_office: str, crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = desks(live_office, admins)
    tills = [*desks(live_office, chits.administrators(4)), *desks(live_office, [foreman] * 4)]
    payouts = prizes(20, foreman=foreman, actor=admins[0])
    for payout in payouts:
        check_one_was_heard(crowd.at_once([approve_prize(desk, payout) for desk in office]))
        check_one_was_heard(crowd.at_once([pay_prize(till, payout) for till in tills]))
        payout.refresh_from_db()
        assert payout.status == PayoutStatus.PAID
        assert audited(payout, "payout.approved") == audited(payout, "payout.paid") == 1
        assert times_paid(payout) == 1
    told = Notification.objects.filter(event=NotificationEvent.PRIZE_PAID)
    assert told.count() == Payment.objects.filter(payment_type="PRIZE").count() == len(payouts)
    assert check_ledger() == []


def an_approved_prize(office: str, foreman: User, admins: list[User]) -> PrizePayout:
    """Return one of several prizes: while others wait, there is money to pay it twice from."""
    first, *_others = prizes(4, foreman=foreman, actor=admins[0])
    assert approve_prize(Caller.signed_in(office, admins[0]), first)().status == 200
    return first


def test_negative_control_without_the_lock_a_trigger_has_to_refuse_a_second_payment(
    unguarded_office: Callable[[str], str], crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = unguarded_office("row_locks")
    prize = an_approved_prize(office, foreman, admins)
    answers = crowd.at_once([pay_prize(Caller.signed_in(office, foreman), prize)] * 3)
    assert any(answer.is_told_by_the_database for answer in answers)
    assert times_paid(prize) == 1


def test_negative_control_without_lock_and_trigger_a_prize_is_paid_several_times(
    unguarded_office: Callable[[str], str], crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = unguarded_office("row_locks")
    prize = an_approved_prize(office, foreman, admins)
    with without_constraints("prize_payouts_stay_paid"):
        crowd.at_once([pay_prize(Caller.signed_in(office, foreman), prize)] * 3)
        assert times_paid(prize) > 1
        assert "a prize is awarded once and paid at most once" in {
            finding.rule for finding in check_ledger()
        }


# -- cash ----------------------------------------------------------------------------------


def requests_for_cash(count: int, office: str, foreman: User, actor: User) -> list[CashMovement]:
    """Have a foreman ask for a rupee of what they put into a chit, so many times."""
    chit = chits.running(1, holders=chits.people(3), foreman=foreman, actor=actor)[0]
    chits.cover(chit, actor=foreman, amount=Decimal(1000), reference="opening")
    asking = Caller.signed_in(office, foreman)
    for number in range(count):
        body = {"kind": "FOREMAN_DRAWS", "amount": "1.00", "reference": f"draw {number}"}
        assert asking.post(f"schemes/{chit.pk}/cash", body).status == 201
    return list(CashMovement.objects.filter(kind="FOREMAN_DRAWS").select_related("scheme"))


def decide_cash(desk: Caller, movement: CashMovement, deed: str) -> Callable[[], Answer]:
    path = f"schemes/{movement.scheme_id}/cash/{movement.pk}/{deed}"
    return partial(desk.post, path, {"reason": "Not now"})


def test_of_eight_decisions_on_cash_one_takes_effect(
    *,
    live_office: str,
    crowd: Crowd,
    dice: random.Random,
    admins: list[User],
    foreman: User,
) -> None:
    office = desks(live_office, admins)
    movements = requests_for_cash(40, live_office, foreman, admins[0])
    for movement in movements:
        deeds = dice.choices(["approve", "reject"], k=DECIDERS)
        calls = [
            decide_cash(desk, movement, deed) for desk, deed in zip(office, deeds, strict=True)
        ]
        heard = check_one_was_heard(crowd.at_once(calls))
        movement.refresh_from_db()
        assert heard.json["status"] == movement.status != MovementStatus.PENDING
        assert audited(movement, "cash.approved", "cash.rejected") == 1
    paid_out = CashMovement.objects.filter(
        kind="FOREMAN_DRAWS", status=MovementStatus.COMPLETED
    ).count()
    assert 0 < paid_out < len(movements)
    assert Transfer.objects.filter(kind=TransferKind.FOREMAN_DRAWS).count() == paid_out
    assert check_ledger() == []


def test_negative_control_without_the_lock_a_trigger_has_to_refuse_a_second_approval(
    unguarded_office: Callable[[str], str], crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = unguarded_office("row_locks")
    movement = requests_for_cash(1, office, foreman, admins[0])[0]
    calls = [decide_cash(desk, movement, "approve") for desk in desks(office, admins)[:4]]
    assert any(answer.is_told_by_the_database for answer in crowd.at_once(calls))
    assert Transfer.objects.filter(kind=TransferKind.FOREMAN_DRAWS).count() == 1


def test_negative_control_without_lock_and_trigger_cash_leaves_several_times(
    unguarded_office: Callable[[str], str], crowd: Crowd, admins: list[User], foreman: User
) -> None:
    office = unguarded_office("row_locks")
    movement = requests_for_cash(1, office, foreman, admins[0])[0]
    with without_constraints("cash_movements_stay_decided"):
        crowd.at_once(
            [decide_cash(desk, movement, "approve") for desk in desks(office, admins)[:4]]
        )
        assert Transfer.objects.filter(kind=TransferKind.FOREMAN_DRAWS).count() > 1


# -- declared payments ---------------------------------------------------------------------


def test_of_eight_decisions_on_a_declared_payment_one_takes_effect(
    *,
    live_office: str,
    crowd: Crowd,
    dice: random.Random,
    admins: list[User],
    foreman: User,
) -> None:
    chit = chits.running(1, holders=chits.people(4), foreman=foreman, actor=admins[0])[0]
    office = desks(live_office, admins)
    tickets = chits.tickets_of(chit)
    payers = {ticket.pk: Caller.signed_in(live_office, ticket.subscriber) for ticket in tickets}
    for _ in range(20):
        ticket = dice.choice(tickets)
        body = {
            "subscription": str(ticket.pk),
            "amount": "10.00",
            "method": "UPI",
            "transaction_id": uuid4().hex,
        }
        declared = payers[ticket.pk].post("payments", body).json
        assert declared["status"] == PaymentStatus.PENDING
        decisions = dice.choices([PaymentStatus.COMPLETED, PaymentStatus.FAILED], k=DECIDERS)
        calls = [
            partial(desk.put, f"payments/{declared['id']}", {"status": decision})
            for desk, decision in zip(office, decisions, strict=True)
        ]
        heard = check_one_was_heard(crowd.at_once(calls))
        payment = Payment.objects.get(pk=declared["id"])
        assert heard.json["status"] == payment.status != PaymentStatus.PENDING
        assert audited(payment, "payment.confirmed", "payment.failed") == 1
    receipts = Payment.objects.filter(status=PaymentStatus.COMPLETED)
    numbers = sorted(receipts.values_list("receipt_number", flat=True))
    assert numbers == [f"R/2026-27/{number + 1:06d}" for number in range(len(numbers))]
    assert check_ledger() == []
