"""Telling people what is due before it is late (guide: Payment Reminders)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import Installment
from schemes.models import SchemeStatus

DAYS_BEFORE = 3


def remind_due_installments(*, as_of: date) -> int:
    """Remind of every unpaid installment due within three days or overdue, once each.

    The window is `<=`, so a missed day is caught up. Returns how many were reminded.
    """
    waiting = Installment.objects.filter(
        paid_on=None,
        reminded_at=None,
        due_on__lte=as_of + timedelta(days=DAYS_BEFORE),
        scheme__status=SchemeStatus.ACTIVE,
    )
    return sum(_remind(pk) for pk in waiting.order_by("due_on").values_list("pk", flat=True))


@transaction.atomic
def _remind(installment_id: UUID) -> bool:
    """Claim by a conditional update, then tell: never twice, never after it is paid."""
    claimed = Installment.objects.filter(pk=installment_id, paid_on=None, reminded_at=None).update(
        reminded_at=timezone.now()
    )
    if not claimed:
        return False
    due = Installment.objects.select_related("scheme", "subscription").get(pk=installment_id)
    notify(
        recipient_id=due.subscription.subscriber_id,
        event=NotificationEvent.PAYMENT_DUE,
        scheme=due.scheme.name,
        ticket=str(due.subscription.ticket_number),
        amount=due.due,
        due_on=due.due_on,
    )
    return True
