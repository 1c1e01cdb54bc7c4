"""Tell people: write what they are told with its cause, send it after the commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chitfund.doorbell import ring_together
from chitfund.exceptions import NotFound
from chitfund.observability.trace import current_trace_id
from notifications.messages import message_for
from notifications.models import (
    Channel,
    Delivery,
    DeliveryStatus,
    Notification,
    NotificationEvent,
)

DELIVER = "notifications.deliver"


@transaction.atomic
def notify(*, recipient_id: UUID, event: NotificationEvent, **context: Any) -> Notification:
    """Tell one person in the caller's transaction; mail leaves after its commit.

    Raises ValueError unless the context has exactly the keys that the event's text needs.
    """
    return notify_many(recipients=[recipient_id], event=event, **context)[0]


@transaction.atomic
def notify_many(
    *, recipients: Iterable[UUID], event: NotificationEvent, **context: Any
) -> list[Notification]:
    """Tell many people the same, each once, with the same few statements however many."""
    message = message_for(event, context)
    kept = {key: str(value) for key, value in context.items()}
    notifications = Notification.objects.bulk_create(
        Notification(
            recipient_id=recipient,
            event=event,
            title=message.title,
            body=message.body,
            context=kept,
            trace_id=current_trace_id(),
        )
        for recipient in dict.fromkeys(recipients)
    )
    for delivery in Delivery.objects.bulk_create(_deliveries_of(notifications)):
        if delivery.status == DeliveryStatus.PENDING:
            ring_together(DELIVER, str(delivery.pk))
    return notifications


def _deliveries_of(notifications: Iterable[Notification]) -> list[Delivery]:
    """Return one delivery a channel; what is told in the app is sent by being written."""
    now = timezone.now()
    deliveries = []
    for notification in notifications:
        deliveries.append(
            Delivery(
                notification=notification,
                channel=Channel.IN_APP,
                status=DeliveryStatus.SENT,
                next_attempt_at=now,
                sent_at=now,
            )
        )
        deliveries.append(
            Delivery(notification=notification, channel=Channel.EMAIL, next_attempt_at=now)
        )
    return deliveries


def mark_read(*, notification_id: UUID, reader: User) -> Notification:
    """Mark one of the reader's notifications as read; the first time counts."""
    own = Notification.objects.filter(pk=notification_id, recipient=reader)
    own.filter(read_at=None).update(read_at=timezone.now())
    notification = own.first()
    if notification is None:
        raise NotFound("There is no such notification.")
    return notification


def mark_all_read(*, reader: User) -> int:
    """Mark all of the reader's notifications as read, and return how many were not."""
    unread = Notification.objects.filter(recipient=reader, read_at=None)
    return unread.update(read_at=timezone.now())


def unread_count(reader: User) -> int:
    return Notification.objects.filter(recipient=reader, read_at=None).count()
