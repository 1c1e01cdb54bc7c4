"""Closing the books of a chit when the last draw is settled and every account is at zero."""

from __future__ import annotations

from django.db.models import F

from accounts.models import User
from auctions.models import Auction, AuctionStatus
from notifications.models import NotificationEvent
from notifications.services import notify_many
from payments.models import LedgerAccount, PayoutStatus, PrizePayout
from payments.services.books import holding_tickets
from payments.services.dividends import share_late_forfeits
from payments.services.income import settle_income
from schemes.models import Scheme
from schemes.services import mark_completed
from subscriptions.models import Subscription, SubscriptionStatus


def close_books_if_done(scheme: Scheme, *, actor: User | None) -> bool:
    """Complete a locked scheme whose every draw is settled and every account is at zero.

    Called after every movement of money, so a chit closes itself with the last rupee. What was
    forfeited when no draw follows is shared first.
    """
    if not scheme.is_running or scheme.next_auction_at is not None:
        return False
    share_late_forfeits(scheme)
    if _is_undecided(scheme):
        return False
    settle_income(scheme)
    if LedgerAccount.objects.filter(scheme=scheme).exclude(debits=F("credits")).exists():
        return False
    tickets = holding_tickets(scheme)
    for ticket in tickets:
        ticket.move_to(SubscriptionStatus.COMPLETED)
    Subscription.objects.bulk_update(tickets, ["status"])
    mark_completed(scheme=scheme, actor=actor)
    notify_many(
        recipients=sorted({ticket.subscriber_id for ticket in tickets} | {scheme.foreman_id}),
        event=NotificationEvent.SCHEME_COMPLETED,
        scheme=scheme.name,
    )
    return True


def _is_undecided(scheme: Scheme) -> bool:
    """Tell whether a draw is not settled yet, or a prize not paid, were it of nothing."""
    draws = Auction.objects.filter(scheme=scheme).exclude(
        status__in=[AuctionStatus.SETTLED, AuctionStatus.VOID]
    )
    prizes = PrizePayout.objects.filter(scheme=scheme).exclude(status=PayoutStatus.PAID)
    return draws.exists() or prizes.exists()
