"""Mails that an account asks for, and the single-use secrets in them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import AccountMail, MailPurpose, User
from chitfund.doorbell import ring_together
from chitfund.exceptions import InvalidInput
from chitfund.observability.trace import current_trace_id

SEND = "notifications.send_account_mails"
LIFETIMES = {
    MailPurpose.VERIFY_EMAIL: timedelta(days=3),
    MailPurpose.PASSWORD_RESET: timedelta(minutes=30),
    MailPurpose.INVITATION: timedelta(days=7),
}


@transaction.atomic
def ask_for_mail(*, user: User | None, purpose: MailPurpose) -> AccountMail:
    """Queue a mail in the caller's transaction; the same mail asked for before is void.

    Without a user the row is written all the same and dropped by the sender.
    """
    void_mails(user=user, purposes=[purpose])
    mail = AccountMail.objects.create(user=user, purpose=purpose, trace_id=current_trace_id())
    ring_together(SEND, str(mail.pk))
    return mail


def void_mails(*, user: User | None, purposes: list[MailPurpose]) -> None:
    """Void what is unsent or unused, so that only the newest link opens."""
    AccountMail.objects.filter(user=user, purpose__in=purposes, used_at=None).update(
        used_at=timezone.now()
    )


def issue_token(mail: AccountMail) -> str | None:
    """Return a new 256-bit secret for a claimed mail and store its hash; None if it needs none.

    Another attempt at the same mail makes another secret, and the earlier one opens nothing.
    """
    lifetime = LIFETIMES.get(MailPurpose(mail.purpose))
    if lifetime is None:
        return None
    token = secrets.token_urlsafe(32)
    AccountMail.objects.filter(pk=mail.pk).update(
        token_hash=_hash(token), expires_at=timezone.now() + lifetime
    )
    return token


def use_token(token: str, *purposes: MailPurpose) -> AccountMail:
    """Use a secret up by compare-and-set; of many who send it at once one gets the mail."""
    now = timezone.now()
    wanted = AccountMail.objects.filter(token_hash=_hash(token), purpose__in=purposes)
    if not wanted.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        raise dead_link()
    return wanted.get()


def dead_link() -> InvalidInput:
    return InvalidInput.on(
        "token", "This link was used or has expired. Ask for a new one.", code="invalid_token"
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
