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
