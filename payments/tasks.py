"""Draws that open and close on time, by themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from celery import shared_task
from django.db import OperationalError, transaction

from auctions.models import Auction, AuctionStatus
from auctions.services import open_auction
from chitfund.business_date import business_now
from chitfund.doorbell import TracedTask
from chitfund.exceptions import DomainError
from payments.services.postponement import postpone_missed_auction
from payments.services.settlement import close_auction
from payments.services.winners import is_foremans
from schemes.models import SchemeStatus

logger = logging.getLogger("chitfund.payments")


@shared_task(
    name="payments.hold_auctions_on_time",
    base=TracedTask,
    acks_late=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=3,
)
def hold_auctions_on_time() -> dict[str, int]:
    """Every minute: open what is due, settle what has ended, move what missed its day.

    Safe to run twice and at once: each draw is locked, and its status decides.
    """
    opened = _each(_ids_to_open(), _open_or_settle)
    closed = _each(_ids_to_close(), lambda pk: close_auction(auction_id=pk, actor=None))
    return {"opened": opened, "closed": closed}


def _ids_to_open() -> list[UUID]:
    return list(
        Auction.objects.filter(
            status=AuctionStatus.SCHEDULED,
            opens_at__lte=business_now(),
            scheme__status=SchemeStatus.ACTIVE,
        )
        .order_by("scheme_id", "installment_number")
        .values_list("pk", flat=True)
    )


def _ids_to_close() -> list[UUID]:
    return list(
        Auction.objects.filter(status=AuctionStatus.OPEN, closes_at__lte=business_now())
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _open_or_settle(auction_id: UUID) -> None:
    auction = Auction.objects.select_related("scheme").get(pk=auction_id)
    if is_foremans(auction):
        close_auction(auction_id=auction_id, actor=None)
    elif not postpone_missed_auction(auction_id=auction_id):
        open_auction(auction_id=auction_id, actor=None)


def _each(ids: list[UUID], work: Callable[[UUID], object]) -> int:
    """Do each draw in a transaction of its own: one that cannot be held stops no other.

    One that breaks is an error in the log and is tried again in a minute.
    """
    done = 0
    for pk in ids:
        try:
            with transaction.atomic():
                work(pk)
        except DomainError as exc:
            logger.info(
                "draw waits",
                extra={"action": "auction.waits", "auction_id": pk, "reason_code": exc.code},
            )
        except Exception as exc:
            logger.exception(
                "draw failed",
                extra={
                    "action": "auction.failed",
                    "auction_id": pk,
                    "reason_code": type(exc).__name__,
                },
            )
        else:
            done += 1
    return done
