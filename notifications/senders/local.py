"""Messages of an office without a carrier: one file each, to look into."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from notifications.backends import write_whole


class _Outbox:
    """Writes `outbox/<folder>/<id>.json`; a second attempt replaces the first."""

    folder: ClassVar[str]

    def send(self, *, to: str, text: str, message_id: UUID) -> None:
        folder = Path(settings.OUTBOX_DIR) / self.folder
        folder.mkdir(parents=True, exist_ok=True)
        message = {
            "id": str(message_id),
            "to": to,
            "text": text,
            "sent_at": timezone.now().isoformat(),
        }
        write_whole(folder / f"{message_id}.json", orjson.dumps(message))


class SmsOutbox(_Outbox):
    folder = "sms"


class WhatsAppOutbox(_Outbox):
    folder = "whatsapp"
