"""How the office's mails look: one layout, as HTML and as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

TEMPLATE = "notifications/mail"


@dataclass(frozen=True)
class Letter:
    """What a mail says; a link is a button in HTML."""

    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    button: str = ""
    link: str = ""
    footnote: str = ""


def send_letter(letter: Letter, *, to: str, mail_id: UUID) -> None:
    """Send a letter. Its Message-ID is the row's id, so a second copy is known as one."""
    context = {"letter": letter, "home": settings.PUBLIC_URL}
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=render_to_string(f"{TEMPLATE}.txt", context),
        to=[to],
        headers={"Message-ID": f"<{mail_id}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"{TEMPLATE}.html", context), "text/html")
    mail.send()
