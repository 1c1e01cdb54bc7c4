"""Mail for an office without a mail server: one file a mail, to look into."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class OutboxEmailBackend(BaseEmailBackend):
    """Writes `outbox/email/*.eml`; the same Message-ID written again is the same file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.OUTBOX_DIR) / "email"
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            write_whole(folder / _file_name(message), message.message().as_bytes())
        return len(email_messages)


def _file_name(message: EmailMessage) -> str:
    """Name a mail after its Message-ID, whose first part is a UUIDv7: files sort by time."""
    known_as = str(message.message()["Message-ID"]).strip("<>").split("@", maxsplit=1)[0]
    is_plain = known_as.replace("-", "").isalnum()
    return f"{known_as if is_plain else hashlib.sha256(known_as.encode()).hexdigest()}.eml"


def write_whole(file: Path, content: bytes) -> None:
    """Write a file that nobody ever sees half of."""
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
