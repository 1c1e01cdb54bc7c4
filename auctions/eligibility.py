"""Which tickets may bid or enter a lot, and why the others may not (design.md 5.4)."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from accounts.models import KycStatus, UserStatus
from auctions.models import Auction
from chitfund.exceptions import DomainError, NotAllowed, WrongState
from subscriptions.models import Subscription, SubscriptionStatus


def unprized_tickets(auction: Auction) -> QuerySet[Subscription]:
    """Return the active tickets of the scheme that may still win, whoever has paid.

    The foreman's is not among them: it takes its own installment (s.21(1)(a)).
    """
    return Subscription.objects.filter(
        scheme_id=auction.scheme_id,
        status=SubscriptionStatus.ACTIVE,
        prized_installment=None,
        is_foreman_ticket=False,
        subscriber__status=UserStatus.ACTIVE,
        subscriber__kyc_status=KycStatus.VERIFIED,
    ).order_by("ticket_number")


def eligible_tickets(auction: Auction, *, on: date) -> QuerySet[Subscription]:
    """Return the tickets that may bid: active, not prized, not in arrears, holder in order."""
    has_paid = Q(oldest_unpaid_due_on=None) | Q(oldest_unpaid_due_on__gte=on)
    return unprized_tickets(auction).filter(has_paid)


def check_eligible(ticket: Subscription, *, on: date) -> None:
    """Raise with the reason why this ticket may not bid, and what would change it."""
    if refusal := _refusal(ticket, on):
        raise refusal


def _refusal(ticket: Subscription, on: date) -> DomainError | None:
    return _refused_for_its_state(ticket) or _refused_for_arrears(ticket, on) or _holder(ticket)


def _refused_for_its_state(ticket: Subscription) -> DomainError | None:
    number = ticket.ticket_number
    if ticket.is_foreman_ticket:
        return NotAllowed("The foreman's ticket takes its own installment and does not bid.")
    if ticket.is_prized:
        won = ticket.prized_installment
        return WrongState(f"Ticket {number} was prized in installment {won}.", code="prized")
    if ticket.status == SubscriptionStatus.DEFAULTED:
        return WrongState(
            f"Ticket {number} is in default (s.2(k)); it may bid again once it is cured.",
            code="in_default",
        )
    if ticket.status != SubscriptionStatus.ACTIVE:
        return WrongState(f"Ticket {number} is {ticket.get_status_display().lower()}.")
    return None


def _refused_for_arrears(ticket: Subscription, on: date) -> DomainError | None:
    if ticket.oldest_unpaid_due_on is not None and ticket.oldest_unpaid_due_on < on:
        return WrongState(
            f"Ticket {ticket.ticket_number} is in arrears since "
            f"{ticket.oldest_unpaid_due_on:%d %b %Y}; pay its dues before bidding. A cheque "
            "counts when it is cleared.",
            code="in_arrears",
        )
    return None


def _holder(ticket: Subscription) -> DomainError | None:
    number, holder = ticket.ticket_number, ticket.subscriber
    if not holder.is_active:
        return NotAllowed(
            f"The holder of ticket {number} is {holder.get_status_display().lower()}."
        )
    if not holder.is_kyc_verified:
        return NotAllowed(f"The holder of ticket {number} needs a verified KYC document to bid.")
    return None
