"""Calling and bidding: the schedule of a chit, opening a draw, placing a bid."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from auctions.eligibility import check_eligible
from auctions.lot import new_seed, seed_hash
from auctions.models import Auction, AuctionStatus, Bid
from auctions.outcome import check_discount
from auctions.schedule import auction_dates
from auctions.terms import terms_of
from chitfund.business_date import IST, business_now
from chitfund.exceptions import Conflict, InvalidInput, NotFound, WrongState
from chitfund.money import format_inr
from schemes.models import Scheme
from schemes.services import lock_scheme
from subscriptions.models import Subscription


def schedule_auctions(*, scheme: Scheme, start: date) -> list[Auction]:
    """Create one auction an installment on a locked scheme, the first on or after `start`."""
    terms = terms_of(scheme)
    dates = auction_dates(
        start=start, months=scheme.duration_months, auction_day=scheme.auction_day
    )
    auctions = []
    for number, day in enumerate(dates, start=1):
        opens_at = datetime.combine(day, scheme.auction_time, tzinfo=IST)
        auctions.append(
            Auction(
                scheme=scheme,
                installment_number=number,
                scheduled_at=opens_at,
                opens_at=opens_at,
                closes_at=opens_at + timedelta(minutes=scheme.auction_minutes),
                min_discount=terms.min_discount,
                max_discount=terms.max_discount,
                bid_step=scheme.bid_step,
            )
        )
    return Auction.objects.bulk_create(auctions)


def lock_auction(auction_id: UUID) -> Auction:
    """Lock the scheme, then the auction, and return it. Raises NotFound."""
    scheme_id = Auction.objects.filter(pk=auction_id).values_list("scheme_id", flat=True).first()
    if scheme_id is None:
        raise NotFound("There is no such auction.")
    scheme = lock_scheme(scheme_id)
    auction = Auction.objects.select_for_update(of=("self",), no_key=True).get(pk=auction_id)
    auction.scheme = scheme
    return auction


@transaction.atomic
def open_auction(*, auction_id: UUID, actor: User | None) -> Auction:
    """Open bidding and publish the hash of the lot's seed.

    By hand only on the scheduled business date; by itself (no actor) when its time has come.
    Raises WrongState with what to do instead.
    """
    auction = lock_auction(auction_id)
    now = business_now()
    check_can_be_held(auction, now)
    if auction.installment_number == auction.scheme.foreman_installment:
        raise WrongState(
            f"Installment {auction.installment_number} is the foreman's chit (s.21(1)(a)): "
            "nobody bids. Close it to settle it."
        )
    _keep_to_the_calendar(auction, now, actor)
    auction.move_to(AuctionStatus.OPEN)
    auction.opened_at = now
    auction.closes_at = _closing_time(auction, now)
    auction.opens_at = min(auction.opens_at, now)
    auction.seed = new_seed()
    auction.seed_hash = seed_hash(auction.seed)
    auction.save()
    record_audit_event(
        actor=actor,
        verb="auction.opened",
        target=auction,
        installment_number=auction.installment_number,
        seed_hash=auction.seed_hash,
    )
    return auction


def _keep_to_the_calendar(auction: Auction, now: datetime, actor: User | None) -> None:
    scheduled_on = auction.scheduled_at.astimezone(IST).date()
    if scheduled_on != now.date():
        raise WrongState(
            f"Auction {auction.installment_number} is to be held on {scheduled_on:%d %b %Y}, "
            f"today is {now:%d %b %Y}. Postpone it to another day, or wait.",
            code="not_the_day",
        )
    if actor is None and now < auction.opens_at:
        raise WrongState(f"Auction {auction.installment_number} opens at {auction.opens_at:%H:%M}.")


def _closing_time(auction: Auction, now: datetime) -> datetime:
    """Bidders get the announced end, and never less than the agreed number of minutes."""
    full_length = now + timedelta(minutes=auction.scheme.auction_minutes)
    return max(auction.closes_at, full_length)


def check_can_be_held(auction: Auction, now: datetime) -> None:
    """Raise WrongState unless the scheme runs and every earlier draw is settled."""
    scheme = auction.scheme
    if not scheme.is_running:
        raise WrongState(
            f"{scheme.name} is {scheme.get_status_display().lower()} and without a running "
            "commencement certificate; no draw may be held (s.9)."
        )
    earlier = (
        Auction.objects.filter(scheme=scheme, installment_number__lt=auction.installment_number)
        .exclude(status__in=[AuctionStatus.SETTLED, AuctionStatus.VOID])
        .order_by("installment_number")
        .first()
    )
    if earlier is not None:
        raise WrongState(
            f"Auction {earlier.installment_number} is {earlier.get_status_display().lower()}; "
            "draws are settled in order, so settle that one first.",
            code="earlier_draw_open",
        )


@transaction.atomic
def place_bid(*, auction_id: UUID, subscription_id: UUID, discount: Decimal, actor: User) -> Bid:
    """Offer a discount in rupees for a ticket. The highest wins; there is no withdrawal.

    The holder bids, or the scheme's foreman by proxy. Raises a DomainError that says why a
    bid is refused: below the minimum, above the cap, wrong step, not above the leader, ticket
    prized or in arrears, auction not open.
    """
    auction = lock_auction(auction_id)
    ticket = _bidding_ticket(auction, subscription_id, actor)
    now = business_now()
    if auction.status != AuctionStatus.OPEN or now >= auction.closes_at:
        raise WrongState(
            f"Auction {auction.installment_number} is not open for bids; it is "
            f"{auction.get_status_display().lower()}.",
            code="auction_not_open",
        )
    check_eligible(ticket, on=auction.scheduled_at.astimezone(IST).date())
    check_figure(auction, discount)
    _check_against_leader(auction, ticket, discount)
    bid = Bid.objects.create(
        auction=auction,
        subscription=ticket,
        discount=discount,
        is_proxy=ticket.subscriber_id != actor.pk,
        placed_by=actor,
        placed_at=now,
    )
    if auction.leading_discount is None or discount > auction.leading_discount:
        auction.leading_discount = discount
        auction.leading_subscription = ticket
        auction.save(update_fields=["leading_discount", "leading_subscription", "updated_at"])
    record_audit_event(
        actor=actor,
        verb="bid.placed",
        target=bid,
        auction=str(auction.pk),
        ticket=ticket.ticket_number,
        discount=str(discount),
    )
    return bid


def _bidding_ticket(auction: Auction, subscription_id: UUID, actor: User) -> Subscription:
    ticket = (
        Subscription.objects.select_related("subscriber")
        .filter(pk=subscription_id, scheme_id=auction.scheme_id)
        .first()
    )
    is_foreman = auction.scheme.foreman_id == actor.pk
    if ticket is None or not (is_foreman or ticket.subscriber_id == actor.pk):
        raise NotFound("There is no such ticket of yours in this scheme.")
    return ticket


def check_figure(auction: Auction, discount: Decimal) -> None:
    """Raise InvalidInput for a discount that is out of bounds or off the bidding steps."""
    check_discount(terms_of(auction.scheme), discount)
    is_bound = discount in (auction.min_discount, auction.max_discount)
    if not is_bound and discount % auction.bid_step != 0:
        raise InvalidInput.on(
            "discount",
            f"Bids are multiples of {format_inr(auction.bid_step)}, or exactly the minimum of "
            f"{format_inr(auction.min_discount)} or the maximum of "
            f"{format_inr(auction.max_discount)}.",
            code="wrong_step",
        )


def _check_against_leader(auction: Auction, ticket: Subscription, discount: Decimal) -> None:
    leading, cap = auction.leading_discount, auction.max_discount
    if leading is None:
        return
    if auction.leading_subscription_id == ticket.pk and leading < cap:
        raise Conflict(
            f"Ticket {ticket.ticket_number} is already leading; it cannot raise against itself.",
            code="already_leading",
        )
    if discount == cap:
        if Bid.objects.filter(auction=auction, subscription=ticket, discount=cap).exists():
            raise Conflict(
                f"Ticket {ticket.ticket_number} has already bid the maximum.", code="already_at_cap"
            )
        return
    if discount <= leading:
        raise Conflict(
            f"The leading bid is {format_inr(leading)}; offer more, up to {format_inr(cap)}.",
            code="not_above_leader",
        )
