"""Who carries a one-time code: one small class for each channel, named in the settings."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class Sender(Protocol):
    """One way to reach a phone or a mailbox.

    `send` returns once the carrier has taken the message, and raises OSError, ValueError or
    SMTPException when it has not. `message_id` is the same for a second attempt at one row.
    """

    def send(self, *, to: str, text: str, message_id: UUID) -> None: ...


def sender_for(channel: str) -> Sender:
    """Return the sender that the settings name, or raise ImproperlyConfigured."""
    setting = f"{channel}_SENDER"
    path = settings.CODE_SENDERS.get(channel)
    if not path:
        raise ImproperlyConfigured(f"{setting} is not set.")
    try:
        sender: Sender = import_string(path)()
    except ImportError as exc:
        raise ImproperlyConfigured(f"{setting} names no class that can be imported.") from exc
    return sender
