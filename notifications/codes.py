"""Send one-time codes; the digits are made at the last moment and kept by nobody."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from smtplib import SMTPException

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.models import CodePurpose, OneTimeCode
from accounts.services.one_time_codes import LIFETIME, issue_code
from chitfund.observability.trace import traced
from notifications.outbox import claimed_rows, next_attempt, reason_of
from notifications.senders import sender_for

logger = logging.getLogger("chitfund.notifications")

MINUTES = int(LIFETIME.total_seconds() // 60)
USES = {
    CodePurpose.REGISTRATION: "to register",
    CodePurpose.CHANGE_PHONE: "to change your phone number",
}


def text_of(purpose: CodePurpose, digits: str) -> str:
    """Say what the code is for, so that nobody reads it out to a caller who wants another."""
    return (
        f"{digits} is your code {USES[purpose]} with the chit fund office. It is good for "
        f"{MINUTES} minutes. Never tell it to anybody, not even to us."
    )


def send_one_time_codes(ids: Sequence[str] | None = None) -> int:
    """Send what is due, or those of it that were rung for. Returns how many were sent."""
    waiting = OneTimeCode.objects.filter(sent_at=None, given_up_at=None)
    return sum(_send(code) for code in claimed_rows(waiting, ids))


def _send(code: OneTimeCode) -> bool:
    digits = issue_code(code)
    if digits is None:
        _mark(code, given_up_at=timezone.now(), error="expired")
        return False
    with traced(code.trace_id):
        try:
            sender_for(code.channel).send(
                to=code.address,
                text=text_of(CodePurpose(code.purpose), digits),
                message_id=code.pk,
            )
        except (SMTPException, OSError, ValueError, ImproperlyConfigured) as exc:
            _keep_for_later(code, exc)
            return False
        _mark(code, sent_at=timezone.now(), error="")
        return True


def _keep_for_later(code: OneTimeCode, exc: Exception) -> None:
    """Try again in a while; the row's own end is the end of trying."""
    reason = reason_of(exc)
    _mark(code, next_attempt_at=next_attempt(code.attempts), error=reason)
    logger.warning(
        "one-time code failed",
        extra={
            "action": "one_time_code.failed",
            "channel": code.channel,
            "event": code.purpose,
            "attempts": code.attempts,
            "reason_code": reason,
        },
    )


def _mark(code: OneTimeCode, **values: object) -> None:
    """Write how it went, unless the lease ran out and somebody else has claimed it since."""
    OneTimeCode.objects.filter(pk=code.pk, sent_at=None, attempts=code.attempts).update(**values)
