"""A status follows another only along MOVES, and nobody is the second person to themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import F, Model

from accounts.models import Role, User
from accounts.services import change_role
from auctions.models import Auction, AuctionStatus
from chitfund.business_date import business_date
from chitfund.db import StatusModel, new_id
from chitfund.exceptions import InvalidTransition
from payments.models import (
    CashMovement,
    MovementKind,
    MovementStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PayoutStatus,
    PrizePayout,
)
from payments.services.cash import approve_movement, reject_movement, request_movement
from payments.services.payouts import approve_payout, pay_payout
from payments.services.recording import Share, Slip, fail_payment, record_payment
from schemes.models import Scheme, SchemeStatus
from subscriptions.models import HOLDING, Subscription, SubscriptionStatus
from tests.race import chits
from tests.race.crowd import Answer, Caller

STATUS_MODELS = [model for model in apps.get_models() if issubclass(model, StatusModel)]


def illegal_moves(model: type[Any]) -> Iterator[tuple[Any, Any]]:
    """Return every pair of statuses that MOVES does not name, staying included."""
    statuses = list(model.MOVES)
    for old, new in itertools.product(statuses, statuses):
        if new not in model.MOVES[old]:
            yield old, new


def test_every_illegal_move_is_refused_and_every_legal_one_is_made() -> None:
    assert {Scheme, Auction, Payment, PrizePayout, CashMovement, Subscription} <= {*STATUS_MODELS}
    for model in STATUS_MODELS:
        assert {value for value, _ in model._meta.get_field("status").choices} == {*model.MOVES}
        for old, new in illegal_moves(model):
            row = model(status=old)
            with pytest.raises(InvalidTransition):
                row.move_to(new)
            assert row.status == old
        for old, following in model.MOVES.items():
            for new in following:
                row = model(status=old)
                row.move_to(new)
                assert row.status == new


# -- the same over HTTP: a row in each status, and every door that leads somewhere else -----


@dataclass
class Office:
    """Who works here, and one chit that runs."""

    address: str

    def __post_init__(self) -> None:
        self.foreman = chits.foreman()
        self.admin, self.second_admin = chits.administrators(2)
        self.holders = chits.people(4)
        self.chit = chits.running(1, holders=self.holders, foreman=self.foreman, actor=self.admin)[
            0
        ]
        chits.cover(self.chit, actor=self.admin, amount=Decimal(50_000), reference="opening")
        self.ticket = chits.tickets_of(self.chit)[0]

    def caller(self, user: User) -> Caller:
        return Caller.signed_in(self.address, user)


def a_scheme(office: Office, status: SchemeStatus) -> Scheme:
    return chits.schemes(1, foreman=office.foreman, tickets=3, status=status)[0]


def an_auction(office: Office, status: AuctionStatus) -> Auction:
    chits.bring_to_today(office.chit, number=1)
    if status == AuctionStatus.OPEN:
        return chits.open_draw(office.chit, 1, actor=office.foreman)
    if status == AuctionStatus.SETTLED:
        return chits.with_prize_to_pay(office.chit, actor=office.foreman).auction
    draw = Auction.objects.filter(scheme=office.chit, installment_number=1)
    draw.update(status=status)
    return draw.get()


def a_payment(office: Office, status: PaymentStatus) -> Payment:
    is_completed = status == PaymentStatus.COMPLETED
    actor = office.foreman if is_completed else office.ticket.subscriber
    slip = Slip(method=PaymentMethod.UPI, transaction_id=str(new_id()))
    shares = [Share(office.ticket.pk, Decimal(10))]
    payment = record_payment(actor=actor, shares=shares, slip=slip)[0]
    if status == PaymentStatus.FAILED:
        fail_payment(payment_id=payment.pk, actor=office.foreman, note="Never arrived")
    return payment


def a_payout(office: Office, status: PayoutStatus) -> PrizePayout:
    payout = chits.with_prize_to_pay(office.chit, actor=office.foreman)
    if status != PayoutStatus.PENDING:
        approve_payout(payout_id=payout.pk, actor=office.admin, security="Two guarantors")
    if status == PayoutStatus.PAID:
        pay_payout(payout_id=payout.pk, actor=office.foreman, method=PaymentMethod.CASH)
    return payout


def a_movement(office: Office, status: MovementStatus) -> CashMovement:
    movement = request_movement(
        scheme_id=office.chit.pk,
        actor=office.foreman,
        kind=MovementKind.FOREMAN_DRAWS,
        amount=Decimal(10),
        reference="a draw",
    )
    one = {"scheme_id": office.chit.pk, "movement_id": movement.pk, "actor": office.admin}
    if status == MovementStatus.COMPLETED:
        approve_movement(**one)
    elif status == MovementStatus.REJECTED:
        reject_movement(**one, reason="Not now")
    return movement


@transaction.atomic
def a_ticket(office: Office, status: SubscriptionStatus) -> Subscription:
    scheme = chits.schemes(1, foreman=office.foreman, tickets=3, status=SchemeStatus.ACTIVE)[0]
    if status in HOLDING:
        Scheme.objects.filter(pk=scheme.pk).update(current_subscribers=1)
    prized = {"prized_at": scheme.approved_at, "prized_installment": 1}
    return Subscription.objects.create(
        scheme=scheme,
        subscriber=office.holders[0],
        ticket_number=1,
        join_date=business_date(),
        enrolled_by=office.holders[0],
        status=status,
        **(prized if status == SubscriptionStatus.COMPLETED else {}),
    )


@dataclass(frozen=True)
class Door:
    """A request that would bring a row of a model to a status."""

    model: type[Any]
    target: Any
    knock: Callable[[Office, Any], Answer]
    name: str


def _post(who: str, deed: str, **body: Any) -> Callable[[Office, Any], Answer]:
    def knock(office: Office, row: Any) -> Answer:
        place = f"{row._meta.model_name}s"
        paths = {"prizepayouts": "payouts", "cashmovements": f"schemes/{office.chit.pk}/cash"}
        return office.caller(getattr(office, who)).post(
            f"{paths.get(place, place)}/{row.pk}/{deed}", body
        )

    return knock


def _record(office: Office, row: Auction) -> Answer:
    body = {
        "subscription": str(office.ticket.pk),
        "discount": str(row.min_discount),
        "attendance": ["Ticket 1", "Ticket 2"],
    }
    return office.caller(office.foreman).post(f"auctions/{row.pk}/record", body)


def _put(status: PaymentStatus) -> Callable[[Office, Any], Answer]:
    return lambda office, row: office.caller(office.foreman).put(
        f"payments/{row.pk}", {"status": status}
    )


def _withdraw(office: Office, row: Subscription) -> Answer:
    return office.caller(office.foreman).send("DELETE", f"subscriptions/{row.pk}")


DOORS = (
    Door(Scheme, SchemeStatus.PENDING_APPROVAL, _post("foreman", "submit"), "submit"),
    Door(Scheme, SchemeStatus.ACTIVE, _post("admin", "approve"), "approve"),
    Door(Scheme, SchemeStatus.DRAFT, _post("admin", "return", reason="No deposit"), "return"),
    Door(
        Scheme, SchemeStatus.TERMINATED, _post("admin", "terminate", reason="Too few"), "terminate"
    ),
    Door(Auction, AuctionStatus.OPEN, _post("foreman", "open"), "open"),
    Door(Auction, AuctionStatus.CLOSED, _post("foreman", "close"), "close"),
    Door(Auction, AuctionStatus.CLOSED, _post("admin", "order-draw"), "order-draw"),
    Door(Auction, AuctionStatus.CLOSED, _record, "record"),
    Door(
        Auction, AuctionStatus.POSTPONED, _post("admin", "postpone", reason="Holiday"), "postpone"
    ),
    Door(Payment, PaymentStatus.COMPLETED, _put(PaymentStatus.COMPLETED), "confirm"),
    Door(Payment, PaymentStatus.FAILED, _put(PaymentStatus.FAILED), "fail"),
    Door(
        PrizePayout,
        PayoutStatus.APPROVED,
        _post("second_admin", "approve", security="None"),
        "approve",
    ),
    Door(PrizePayout, PayoutStatus.PAID, _post("foreman", "pay", method="CASH"), "pay"),
    Door(CashMovement, MovementStatus.COMPLETED, _post("admin", "approve"), "approve"),
    Door(
        CashMovement, MovementStatus.REJECTED, _post("admin", "reject", reason="Not now"), "reject"
    ),
    Door(Subscription, SubscriptionStatus.REMOVED, _withdraw, "withdraw"),
)
ROWS: dict[type[Model], Callable[[Office, Any], Any]] = {
    Scheme: a_scheme,
    Auction: an_auction,
    Payment: a_payment,
    PrizePayout: a_payout,
    CashMovement: a_movement,
    Subscription: a_ticket,
}
CLOSED_DOORS = [
    pytest.param(door, status, id=f"{door.model.__name__}-{door.name}-when-{status}")
    for door in DOORS
    for status in door.model.MOVES
    if door.target not in door.model.MOVES[status]
]


@pytest.mark.parametrize(("door", "status"), CLOSED_DOORS)
def test_what_moves_forbid_is_refused_over_http(live_office: str, door: Door, status: Any) -> None:
    office = Office(live_office)
    row = ROWS[door.model](office, status)
    before = door.model.objects.filter(pk=row.pk).values().get()
    answer = door.knock(office, row)
    assert answer.status == 409, answer.json
    assert not answer.is_told_by_the_database
    assert before["status"] == status
    assert door.model.objects.filter(pk=row.pk).values().get() == before


KEPT_BY_THE_DATABASE = [
    *((model, set(model.MOVES)) for model in (Scheme, Payment, PrizePayout, CashMovement)),
    # Settling passes through CLOSED within one save, so only the end of a draw is kept.
    (Auction, {AuctionStatus.SETTLED, AuctionStatus.VOID}),
]


@pytest.mark.parametrize(
    ("model", "statuses"), KEPT_BY_THE_DATABASE, ids=lambda given: getattr(given, "__name__", "")
)
def test_what_moves_forbid_is_refused_by_the_database(
    live_office: str, model: type[Any], statuses: set[Any]
) -> None:
    for status, forbidden in illegal_moves(model):
        if status == forbidden or status not in statuses:
            continue
        office = Office(live_office)
        row = model.objects.filter(pk=ROWS[model](office, status).pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(status=forbidden)
        assert row.get().status == status


def test_negative_control_without_moves_a_prize_is_approved_again_after_it_was_paid(
    unguarded_office: Callable[[str], str],
) -> None:
    office = Office(unguarded_office("moves"))
    payout = a_payout(office, PayoutStatus.APPROVED)
    again = _post("second_admin", "approve", security="None")(office, payout)
    payout.refresh_from_db()
    assert again.status == 200
    assert payout.approved_by == office.second_admin


# -- four eyes: the API says no, and so does the table --------------------------------------


def refused(answer: Answer) -> bool:
    return answer.status == 403 and answer.code == "forbidden"


def test_nobody_approves_their_own_scheme(live_office: str) -> None:
    office = Office(live_office)
    scheme = a_scheme(office, SchemeStatus.PENDING_APPROVAL)
    approve = f"schemes/{scheme.pk}/approve"
    assert refused(office.caller(office.foreman).post(approve))
    change_role(user_id=office.foreman.pk, actor=office.admin, role=Role.ADMIN, reason="Joins us")
    User.objects.filter(pk=office.foreman.pk).update(is_superuser=True)
    office.foreman.refresh_from_db()
    assert refused(office.caller(office.foreman).post(approve))
    assert refused(
        office.caller(office.foreman).post(f"schemes/{scheme.pk}/return", {"reason": "Mine"})
    )
    own = Scheme.objects.filter(pk=scheme.pk)
    assert own.get().status == SchemeStatus.PENDING_APPROVAL
    with pytest.raises(IntegrityError, match="scheme_not_approved_by_its_foreman"):
        own.update(
            status=SchemeStatus.ACTIVE, approved_by=F("foreman"), approved_at=F("created_at")
        )


def test_nobody_approves_or_pays_their_own_prize_and_the_approver_does_not_pay(
    live_office: str,
) -> None:
    office = Office(live_office)
    payout = a_payout(office, PayoutStatus.PENDING)
    approve = f"payouts/{payout.pk}/approve"
    security = {"security": "Two guarantors"}
    change_role(user_id=payout.payee_id, actor=office.admin, role=Role.ADMIN, reason="Joins us")
    User.objects.filter(pk=payout.payee_id).update(is_superuser=True)
    winner = User.objects.get(pk=payout.payee_id)
    assert refused(office.caller(winner).post(approve, security))
    row = PrizePayout.objects.filter(pk=payout.pk)
    with pytest.raises(IntegrityError, match="prize_payout_not_approved_by_payee"):
        row.update(status=PayoutStatus.APPROVED, approved_by=F("payee"))

    assert office.caller(office.admin).post(approve, security).status == 200
    cash = {"method": "CASH"}
    assert refused(office.caller(office.admin).post(f"payouts/{payout.pk}/pay", cash))
    with pytest.raises(IntegrityError, match="prize_payout_not_paid_by_approver"):
        row.update(status=PayoutStatus.PAID, paid_by=F("approved_by"))
    assert row.get().status == PayoutStatus.APPROVED


def test_nobody_approves_the_cash_that_they_asked_for(live_office: str) -> None:
    office = Office(live_office)
    movement = a_movement(office, MovementStatus.PENDING)
    path = f"schemes/{office.chit.pk}/cash/{movement.pk}/approve"
    assert refused(office.caller(office.foreman).post(path))
    row = CashMovement.objects.filter(pk=movement.pk)
    with pytest.raises(IntegrityError, match="cash_movement_out_needs_a_second_person"):
        row.update(status=MovementStatus.COMPLETED, decided_by=F("requested_by"), entry=new_id())
    assert row.get().status == MovementStatus.PENDING
