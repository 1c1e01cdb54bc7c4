"""Send what people were told: each delivery is claimed, sent, and marked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from smtplib import SMTPException
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import User
from chitfund.doorbell import ring
from chitfund.exceptions import NotFound
from chitfund.observability.trace import traced
from notifications.mail import Letter, send_letter
from notifications.models import Delivery, DeliveryStatus
from notifications.outbox import claimed_rows, is_exhausted, next_attempt, reason_of
from notifications.services import DELIVER

logger = logging.getLogger("chitfund.notifications")


def deliver(ids: Sequence[str] | None = None) -> int:
    """Send what is due, or those of it that were rung for. Returns how many were sent."""
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    waiting = waiting.select_related("notification__recipient")
    return sum(_send(delivery) for delivery in claimed_rows(waiting, ids))


def _send(delivery: Delivery) -> bool:
    with traced(delivery.notification.trace_id):
        try:
            _mail(delivery)
        except (SMTPException, OSError, ValueError) as exc:
            _keep_for_later(delivery, exc)
            return False
        _mark(delivery, status=DeliveryStatus.SENT, sent_at=timezone.now(), error="")
        return True


def _mail(delivery: Delivery) -> None:
    told = delivery.notification
    letter = Letter(
        subject=told.title,
        greeting=f"Dear {told.recipient.full_name},",
        paragraphs=(told.body,),
    )
    send_letter(letter, to=told.recipient.email, mail_id=delivery.pk)


def _keep_for_later(delivery: Delivery, exc: Exception) -> None:
    reason = reason_of(exc)
    if is_exhausted(delivery):
        _mark(delivery, status=DeliveryStatus.DEAD, error=reason)
    else:
        _mark(delivery, next_attempt_at=next_attempt(delivery.attempts), error=reason)
    logger.warning(
        "delivery failed",
        extra={
            "action": "delivery.failed",
            "delivery_id": delivery.pk,
            "channel": delivery.channel,
            "attempts": delivery.attempts,
            "reason_code": reason,
        },
    )


def _mark(delivery: Delivery, **values: object) -> None:
    """Write how it went, unless the lease ran out and somebody else has claimed it since."""
    Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, attempts=delivery.attempts
    ).update(**values)


@transaction.atomic
def send_again(*, delivery_id: UUID, actor: User) -> Delivery:
    """Put a delivery that was given up back in the queue, with all its attempts."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",), no_key=True).filter(pk=delivery_id).first()
    )
    if delivery is None:
        raise NotFound("There is no such delivery.")
    delivery.move_to(DeliveryStatus.PENDING)
    delivery.attempts = 0
    delivery.next_attempt_at = timezone.now()
    delivery.error = ""
    delivery.save()
    record_audit_event(actor=actor, verb="delivery.sent_again", target=delivery)
    ring(DELIVER, str(delivery.pk))
    return delivery
