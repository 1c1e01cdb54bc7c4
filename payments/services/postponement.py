"""Moving a draw to another day: holidays, a failed quorum, nobody eligible."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from auctions.models import Auction, AuctionStatus
from auctions.services import lock_auction
from chitfund.business_date import IST, business_now
from chitfund.exceptions import InvalidInput, WrongState
from notifications.models import NotificationEvent
from notifications.services import notify_many
from payments.services.books import Books, holding_tickets
from payments.services.passbook import passbooks
from payments.services.raising import move_due_day
from schemes.models import Scheme

MISSED = "The office did not hold this draw on its day; its foreman sets a new one."
LONGEST_DELAY = timedelta(days=366)


@transaction.atomic
def postpone_auction(
    *, auction_id: UUID, actor: User | None, reason: str, scheduled_at: datetime | None = None
) -> Auction:
    """Move a draw to another day, or leave it without one until a day is set.

    An installment that is raised already becomes due on the new day: nobody is late before
    the draw. Raises WrongState once bids were placed or the draw is settled.
    """
    return _postpone(lock_auction(auction_id), actor, reason, scheduled_at)


@transaction.atomic
def postpone_missed_auction(*, auction_id: UUID) -> bool:
    """Leave a draw that nobody held on its day to its foreman; return whether it was so.

    Asked again under the lock: the foreman may have set a new day meanwhile.
    """
    auction = lock_auction(auction_id)
    is_missed = auction.scheduled_at.astimezone(IST).date() < business_now().date()
    if auction.status != AuctionStatus.SCHEDULED or not is_missed:
        return False
    _postpone(auction, None, MISSED, None)
    return True


def _postpone(
    auction: Auction, actor: User | None, reason: str, scheduled_at: datetime | None
) -> Auction:
    _check_movable(auction)
    if scheduled_at is None:
        auction.move_to(AuctionStatus.POSTPONED)
    else:
        _give_day(auction, scheduled_at)
    auction.postponement_reason = reason
    auction.save()
    record_audit_event(
        actor=actor,
        verb="auction.postponed",
        target=auction,
        reason=reason,
        scheduled_at=scheduled_at.isoformat() if scheduled_at else "",
    )
    if scheduled_at is not None:
        _move_due_day(
            auction.scheme, auction.installment_number, scheduled_at.astimezone(IST).date()
        )
    _move_next_auction(auction)
    if scheduled_at is None:
        tell_of_postponement(auction, reason)
    else:
        _tell_the_new_day(auction, reason)
    return auction


def _check_movable(auction: Auction) -> None:
    movable = (AuctionStatus.SCHEDULED, AuctionStatus.OPEN, AuctionStatus.POSTPONED)
    if auction.status not in movable:
        raise WrongState(
            f"Auction {auction.installment_number} is {auction.get_status_display().lower()} "
            "and cannot be moved."
        )
    if auction.bids.exists():
        raise WrongState("Bids were placed in this auction; close it instead of moving it.")


def _give_day(auction: Auction, scheduled_at: datetime) -> None:
    now = business_now()
    if not now < scheduled_at <= now + LONGEST_DELAY:
        raise InvalidInput.on(
            "scheduled_at",
            f"Set a time in the future, by {now + LONGEST_DELAY:%d %b %Y} at the latest.",
        )
    later_days = Auction.objects.filter(
        scheme=auction.scheme, installment_number__lt=auction.installment_number
    ).filter(scheduled_at__gt=scheduled_at)
    if later_days.exists():
        raise InvalidInput.on("scheduled_at", "A draw is not held before an earlier one.")
    if auction.status == AuctionStatus.OPEN:
        auction.move_to(AuctionStatus.POSTPONED)
    if auction.status == AuctionStatus.POSTPONED:
        auction.move_to(AuctionStatus.SCHEDULED)
    auction.scheduled_at = auction.opens_at = scheduled_at
    auction.closes_at = scheduled_at + timedelta(minutes=auction.scheme.auction_minutes)
    auction.opened_at = None
    auction.leading_discount = auction.leading_subscription = None
    # A published hash is revealed only with a settled draw; a new opening publishes a new one.
    auction.seed = auction.seed_hash = ""


def _move_due_day(scheme: Scheme, number: int, day: date) -> None:
    if not move_due_day(scheme, number, day):
        return
    books = Books(scheme)
    for page in passbooks(books, holding_tickets(scheme)).values():
        page.summarise()
    books.save()


def _move_next_auction(auction: Auction) -> None:
    scheme = auction.scheme
    scheme.next_auction_at = (
        Auction.objects.filter(scheme=scheme)
        .exclude(status__in=[AuctionStatus.SETTLED, AuctionStatus.VOID])
        .order_by("installment_number")
        .values_list("opens_at", flat=True)
        .first()
    )
    scheme.save(update_fields=["next_auction_at", "updated_at"])


def tell_of_postponement(auction: Auction, reason: str) -> None:
    """Tell holders and foreman that a draw waits for a day."""
    notify_many(
        recipients=_everybody(auction),
        event=NotificationEvent.AUCTION_POSTPONED,
        scheme=auction.scheme.name,
        installment_number=auction.installment_number,
        reason=reason,
    )


def _tell_the_new_day(auction: Auction, reason: str) -> None:
    notify_many(
        recipients=_everybody(auction),
        event=NotificationEvent.AUCTION_MOVED,
        scheme=auction.scheme.name,
        installment_number=auction.installment_number,
        opens_at=auction.opens_at,
        reason=reason,
    )


def _everybody(auction: Auction) -> list[UUID]:
    holders = {ticket.subscriber_id for ticket in holding_tickets(auction.scheme)}
    return sorted(holders | {auction.scheme.foreman_id})
