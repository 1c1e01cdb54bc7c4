"""The minutes of a draw (s.17), put together from what was recorded."""

from __future__ import annotations

from typing import Any

from auctions.models import Auction, AuctionStatus, Bid
from subscriptions.models import Subscription

LOT_RULE = (
    "SHA-256 of `seed:auction id:counter`, counter from 0, read as a big-endian number; the first "
    "one below the largest multiple of the number of tickets decides by its remainder, tickets in "
    "ascending order. SHA-256 of the seed's text is the seed hash published at the opening."
)


def minutes_of(auction: Auction) -> dict[str, Any]:
    """Return what happened in a draw, in the order in which it happened."""
    bids = Bid.objects.filter(auction=auction).select_related("subscription").order_by("id")
    winner = auction.winner
    is_over = auction.status == AuctionStatus.SETTLED
    return {
        "scheme": auction.scheme.name,
        "installment_number": auction.installment_number,
        "status": auction.status,
        "began_at": auction.opened_at or auction.settled_at,
        "ended_at": auction.closed_at,
        "closed_by": auction.closed_by.role if auction.closed_by else "",
        "is_closed_early": _is_closed_early(auction),
        "present": auction.attendance or _bidders(bids),
        "bids": bids,
        "method": auction.method,
        "winner": None if winner is None else {"ticket_number": winner.ticket_number},
        "discount": auction.discount,
        "prize_amount": auction.prize_amount,
        "seed_hash": auction.seed_hash,
        "seed": auction.seed if is_over else "",
        "lot_tickets": auction.lot_tickets,
        "lot_rule": LOT_RULE if auction.lot_tickets else "",
        "rules": auction.rules,
    }


def _is_closed_early(auction: Auction) -> bool:
    """Tell whether bidding was ended by hand before its announced end."""
    was_open = auction.opened_at is not None and auction.closed_at is not None
    return was_open and auction.closed_at < auction.closes_at  # type: ignore[operator]


def _bidders(bids: Any) -> list[str]:
    """Who took part online: the tickets that bid."""
    tickets: list[Subscription] = [bid.subscription for bid in bids]
    numbers = sorted({ticket.ticket_number for ticket in tickets})
    return [f"Ticket {number}" for number in numbers]
