"""What `notifications` holds about one person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chitfund.data_rights import rows_of
from notifications.models import Notification


def notifications(user_id: UUID) -> list[dict[str, Any]]:
    rows = Notification.objects.filter(recipient=user_id)
    return rows_of(
        rows,
        "id",
        "event",
        "title",
        "body",
        "created_at",
        "read_at",
    )


def erase_notifications(user_id: UUID) -> int:
    """Delete what a person was told, with its deliveries; a chit's notices are held before."""
    rows = Notification.objects.filter(recipient=user_id)
    count = rows.count()
    rows.delete()
    return count
