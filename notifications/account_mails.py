"""Send the mails that accounts ask for; the secret in one is made at the last moment."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException

from django.conf import settings
from django.utils import timezone

from accounts.models import AccountMail, MailPurpose, User
from accounts.services.mails import issue_token
from chitfund.observability.trace import traced
from notifications.mail import Letter, send_letter
from notifications.outbox import claimed_rows, is_exhausted, next_attempt, reason_of

logger = logging.getLogger("chitfund.notifications")

NOT_YOU = "If this was not you, ignore this mail; nothing happens without the link."


@dataclass(frozen=True)
class _Text:
    subject: str
    paragraphs: tuple[str, ...]
    button: str = ""
    path: str = ""
    footnote: str = ""


TEXTS = {
    MailPurpose.VERIFY_EMAIL: _Text(
        "Confirm your e-mail address",
        (
            "Welcome. Open the link below to confirm that this is your address; "
            "your account is ready then.",
            "The link works once, for three days.",
        ),
        button="Confirm my address",
        path="/verify-email",
        footnote=NOT_YOU,
    ),
    MailPurpose.ADDRESS_TAKEN: _Text(
        "You already have an account",
        (
            "Somebody, perhaps you, tried to register with your e-mail address or phone number. "
            "You have an account with us already, so no second one was made.",
            "If you forgot your password, ask for a new one on the sign-in page.",
        ),
        button="Go to sign-in",
        path="/auth/login",
        footnote="If this was not you, there is nothing to do. Nobody got access to your account.",
    ),
    MailPurpose.PASSWORD_RESET: _Text(
        "Set a new password",
        (
            "Somebody, perhaps you, asked for a new password for your account. "
            "Open the link below to set one; you are then signed out everywhere.",
            "The link works once, for thirty minutes.",
        ),
        button="Set a new password",
        path="/reset-password",
        footnote=NOT_YOU,
    ),
    MailPurpose.INVITATION: _Text(
        "You are invited",
        (
            "The office has made an account for you. Open the link below to set your password.",
            "The link works once, for seven days.",
        ),
        button="Set my password",
        path="/reset-password",
        footnote="If you did not expect this, ignore this mail.",
    ),
    MailPurpose.FOREMAN_APPROVED: _Text(
        "You are approved as a foreman",
        (
            "The office has approved you as a foreman. Once your address is confirmed, "
            "you can sign in and draft your first scheme.",
        ),
        button="Go to sign-in",
        path="/auth/login",
    ),
}


def send_account_mails(ids: Sequence[str] | None = None) -> int:
    """Send what is due, or those of it that were rung for. Returns how many were sent."""
    waiting = AccountMail.objects.filter(sent_at=None, given_up_at=None).select_related("user")
    return sum(_send(mail) for mail in claimed_rows(waiting, ids))


def _send(mail: AccountMail) -> bool:
    user = mail.user
    if user is None or mail.used_at is not None:
        # Nobody has this address, or a newer mail has taken its place.
        AccountMail.objects.filter(pk=mail.pk).delete()
        return False
    with traced(mail.trace_id):
        try:
            send_letter(_letter(mail, user), to=user.email, mail_id=mail.pk)
        except (SMTPException, OSError, ValueError) as exc:
            _keep_for_later(mail, exc)
            return False
        _mark(mail, sent_at=timezone.now(), error="")
        return True


def _letter(mail: AccountMail, user: User) -> Letter:
    text = TEXTS[MailPurpose(mail.purpose)]
    token = issue_token(mail)
    link = f"{settings.PUBLIC_URL}{text.path}" if text.path else ""
    return Letter(
        subject=text.subject,
        greeting=f"Dear {user.full_name},",
        paragraphs=text.paragraphs,
        button=text.button,
        link=f"{link}?token={token}" if token else link,
        footnote=text.footnote,
    )


def _keep_for_later(mail: AccountMail, exc: Exception) -> None:
    reason = reason_of(exc)
    if is_exhausted(mail):
        _mark(mail, given_up_at=timezone.now(), error=reason)
    else:
        _mark(mail, next_attempt_at=next_attempt(mail.attempts), error=reason)
    logger.warning(
        "account mail failed",
        extra={
            "action": "account_mail.failed",
            "event": mail.purpose,
            "attempts": mail.attempts,
            "reason_code": reason,
        },
    )


def _mark(mail: AccountMail, **values: object) -> None:
    """Write how it went, unless the lease ran out and somebody else has claimed it since."""
    AccountMail.objects.filter(pk=mail.pk, sent_at=None, attempts=mail.attempts).update(**values)
