"""The schemes of the demo office: one in every stage, one in mid-life, one with closed books.

Everything is done by the services, on the days on which it would have been done: the
business date is moved while the past is played and cleared afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import BusinessClock, User
from auctions.models import Auction
from auctions.services import open_auction, place_bid
from chitfund.business_date import IST, add_months, business_date
from chitfund.demo.people import ADMIN, FOREMAN, SECOND_ADMIN, SUBSCRIBER
from chitfund.money import ZERO
from payments.models import (
    AccountKind,
    LedgerAccount,
    MovementKind,
    PaymentMethod,
    PrizePayout,
)
from payments.services.cash import approve_movement, request_movement
from payments.services.commencement import commence_scheme
from payments.services.payouts import approve_payout, pay_payout
from payments.services.recording import Share, Slip, record_payment
from payments.services.settlement import close_auction
from schemes.models import RecordKind, Scheme
from schemes.services import (
    add_record,
    approve_scheme,
    create_scheme,
    return_scheme,
    submit_scheme,
)
from subscriptions.models import Subscription
from subscriptions.services import enrol

UPI_EVERY = 2


class History:
    """Plays the office's past."""

    def __init__(self, people: dict[str, User]) -> None:
        self.people = people
        self.admin, self.cashier = people[ADMIN], people[SECOND_ADMIN]
        self.foreman = people[FOREMAN]
        self.crowd = [person for email, person in people.items() if email.startswith("subscriber")]
        self.references = 0

    def play(self) -> None:
        """Leave the office as it stands today."""
        today = business_date()
        try:
            self._closed_chit(add_months(today, -6))
            self._running_chit(add_months(today, -5), today)
        finally:
            BusinessClock.objects.all().delete()
        self._stages(today + timedelta(days=30))

    # -- schemes before their first draw -------------------------------------------------

    def _stages(self, start: date) -> None:
        self._draft("Lakshmi Savings 20 x 5,000", start, tickets=20, installment=5000)
        submitted = self._draft("Annapurna Traders 25 x 4,000", start, tickets=25, installment=4000)
        submit_scheme(scheme_id=submitted.pk, actor=self.foreman)
        returned = self._draft("Weavers' Chit 30 x 10,000", start, tickets=30, installment=10000)
        submit_scheme(scheme_id=returned.pk, actor=self.foreman)
        return_scheme(
            scheme_id=returned.pk,
            actor=self.admin,
            reason="The auction day falls on the festival; please choose another.",
        )
        is_open = self._draft("Town Hall Chit 12 x 2,500", start, tickets=12, installment=2500)
        self._sanction(is_open)
        self._enrol(is_open, self.crowd[1:8])
        full = self._draft("Market Street 8 x 12,500", start, tickets=8, installment=12500)
        self._sanction(full)
        self._enrol(full, self.crowd[2:9])
        add_record(
            scheme_id=full.pk,
            actor=self.foreman,
            kind=RecordKind.AGREEMENT,
            number="AGR/2026/118",
            issued_on=business_date(),
            evidence="Registered in duplicate, s.7",
        )

    def _draft(
        self, name: str, start: date, *, tickets: int, installment: int, **terms: Any
    ) -> Scheme:
        return create_scheme(
            foreman=self.foreman,
            name=name,
            monthly_installment=Decimal(installment),
            max_subscribers=tickets,
            duration_months=tickets,
            start_date=start,
            **terms,
        )

    def _sanction(self, scheme: Scheme) -> None:
        submit_scheme(scheme_id=scheme.pk, actor=self.foreman)
        approve_scheme(scheme_id=scheme.pk, actor=self.admin, comment="In order.")

    def _enrol(self, scheme: Scheme, members: Sequence[User]) -> None:
        for member in members:
            enrol(scheme_id=scheme.pk, actor=self.foreman, subscriber_id=member.pk)

    # -- chits that run --------------------------------------------------------------------

    def _start(self, name: str, start: date, members: Sequence[User], **terms: Any) -> Scheme:
        """Take a scheme from draft to its first draw on the days before `start`."""
        move_to(start - timedelta(days=20))
        scheme = self._draft(name, start, **terms)
        self._sanction(scheme)
        self._enrol(scheme, members)
        move_to(start)
        return commence_scheme(scheme_id=scheme.pk, actor=self.admin)

    def _running_chit(self, start: date, today: date) -> None:
        members = [self.people[SUBSCRIBER], *self.crowd[1:9]]
        scheme = self._start(
            "Kaveri Monthly 10 x 10,000", start, members, tickets=10, installment=10000
        )
        for auction in Auction.objects.filter(scheme=scheme).order_by("installment_number"):
            held_on = auction.scheduled_at.astimezone(IST).date()
            if held_on >= today:
                break
            # Two tickets are behind with the latest month, as in any real chit.
            is_latest = add_months(held_on, 1) >= today
            self._month(auction, held_on, late=2 if is_latest else 0, pay_prize=not is_latest)

    def _closed_chit(self, start: date) -> None:
        scheme = self._start(
            "Friends' First Chit 4 x 25,000", start, self.crowd[9:12], tickets=4, installment=25000
        )
        for auction in Auction.objects.filter(scheme=scheme).order_by("installment_number"):
            held_on = auction.scheduled_at.astimezone(IST).date()
            self._month(auction, held_on, late=0, pay_prize=True)
        self._close_books(scheme)

    def _month(self, auction: Auction, held_on: date, *, late: int, pay_prize: bool) -> None:
        move_to(held_on)
        self._collect(auction.scheme, late=late)
        if auction.installment_number != auction.scheme.foreman_installment:
            open_auction(auction_id=auction.pk, actor=self.foreman)
            self._bid(auction)
        close_auction(auction_id=auction.pk, actor=self.foreman)
        if pay_prize:
            self._pay_prize(auction)

    def _collect(self, scheme: Scheme, *, late: int) -> None:
        tickets = Subscription.objects.filter(scheme=scheme, outstanding__gt=0)
        for ticket in list(tickets.order_by("ticket_number"))[: -late or None]:
            self.references += 1
            is_upi = self.references % UPI_EVERY == 0
            slip = (
                Slip(PaymentMethod.UPI, transaction_id=f"UPI{202600000000 + self.references}")
                if is_upi
                else Slip(PaymentMethod.CASH)
            )
            record_payment(
                actor=self.foreman, shares=[Share(ticket.pk, ticket.outstanding)], slip=slip
            )

    def _bid(self, auction: Auction) -> None:
        """Two rivals, a little less eager every month."""
        eager = list(
            Subscription.objects.filter(
                scheme=auction.scheme,
                prized_installment=None,
                oldest_unpaid_due_on=None,
                is_foreman_ticket=False,
            )
            .select_related("subscriber")
            .order_by("-ticket_number")[:2]
        )
        months = auction.scheme.duration_months
        steps = int((auction.max_discount - auction.min_discount) / auction.bid_step)
        top = steps * (months - auction.installment_number) // months
        for offered, ticket in zip((top // 2, top), reversed(eager), strict=False):
            place_bid(
                auction_id=auction.pk,
                subscription_id=ticket.pk,
                discount=auction.min_discount + offered * auction.bid_step,
                actor=ticket.subscriber,
            )

    def _pay_prize(self, auction: Auction) -> None:
        payout = PrizePayout.objects.get(auction=auction)
        approve_payout(payout_id=payout.pk, actor=self.admin, security="Two sureties; bond on file")
        self._cover(auction.scheme, payout.net_amount)
        self.references += 1
        pay_payout(
            payout_id=payout.pk,
            actor=self.foreman,
            method=PaymentMethod.NEFT,
            reference=f"NEFT{202600000000 + self.references}",
        )

    def _cover(self, scheme: Scheme, needed: Decimal) -> None:
        short = needed - self._balance(scheme, AccountKind.CASH)
        if short > 0:
            self._move_cash(scheme, MovementKind.FOREMAN_COVERS, short)

    def _close_books(self, scheme: Scheme) -> None:
        self._collect(scheme, late=0)
        self._move_cash(
            scheme, MovementKind.TAX_PAID, self._balance(scheme, AccountKind.GST_PAYABLE)
        )
        for ticket in Subscription.objects.filter(scheme=scheme, advance__gt=0):
            self._move_cash(scheme, MovementKind.REFUND, ticket.advance, subscription_id=ticket.pk)
        kinds = (AccountKind.COMMISSION, AccountKind.LATE_INTEREST, AccountKind.FOREMAN)
        earned = sum((self._balance(scheme, kind) for kind in kinds), ZERO)
        self._move_cash(scheme, MovementKind.FOREMAN_DRAWS, earned)

    def _balance(self, scheme: Scheme, kind: AccountKind) -> Decimal:
        return LedgerAccount.objects.get(scheme=scheme, kind=kind).balance

    def _move_cash(self, scheme: Scheme, kind: MovementKind, amount: Decimal, **more: Any) -> None:
        if amount == 0:
            return
        self.references += 1
        movement = request_movement(
            scheme_id=scheme.pk,
            actor=self.foreman,
            kind=kind,
            amount=amount,
            reference=f"{kind}-{self.references}",
            **more,
        )
        if kind != MovementKind.FOREMAN_COVERS:
            approve_movement(scheme_id=scheme.pk, movement_id=movement.pk, actor=self.cashier)


def move_to(day: date) -> None:
    """Set the business date while the past is played."""
    BusinessClock.objects.update_or_create(id=1, defaults={"moved_to": day})
