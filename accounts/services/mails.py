"""Mails that an account asks for, and the single-use secrets in them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import NOBODY
from accounts.models import AccountMail, MailPurpose, User
from chitfund.doorbell import ring_together
from chitfund.exceptions import InvalidInput
from chitfund.observability.trace import current_trace_id

SEND = "notifications.send_account_mails"
LIFETIMES = {
    MailPurpose.VERIFY_EMAIL: timedelta(days=3),
    MailPurpose.PASSWORD_RESET: timedelta(minutes=30),
    MailPurpose.INVITATION: timedelta(days=7),
    MailPurpose.EMAIL_CHANGE: timedelta(minutes=30),
}

WITH_SECRETS = list(LIFETIMES)
# Who has these could take an account over: they end with every change of authority.
TAKE_OVER = [MailPurpose.PASSWORD_RESET, MailPurpose.EMAIL_CHANGE]


@transaction.atomic
def ask_for_mail(*, user: User | None, purpose: MailPurpose, address: str = "") -> AccountMail:
    """Queue a mail in the caller's transaction; the same mail asked for before is void.

    Without a user the row is written all the same and dropped by the sender. `address` is
    where it goes if not to the one that the account has.
    """
    void_mails(user=user, purposes=[purpose])
    return _queue(user, purpose, address)


@transaction.atomic
def tell(*, user: User | None, purpose: MailPurpose, address: str = "") -> AccountMail:
    """Queue a notice without a secret. It takes no other's place: each change is told of."""
    return _queue(user, purpose, address)


def _queue(user: User | None, purpose: MailPurpose, address: str) -> AccountMail:
    mail = AccountMail.objects.create(
        user=user, purpose=purpose, address=address, trace_id=current_trace_id()
    )
    ring_together(SEND, str(mail.pk))
    return mail


def void_mails(*, user: User | None, purposes: list[MailPurpose]) -> None:
    """Void what is unsent or unused, so that only the newest link opens."""
    # Asked of nobody for nobody: rows without an owner are void anyhow, and everybody's.
    owner = user.pk if user else NOBODY
    AccountMail.objects.filter(user=owner, purpose__in=purposes, used_at=None).update(
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


def owner_of_token(token: str, *purposes: MailPurpose) -> UUID:
    """Return whose secret this is, used or not; it decides nothing.

    Whoever uses one locks its owner first, as everybody does who voids one: in the other
    order the two would wait for each other.
    """
    owner = (
        AccountMail.objects.filter(token_hash=_hash(token), purpose__in=purposes)
        .values_list("user", flat=True)
        .first()
    )
    if owner is None:
        raise dead_link()
    return owner


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
