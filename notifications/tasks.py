"""Sending, in the background. Each task is rung with ids, and swept by beat without."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import OperationalError

from chitfund.doorbell import TracedTask
from notifications import account_mails, codes, deliveries

logger = logging.getLogger("chitfund.notifications")

RETRIED = {
    "base": TracedTask,
    "acks_late": True,
    "autoretry_for": (OperationalError,),
    "retry_backoff": True,
    "max_retries": 5,
}


@shared_task(name="notifications.deliver", **RETRIED)
def deliver(*delivery_ids: str) -> int:
    """Send these deliveries, or without ids whatever is due. Safe to run twice at once."""
    return _told("deliveries.sent", deliveries.deliver(delivery_ids or None))


@shared_task(name="notifications.send_account_mails", **RETRIED)
def send_account_mails(*mail_ids: str) -> int:
    """Send these account mails, or without ids whatever is due. Safe to run twice at once."""
    return _told("account_mails.sent", account_mails.send_account_mails(mail_ids or None))


@shared_task(name="notifications.send_one_time_codes", **RETRIED)
def send_one_time_codes(*code_ids: str) -> int:
    """Send these one-time codes, or without ids whatever is due. Safe to run twice at once."""
    return _told("one_time_codes.sent", codes.send_one_time_codes(code_ids or None))


def _told(action: str, count: int) -> int:
    """Log what was sent; a sweep that found nothing says nothing."""
    if count:
        logger.info("sent", extra={"action": action, "count": count})
    return count
