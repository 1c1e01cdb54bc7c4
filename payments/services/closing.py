"""Closing the books of a chit when the last draw is settled and every account is at zero."""

from __future__ import annotations

from django.db.models import F

from accounts.models import User
from auctions.models import Auction, AuctionStatus
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import LedgerAccount
from payments.services.books import holding_tickets
from payments.services.dividends import share_late_forfeits
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
    open_draws = Auction.objects.filter(scheme=scheme).exclude(
        status__in=[AuctionStatus.SETTLED, AuctionStatus.VOID]
    )
    open_accounts = LedgerAccount.objects.filter(scheme=scheme).exclude(debits=F("credits"))
    if open_draws.exists() or open_accounts.exists():
        return False
    tickets = holding_tickets(scheme)
    for ticket in tickets:
        ticket.move_to(SubscriptionStatus.COMPLETED)
    Subscription.objects.bulk_update(tickets, ["status"])
    mark_completed(scheme=scheme, actor=actor)
    for recipient in sorted({ticket.subscriber_id for ticket in tickets} | {scheme.foreman_id}):
        notify(recipient_id=recipient, event=NotificationEvent.SCHEME_COMPLETED, scheme=scheme.name)
    return True
