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

TELL_US = (
    "If this was not you, somebody knows your password: set a new one at once and tell the office."
)


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
            "Somebody, perhaps you, tried to register with your e-mail address or phone number, "
            "or to use it for another account. It belongs to your account, so nothing was done.",
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
    MailPurpose.FACTOR_ADDED: _Text(
        "Your second factor is set up",
        (
            "From now on, signing in to your account takes a code of your authenticator app "
            "after the password.",
            "Keep the ten recovery codes that you were shown where you would find them "
            "without your phone.",
        ),
        footnote=TELL_US,
    ),
    MailPurpose.FACTOR_REMOVED: _Text(
        "Your second factor was removed",
        (
            "Signing in to your account no longer takes a code of your authenticator app. "
            "Your recovery codes are void.",
        ),
        footnote=TELL_US,
    ),
    MailPurpose.RECOVERY_CODE_USED: _Text(
        "A recovery code was used",
        (
            "Somebody, perhaps you, has signed in or changed your second factor with one of "
            "your recovery codes. It is used up.",
            "When few are left, make new ones in your account.",
        ),
        footnote=TELL_US,
    ),
    MailPurpose.SESSION_REUSED: _Text(
        "You were signed out on one device",
        (
            "A sign-in of yours that had been renewed already was used a second time. That "
            "happens when somebody has copied it, so we have ended it.",
            "Sign in again on the device that was signed out. Look at your open sessions and "
            "end those that you do not know.",
        ),
        button="Go to sign-in",
        path="/auth/login",
        footnote="If you suspect that somebody uses your device, set a new password from another.",
    ),
    MailPurpose.PASSWORD_CHANGED: _Text(
        "Your password was changed",
        (
            "The password of your account was just changed. All other devices are signed out.",
            "If it was you, there is nothing to do.",
        ),
        footnote="If this was not you, ask for a new password on the sign-in page at once, "
        "and tell the office.",
    ),
    MailPurpose.EMAIL_CHANGE: _Text(
        "Confirm your new e-mail address",
        (
            "Somebody, perhaps you, wants to use this address for their account with us. "
            "Open the link below to confirm; you are then signed out everywhere.",
            "The link works once, for thirty minutes.",
        ),
        button="Use this address",
        path="/confirm-email-change",
        footnote=NOT_YOU,
    ),
    MailPurpose.EMAIL_CHANGE_ASKED: _Text(
        "Somebody asked to change your e-mail address",
        (
            "Somebody who knows your password asked to use another e-mail address for your "
            "account. Nothing changes until that address is confirmed.",
            "If it was you, there is nothing to do here.",
        ),
        footnote=TELL_US,
    ),
    MailPurpose.EMAIL_CHANGED: _Text(
        "Your e-mail address was changed",
        (
            "Your account now uses another e-mail address, and no longer this one. "
            "You are signed out everywhere.",
        ),
        footnote="If this was not you, tell the office at once: mail from us no longer "
        "reaches you here.",
    ),
    MailPurpose.PHONE_CHANGED: _Text(
        "Your phone number was changed",
        ("Your account now has another phone number; the old one no longer signs you in.",),
        footnote=TELL_US,
    ),
    MailPurpose.IDENTITY_LINKED: _Text(
        "Another provider now signs you in",
        (
            "Your account was linked with your account at another sign-in provider. "
            "From now on either signs you in; your password still does, too.",
        ),
        footnote=TELL_US,
    ),
    MailPurpose.IDENTITY_REMOVED: _Text(
        "A provider no longer signs you in",
        ("The link between your account and another sign-in provider was removed.",),
        footnote=TELL_US,
    ),
    MailPurpose.BANK_ACCOUNT_CHANGED: _Text(
        "Your bank accounts were changed",
        (
            "A bank account was added to your profile or removed from it, or another one was "
            "made the primary one, where your money goes.",
            "If it was you, there is nothing to do.",
        ),
        footnote=TELL_US,
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
            send_letter(_letter(mail, user), to=mail.address or user.email, mail_id=mail.pk)
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
