"""Who wins a draw, and how it was found: bids, lots, the foreman, a recorded auction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from auctions.eligibility import eligible_tickets, unprized_tickets
from auctions.lot import draw, new_seed, seed_hash
from auctions.models import Auction, AuctionStatus, Bid, Method
from auctions.services import check_figure
from auctions.terms import terms_of
from chitfund.business_date import IST
from chitfund.exceptions import InvalidInput, NotFound, WrongState
from chitfund.money import ZERO, format_inr
from subscriptions.models import Subscription

QUORUM = 2  # subscribers present at a draw, s.16


@dataclass(frozen=True)
class Result:
    """Who won a draw, how, and at which discount in rupees."""

    winner: Subscription
    method: Method
    discount: Decimal
    lot_tickets: Sequence[int] = ()


def is_foremans(auction: Auction) -> bool:
    """Tell whether a draw is the foreman's own installment (s.21(1)(a))."""
    return auction.installment_number == auction.scheme.foreman_installment


def scheduled_on(auction: Auction) -> date:
    """Return the day in India on which a draw is to be held."""
    return auction.scheduled_at.astimezone(IST).date()


def foremans_result(auction: Auction, *, today: date) -> Result:
    """Return the foreman's own ticket as winner. Raises WrongState before its day."""
    if auction.status not in (AuctionStatus.SCHEDULED, AuctionStatus.POSTPONED):
        raise WrongState(
            f"Installment {auction.installment_number} is {auction.get_status_display().lower()}."
        )
    if today < scheduled_on(auction):
        raise WrongState(f"The foreman's chit is taken on {scheduled_on(auction):%d %b %Y}.")
    ticket = Subscription.objects.get(scheme_id=auction.scheme_id, is_foreman_ticket=True)
    return Result(ticket, Method.FOREMAN, ZERO)


def find_winner(auction: Auction) -> Result | None:
    """Return the result of an open auction, or None where nobody is eligible.

    Who is eligible is asked as of the day of the draw, however late it is closed. The highest
    bid of a ticket that still is wins: one whose payment was reversed, or whose holder was
    suspended, while bidding was open, does not. Several at the maximum are decided by lot
    (s.6(4)). Without bids a sole eligible ticket, or a lot, goes at the uncontested discount.
    """
    eligible = list(eligible_tickets(auction, on=scheduled_on(auction)))
    uncontested = terms_of(auction.scheme).uncontested_discount
    if not eligible:
        return None
    if len(eligible) == 1 and not _others_have_bid(auction, eligible[0]):
        return Result(eligible[0], Method.SOLE_TICKET, uncontested)
    discount, best = _best_bids(auction, eligible)
    if not best:
        return _by_lot(auction, eligible, Method.LOT_NO_BID, uncontested)
    if len(best) > 1:
        return _by_lot(auction, best, Method.LOT_AT_CAP, discount)
    return Result(best[0], Method.BID, discount)


def _others_have_bid(auction: Auction, ticket: Subscription) -> bool:
    return Bid.objects.filter(auction=auction).exclude(subscription=ticket).exists()


def _best_bids(
    auction: Auction, eligible: Sequence[Subscription]
) -> tuple[Decimal, list[Subscription]]:
    """Return the highest discount that eligible tickets bid, and who bid it."""
    bids = list(
        Bid.objects.filter(auction=auction, subscription__in=eligible).values_list(
            "subscription_id", "discount"
        )
    )
    discount = max((amount for _, amount in bids), default=ZERO)
    leaders = {ticket_id for ticket_id, amount in bids if amount == discount}
    return discount, [ticket for ticket in eligible if ticket.pk in leaders]


def _by_lot(
    auction: Auction, tickets: Sequence[Subscription], method: Method, discount: Decimal
) -> Result:
    """Draw with the seed whose hash was published at the opening."""
    numbers = [ticket.ticket_number for ticket in tickets]
    drawn = draw(seed=auction.seed, purpose=str(auction.pk), tickets=numbers)
    winner = next(ticket for ticket in tickets if ticket.ticket_number == drawn)
    return Result(winner, method, discount, numbers)


def winner_among_arrears(auction: Auction, *, today: date) -> Result:
    """Draw a lot among all unprized tickets of a postponed draw, by an administrator's order.

    A seed whose hash was published at the opening is used; without an opening one is made
    now. Raises WrongState where an ordinary draw is possible again, or nobody is left.
    """
    if is_foremans(auction):
        raise WrongState("This installment is the foreman's chit; close it instead.")
    if auction.status != AuctionStatus.POSTPONED:
        raise WrongState("Only a postponed draw can be ordered among tickets in arrears.")
    if eligible_tickets(auction, on=today).exists():
        raise WrongState("Some ticket is eligible again; set a new date for the auction instead.")
    tickets = list(unprized_tickets(auction))
    if not tickets:
        raise WrongState(
            "No unprized ticket is left whose holder is active and KYC-verified. Activate or "
            "verify a holder first."
        )
    if not auction.seed_hash:
        auction.seed = new_seed()
        auction.seed_hash = seed_hash(auction.seed)
    auction.is_among_arrears = True
    uncontested = terms_of(auction.scheme).uncontested_discount
    return _by_lot(auction, tickets, Method.LOT_NO_BID, uncontested)


def check_recordable(auction: Auction, *, today: date) -> None:
    """Raise WrongState unless the result of a draw held in a room may be entered now."""
    if is_foremans(auction):
        raise WrongState("This installment is the foreman's chit; close it instead.")
    if auction.status not in (AuctionStatus.SCHEDULED, AuctionStatus.OPEN):
        raise WrongState(
            f"Auction {auction.installment_number} is {auction.get_status_display().lower()}; "
            "its result cannot be recorded."
        )
    if Bid.objects.filter(auction=auction).exists():
        raise WrongState("Bids were placed in this auction; close it instead of recording it.")
    if today < scheduled_on(auction):
        raise WrongState(f"This auction is on {scheduled_on(auction):%d %b %Y}; record it then.")


def recorded_ticket(auction: Auction, subscription_id: UUID) -> Subscription:
    """Return the ticket that won in the room. Raises NotFound."""
    ticket = (
        Subscription.objects.select_related("subscriber")
        .filter(pk=subscription_id, scheme_id=auction.scheme_id)
        .first()
    )
    if ticket is None:
        raise NotFound("There is no such ticket in this scheme.")
    return ticket


def check_recorded_figure(auction: Auction, discount: Decimal, method: Method) -> None:
    """Raise InvalidInput where the recorded discount is not one that the method can bring."""
    expected = {
        Method.LOT_AT_CAP: auction.max_discount,
        Method.LOT_NO_BID: terms_of(auction.scheme).uncontested_discount,
    }.get(method)
    if expected is None:
        check_figure(auction, discount)
    elif discount != expected:
        raise InvalidInput.on("discount", f"By this method the discount is {format_inr(expected)}.")


def check_quorum(attendance: Sequence[str]) -> None:
    """Raise InvalidInput where fewer than two subscribers were present (s.16)."""
    if len({name.strip() for name in attendance}) < QUORUM:
        raise InvalidInput.on(
            "attendance", "Name at least two subscribers who were present (s.16)."
        )
