"""Commencing a chit: certificate, foreman's ticket, schedule, books, first installment (s.9)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import KycStatus, User, UserStatus
from auctions.models import Auction
from auctions.services import schedule_auctions
from chitfund.business_date import IST, business_date
from chitfund.exceptions import NotAllowed, WrongState
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.services.books import Books, holding_tickets, open_accounts
from payments.services.passbook import passbooks
from payments.services.raising import raise_installment
from schemes.models import Scheme, SchemeStatus
from schemes.services import lock_scheme, mark_commenced
from subscriptions.models import HOLDING, Subscription
from subscriptions.services import create_foreman_ticket


@transaction.atomic
def commence_scheme(
    *, scheme_id: UUID, actor: User, certificate_number: str | None = None
) -> Scheme:
    """Start a chit whose every ticket is taken; its auctions and first dues exist afterwards.

    A start date that has passed moves to today: s.6 calls it probable, and no draw may be held
    before the certificate. Raises WrongState naming what is still missing.
    """
    scheme = lock_scheme(scheme_id)
    if scheme.foreman_id == actor.pk:
        raise NotAllowed("Nobody commences their own scheme; ask another administrator.")
    _check_ready(scheme)
    today = business_date()
    if scheme.foreman_installment is not None:
        create_foreman_ticket(scheme=scheme, actor=actor)
    start = max(scheme.start_date, today)
    mark_commenced(
        scheme=scheme,
        actor=actor,
        certificate_number=certificate_number,
        on=today,
        start_date=start,
    )
    auctions = schedule_auctions(scheme=scheme, start=start)
    scheme.next_auction_at = auctions[0].opens_at
    scheme.save(update_fields=["next_auction_at", "updated_at"])
    _open_the_books(scheme, today)
    record_audit_event(
        actor=actor,
        verb="scheme.commenced",
        target=scheme,
        first_auction_on=str(auctions[0].scheduled_at.astimezone(IST).date()),
    )
    _tell_everybody(scheme, auctions[0])
    return scheme


def _check_ready(scheme: Scheme) -> None:
    if scheme.status != SchemeStatus.ACTIVE or scheme.commenced_on is not None:
        stands = (
            "has already commenced"
            if scheme.commenced_on is not None
            else f"is {scheme.get_status_display().lower()}"
        )
        raise WrongState(f"{scheme.name} {stands}; only a sanctioned scheme can commence, once.")
    if scheme.seats_left > 0:
        raise WrongState(
            f"{scheme.seats_left} of {scheme.max_subscribers} tickets are still free; a chit "
            "commences when all are taken (s.9).",
            code="tickets_free",
        )
    _check_people(scheme)


def _check_people(scheme: Scheme) -> None:
    """Raise WrongState where somebody who signed the agreement is no longer in good standing."""
    if not scheme.foreman.is_active:
        raise WrongState(f"The foreman of {scheme.name} is suspended; nothing can commence.")
    holders = Subscription.objects.filter(scheme=scheme, status__in=HOLDING)
    fallen = holders.exclude(
        subscriber__status=UserStatus.ACTIVE, subscriber__kyc_status=KycStatus.VERIFIED
    ).values_list("ticket_number", flat=True)
    if fallen:
        numbers = ", ".join(str(number) for number in sorted(fallen))
        raise WrongState(
            f"Tickets whose holder is suspended or no longer KYC-verified: {numbers}. Withdraw "
            "them or put them in order first.",
            code="holder_not_in_order",
        )


def _open_the_books(scheme: Scheme, on: date) -> None:
    open_accounts(scheme)
    books = Books(scheme, on=on)
    pages = passbooks(books, holding_tickets(scheme))
    raise_installment(books, pages, 1)
    for page in pages.values():
        page.summarise()
    books.save()


def _tell_everybody(scheme: Scheme, first: Auction) -> None:
    day = first.scheduled_at.astimezone(IST).date()
    for ticket in holding_tickets(scheme):
        notify(
            recipient_id=ticket.subscriber_id,
            event=NotificationEvent.SCHEME_COMMENCED,
            scheme=scheme.name,
            first_auction_on=day,
            ticket=str(ticket.ticket_number),
        )
