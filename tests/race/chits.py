"""Chits in the state that a race needs, made many at a time.

Terms are small: installments of 1,000 rupees, no foreman's ticket, so that every ticket is one
that somebody bids with and pays for.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from auctions.models import Auction
from auctions.services import open_auction
from chitfund.business_date import IST, business_date, business_now, end_date
from payments.models import MovementKind, PaymentMethod, PrizePayout
from payments.services.cash import request_movement
from payments.services.commencement import commence_scheme
from payments.services.recording import Share, Slip, record_payment
from payments.services.settlement import record_auction
from schemes.models import Scheme, SchemeStatus
from subscriptions.models import Subscription

INSTALLMENT = Decimal("1000.00")
numbers = itertools.count(1)


def people(count: int) -> list[User]:
    """Return subscribers who may hold tickets."""
    return UserFactory.create_batch(count, kyc_verified=True)


def foreman() -> User:
    return ForemanFactory.create()


def administrators(count: int) -> list[User]:
    return AdminFactory.create_batch(count)


@transaction.atomic
def schemes(
    count: int,
    *,
    foreman: User,
    tickets: int,
    status: SchemeStatus,
    holders: Sequence[User] = (),
) -> list[Scheme]:
    """Create schemes of one size in one status; each holder has one ticket of each of them."""
    start = business_date()
    approval: dict[str, Any] = {}
    if status not in (SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL):
        approval = {"approved_by": AdminFactory.create(), "approved_at": timezone.now()}
    if status == SchemeStatus.COMPLETED:
        approval |= {"commenced_on": start, "completed_at": timezone.now()}
    created = Scheme.objects.bulk_create(
        Scheme(
            foreman=foreman,
            name=f"Chit {next(numbers)}",
            monthly_installment=INSTALLMENT,
            max_subscribers=tickets,
            duration_months=tickets,
            total_amount=INSTALLMENT * tickets,
            start_date=start,
            end_date=end_date(start, tickets),
            auction_day=start.day,
            auction_time=time(0, 0),
            bid_step=Decimal(10),
            foreman_installment=None,
            current_subscribers=len(holders),
            status=status,
            **approval,
        )
        for _ in range(count)
    )
    Subscription.objects.bulk_create(
        Subscription(
            scheme=scheme,
            subscriber=holder,
            ticket_number=number,
            join_date=start,
            enrolled_by=holder,
        )
        for scheme in created
        for number, holder in enumerate(holders, start=1)
    )
    return created


def with_one_seat_left(count: int, *, tickets: int = 3) -> list[Scheme]:
    """Create schemes that are open for enrolment and lack one subscriber."""
    return schemes(
        count,
        foreman=foreman(),
        tickets=tickets,
        status=SchemeStatus.ACTIVE,
        holders=people(tickets - 1),
    )


def running(count: int, *, holders: Sequence[User], foreman: User, actor: User) -> list[Scheme]:
    """Create chits of these people that have commenced today; the first draw is today."""
    full = schemes(
        count,
        foreman=foreman,
        tickets=len(holders),
        status=SchemeStatus.ACTIVE,
        holders=holders,
    )
    return [commence_scheme(scheme_id=scheme.pk, actor=actor) for scheme in full]


def tickets_of(scheme: Scheme) -> list[Subscription]:
    return list(
        Subscription.objects.filter(scheme=scheme)
        .select_related("subscriber")
        .order_by("ticket_number")
    )


def bring_to_today(*schemes: Scheme, number: int | None = None) -> None:
    """Let a draw, or without a number all draws, of chits be held today."""
    today = datetime.combine(business_date(), time(0, 0), tzinfo=IST)
    draws = Auction.objects.filter(scheme__in=schemes)
    if number is not None:
        draws = draws.filter(installment_number=number)
    draws.update(scheduled_at=today, opens_at=today, closes_at=today + timedelta(days=2))


def open_draw(scheme: Scheme, number: int, *, actor: User) -> Auction:
    """Open bidding in a draw, today."""
    bring_to_today(scheme, number=number)
    auction = Auction.objects.get(scheme=scheme, installment_number=number)
    return open_auction(auction_id=auction.pk, actor=actor)


def end_bidding_in(auction: Auction, seconds: float) -> None:
    """Move the end of bidding to a moment from now."""
    soon = business_now() + timedelta(seconds=seconds)
    Auction.objects.filter(pk=auction.pk).update(closes_at=soon)


def with_prize_to_pay(scheme: Scheme, *, actor: User, number: int = 1) -> PrizePayout:
    """Hold a draw in the room for the ticket of that number, and return the prize it brought."""
    bring_to_today(scheme, number=number)
    auction = Auction.objects.get(scheme=scheme, installment_number=number)
    winner = Subscription.objects.get(scheme=scheme, ticket_number=number)
    record_auction(
        auction_id=auction.pk,
        actor=actor,
        subscription_id=winner.pk,
        discount=auction.min_discount + auction.bid_step * 10,
        attendance=["Ticket 1", "Ticket 2"],
    )
    return PrizePayout.objects.get(auction=auction)


def pay_in(scheme: Scheme, *, actor: User, amount: Decimal) -> None:
    """Take in the same sum of cash for every ticket."""
    for ticket in tickets_of(scheme):
        record_payment(
            actor=actor,
            shares=[Share(ticket.pk, amount)],
            slip=Slip(method=PaymentMethod.CASH),
        )


def cover(scheme: Scheme, *, actor: User, amount: Decimal, reference: str) -> None:
    """Have the foreman put cash into a chit."""
    request_movement(
        scheme_id=scheme.pk,
        actor=actor,
        kind=MovementKind.FOREMAN_COVERS,
        amount=amount,
        reference=reference,
    )
