"""A chit for tests about money: real people, real services, and few words to drive it.

    chit = running_chit(tickets=3, foreman_installment=None)
    chit.pay(2, 1000)
    chit.hold_draw(winner=2, discount=300)

Amounts are rupees; tickets are called by their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from accounts.models import BusinessClock, User
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from auctions.models import Auction, AuctionStatus, Bid, Method
from auctions.services import open_auction, place_bid
from chitfund.business_date import IST, business_date
from payments.models import (
    AccountKind,
    CashMovement,
    Installment,
    LedgerAccount,
    MovementKind,
    Payment,
    PaymentMethod,
    PrizePayout,
)
from payments.services.cash import approve_movement, reject_movement, request_movement
from payments.services.commencement import commence_scheme
from payments.services.payouts import approve_payout, pay_payout
from payments.services.postponement import postpone_auction
from payments.services.recording import (
    Share,
    Slip,
    confirm_payment,
    fail_payment,
    record_payment,
)
from payments.services.reversal import reverse_payment
from payments.services.settlement import (
    close_auction,
    order_draw_among_arrears,
    record_auction,
)
from schemes.models import Scheme
from schemes.services import approve_scheme, create_scheme, submit_scheme
from subscriptions.models import HOLDING, Subscription
from subscriptions.services import enrol, withdraw

Money = Decimal | int | str
TODAY = date(2026, 1, 5)  # the day on which a chit of the tests is drafted
USUAL_TERMS: dict[str, Any] = {
    "monthly_installment": Decimal(1000),
    "auction_day": 10,
    "bid_step": Decimal(50),
    "foreman_installment": None,
}
_references = count(1)


def move_to(day: date) -> None:
    """Make it another business date."""
    BusinessClock.objects.update_or_create(pk=1, defaults={"moved_to": day})


def reference() -> str:
    """Return a bank's reference that nobody has used."""
    return f"REF{next(_references):08d}"


def running_chit(tickets: int = 4, *, today: date = TODAY, **terms: Any) -> Chit:
    """Return a chit that has commenced today, with every ticket in other hands.

    Terms are a scheme's own names; without a `foreman_installment` the foreman has no ticket.
    """
    chit = Chit.sanctioned(tickets=tickets, today=today, **terms)
    chit.enrol_all()
    chit.commence()
    return chit


class Chit:
    """One chit, its people, and what they do; rows are read anew each time they are asked."""

    def __init__(self, scheme: Scheme, *, admins: list[User], members: list[User]) -> None:
        self.pk = scheme.pk
        self.foreman = scheme.foreman
        self.asha, self.ravi = admins
        self.members = members

    @classmethod
    def sanctioned(cls, *, tickets: int, today: date = TODAY, **terms: Any) -> Chit:
        """Return a chit that is open for enrolment, and as many members as it has tickets."""
        move_to(today)
        foreman = ForemanFactory.create(kyc_verified=True)
        admins = AdminFactory.create_batch(2)
        scheme = create_scheme(
            foreman=foreman,
            **{
                "name": "Lakshmi",
                "max_subscribers": tickets,
                "duration_months": tickets,
                "start_date": today,
                **USUAL_TERMS,
                **terms,
            },
        )
        submit_scheme(scheme_id=scheme.pk, actor=foreman)
        approve_scheme(scheme_id=scheme.pk, actor=admins[0], comment="in order")
        members = UserFactory.create_batch(tickets, kyc_verified=True)
        return cls(scheme, admins=admins, members=members)

    # -- rows --------------------------------------------------------------------------

    @property
    def scheme(self) -> Scheme:
        return Scheme.objects.get(pk=self.pk)

    @property
    def first_number(self) -> int:
        """The lowest ticket that is not the foreman's."""
        return 1 if self.scheme.foreman_installment is None else 2

    @property
    def months(self) -> range:
        return range(1, self.scheme.duration_months + 1)

    def ticket(self, number: int) -> Subscription:
        return Subscription.objects.select_related("subscriber").get(
            scheme=self.pk, ticket_number=number, status__in=HOLDING
        )

    def tickets(self) -> Iterable[Subscription]:
        return Subscription.objects.filter(scheme=self.pk, status__in=HOLDING).order_by(
            "ticket_number"
        )

    def due(self, number: int, month: int) -> Installment:
        return Installment.objects.get(
            scheme=self.pk, subscription__ticket_number=number, number=month
        )

    def auction(self, month: int) -> Auction:
        return Auction.objects.exclude(status=AuctionStatus.VOID).get(
            scheme=self.pk, installment_number=month
        )

    @property
    def next_month(self) -> int:
        """The number of the first draw that is not settled."""
        waiting = Auction.objects.filter(scheme=self.pk).exclude(
            status__in=[AuctionStatus.SETTLED, AuctionStatus.VOID]
        )
        return waiting.order_by("installment_number").values_list("installment_number", flat=True)[
            0
        ]

    def draw_day(self, month: int) -> date:
        return self.auction(month).scheduled_at.astimezone(IST).date()

    def payout(self, month: int) -> PrizePayout:
        return PrizePayout.objects.get(auction=self.auction(month))

    def head(self, kind: AccountKind) -> Decimal:
        """What stands on a head of the ledger, on its normal side."""
        return LedgerAccount.objects.get(scheme=self.pk, kind=kind).balance

    @property
    def cash(self) -> Decimal:
        return self.head(AccountKind.CASH)

    # -- before the first draw ---------------------------------------------------------

    def enrol(self, number: int, member: User | None = None) -> Subscription:
        holder = member or self.members[number - 1]
        return enrol(
            scheme_id=self.pk,
            actor=self.foreman,
            subscriber_id=holder.pk,
            ticket_number=number,
        )

    def enrol_all(self) -> None:
        for number in range(self.first_number, self.scheme.max_subscribers + 1):
            self.enrol(number)

    def withdraw(self, number: int) -> None:
        withdraw(subscription_id=self.ticket(number).pk, actor=self.foreman)

    def commence(self) -> None:
        commence_scheme(scheme_id=self.pk, actor=self.asha)

    # -- draws -------------------------------------------------------------------------

    def open(self, month: int) -> Auction:
        return open_auction(auction_id=self.auction(month).pk, actor=self.foreman)

    def bid(self, month: int, number: int, discount: Money) -> Bid:
        ticket = self.ticket(number)
        return place_bid(
            auction_id=self.auction(month).pk,
            subscription_id=ticket.pk,
            discount=Decimal(discount),
            actor=ticket.subscriber,
        )

    def close(self, month: int) -> Auction:
        return close_auction(auction_id=self.auction(month).pk, actor=self.foreman)

    def record(
        self,
        month: int,
        winner: int,
        discount: Money,
        *,
        method: Method = Method.BID,
        present: int = 2,
    ) -> Auction:
        """Enter a draw that was held in a room."""
        return record_auction(
            auction_id=self.auction(month).pk,
            actor=self.foreman,
            subscription_id=self.ticket(winner).pk,
            discount=Decimal(discount),
            attendance=[f"Member {place}" for place in range(present)],
            method=method,
        )

    def postpone(self, month: int, day: date | None = None) -> Auction:
        at = None if day is None else datetime.combine(day, time(10), tzinfo=IST)
        return postpone_auction(
            auction_id=self.auction(month).pk,
            actor=self.foreman,
            reason="A holiday",
            scheduled_at=at,
        )

    def order_draw(self, month: int) -> Auction:
        return order_draw_among_arrears(auction_id=self.auction(month).pk, actor=self.asha)

    def hold_draw(
        self,
        month: int | None = None,
        *,
        winner: int | None = None,
        discount: Money | None = None,
    ) -> Auction:
        """Hold the next draw on its day: won at a discount, or nobody bids."""
        month = month or self.next_month
        if business_date() < self.draw_day(month):
            move_to(self.draw_day(month))
        if month != self.scheme.foreman_installment:
            self.open(month)
        if winner is not None and discount is not None:
            self.bid(month, winner, discount)
        return self.close(month)

    # -- money that comes in -----------------------------------------------------------

    def pay(
        self, number: int, amount: Money | None = None, *, on: date | None = None, **slip: Any
    ) -> Payment:
        """Take a payment in: what is owed, in cash and today unless something else is said."""
        owed = self.ticket(number).outstanding if amount is None else amount
        return self.split({number: owed}, on=on, **slip)[0]

    def split(
        self,
        amounts: dict[int, Money],
        *,
        on: date | None = None,
        by: User | None = None,
        method: PaymentMethod = PaymentMethod.CASH,
        transaction_id: str = "",
    ) -> list[Payment]:
        """Take in one transfer for several tickets."""
        at = {} if on is None else {"payment_date": datetime.combine(on, time(12), tzinfo=IST)}
        if method != PaymentMethod.CASH:
            transaction_id = transaction_id or reference()
        return record_payment(
            actor=by or self.foreman,
            shares=[
                Share(self.ticket(number).pk, Decimal(amount)) for number, amount in amounts.items()
            ],
            slip=Slip(method=method, transaction_id=transaction_id, **at),
        )

    def pay_all(self) -> None:
        """Have every ticket pay what it owes."""
        for ticket in self.tickets():
            if ticket.outstanding > 0:
                self.pay(ticket.ticket_number, ticket.outstanding)

    def confirm(self, payment: Payment) -> Payment:
        return confirm_payment(payment_id=payment.pk, actor=self.foreman)

    def fail(self, payment: Payment) -> Payment:
        return fail_payment(payment_id=payment.pk, actor=self.foreman, note="bounced")

    def reverse(self, payment: Payment) -> Payment:
        return reverse_payment(payment_id=payment.pk, actor=self.foreman, reason="a mistake")

    # -- money that goes out -----------------------------------------------------------

    def approve_payout(self, month: int) -> PrizePayout:
        return approve_payout(
            payout_id=self.payout(month).pk, actor=self.asha, security="Two sureties"
        )

    def pay_out(self, month: int) -> PrizePayout:
        """Approve and pay the prize of a month."""
        payout = self.approve_payout(month)
        return pay_payout(payout_id=payout.pk, actor=self.foreman, method=PaymentMethod.CASH)

    def request(
        self, kind: MovementKind, amount: Money, *, number: int | None = None
    ) -> CashMovement:
        return request_movement(
            scheme_id=self.pk,
            actor=self.foreman,
            kind=kind,
            amount=Decimal(amount),
            reference=reference(),
            subscription_id=None if number is None else self.ticket(number).pk,
        )

    def move_cash(
        self, kind: MovementKind, amount: Money, *, number: int | None = None
    ) -> CashMovement:
        """Request a cash movement and, where it is money out, approve it."""
        movement = self.request(kind, amount, number=number)
        if kind != MovementKind.FOREMAN_COVERS:
            movement = approve_movement(scheme_id=self.pk, movement_id=movement.pk, actor=self.asha)
        return movement

    def reject(self, movement: CashMovement) -> CashMovement:
        return reject_movement(
            scheme_id=self.pk, movement_id=movement.pk, actor=self.asha, reason="not now"
        )

    def cover(self, amount: Money) -> CashMovement:
        return self.move_cash(MovementKind.FOREMAN_COVERS, amount)

    def refund(self, number: int, amount: Money | None = None) -> CashMovement:
        credit = self.ticket(number).advance if amount is None else amount
        return self.move_cash(MovementKind.REFUND, credit, number=number)

    # -- the end -----------------------------------------------------------------------

    def play_to_the_end(self) -> None:
        """Hold the draws that are left with everybody paying, and empty every account."""
        while self.scheme.next_auction_at is not None:
            if business_date() < self.draw_day(self.next_month):
                move_to(self.draw_day(self.next_month))
            self.pay_all()
            self.hold_draw()
        self.pay_all()
        self.settle_up()

    def settle_up(self) -> None:
        """Pay out prizes, tax, refunds and what the foreman has earned."""
        for payout in PrizePayout.objects.filter(scheme=self.pk, payment=None):
            self.pay_out(payout.auction.installment_number)
        for ticket in self.tickets():
            if ticket.advance > 0:
                self.refund(ticket.ticket_number)
        self._move_what_is_there(MovementKind.TAX_PAID, self.head(AccountKind.GST_PAYABLE))
        earned = (AccountKind.COMMISSION, AccountKind.LATE_INTEREST, AccountKind.FOREMAN)
        drawable = sum((self.head(kind) for kind in earned), Decimal(0))
        self._move_what_is_there(MovementKind.FOREMAN_DRAWS, drawable)

    def _move_what_is_there(self, kind: MovementKind, amount: Decimal) -> None:
        if amount > 0:
            self.move_cash(kind, amount)


def day_after(day: date, days: int = 1) -> date:
    return day + timedelta(days=days)


def ids_of(payments: Iterable[Payment]) -> list[UUID]:
    return [payment.pk for payment in payments]
