"""Codes by e-mail, through whatever carries the office's mail."""

from __future__ import annotations

from uuid import UUID

from notifications.mail import Letter, send_letter


class MailSender:
    """Sends a code as a letter of a few lines."""

    def send(self, *, to: str, text: str, message_id: UUID) -> None:
        letter = Letter(subject="Your code", greeting="Hello,", paragraphs=(text,))
        send_letter(letter, to=to, mail_id=message_id)
