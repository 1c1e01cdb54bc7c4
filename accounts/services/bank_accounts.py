"""Where a person's money goes. Only they say so: nobody else adds or removes an account.

Every change is told to its owner by mail: a stolen session must not move their money unseen.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import BankAccount, MailPurpose, User
from accounts.sealing import blind_index, opened_value, sealed_value
from accounts.services.mails import tell
from accounts.services.sessions import lock_user
from chitfund.exceptions import Conflict, NotFound, WrongState
from chitfund.masking import SHOWN

COLUMN = "bank_accounts.number"
MOST = 10


@transaction.atomic
def add_bank_account(*, user_id: UUID, actor: User, number: str, **details: Any) -> BankAccount:
    """Keep an account, its number sealed; a person's first one is the primary one."""
    user = lock_user(user_id)
    theirs = list(BankAccount.objects.filter(user=user))
    if len(theirs) >= MOST:
        raise WrongState(f"{MOST} accounts are kept at most. Remove one that you no longer use.")
    account = BankAccount(
        user=user,
        number_index=blind_index(number, column=COLUMN),
        number_last4=number[-SHOWN:],
        is_primary=not theirs,
        **details,
    )
    if any(other.number_index == account.number_index for other in theirs):
        raise Conflict("You have this account number on record already.", code="number_on_record")
    account.number_sealed = sealed_value(number, cell=_cell(account))
    account.save(force_insert=True)
    record_audit_event(actor=actor, verb="bank_account.added", target=account)
    tell(user=user, purpose=MailPurpose.BANK_ACCOUNT_CHANGED)
    return account


@transaction.atomic
def remove_bank_account(*, user_id: UUID, account_id: UUID, actor: User) -> None:
    """Forget an account; the primary one only when it is the last."""
    user = lock_user(user_id)
    account = _account(user, account_id)
    others = BankAccount.objects.filter(user=user).exclude(pk=account.pk)
    if account.is_primary and others.exists():
        raise WrongState("This is your primary account. Make another one primary first.")
    record_audit_event(actor=actor, verb="bank_account.removed", target=account)
    account.delete()
    tell(user=user, purpose=MailPurpose.BANK_ACCOUNT_CHANGED)


@transaction.atomic
def make_primary(*, user_id: UUID, account_id: UUID, actor: User) -> BankAccount:
    """Let money go to this account from now on."""
    user = lock_user(user_id)
    account = _account(user, account_id)
    if account.is_primary:
        raise WrongState("This account is the primary one already.")
    before = BankAccount.objects.filter(user=user, is_primary=True)
    replaced = list(before.values_list("pk", flat=True))
    before.update(is_primary=False)
    account.is_primary = True
    account.save(update_fields=["is_primary"])
    record_audit_event(
        actor=actor, verb="bank_account.made_primary", target=account, instead_of=replaced
    )
    tell(user=user, purpose=MailPurpose.BANK_ACCOUNT_CHANGED)
    return account


@transaction.atomic
def reveal_number(*, user_id: UUID, account_id: UUID, actor: User, reason: str) -> str:
    """Return a whole account number to staff who say what they need it for."""
    account = _account(lock_user(user_id), account_id)
    record_audit_event(
        actor=actor, verb="bank_account.number_revealed", target=account, reason=reason
    )
    return opened_value(account.number_sealed, cell=_cell(account))


def _account(user: User, account_id: UUID) -> BankAccount:
    account = BankAccount.objects.filter(user=user, pk=account_id).first()
    if account is None:
        raise NotFound("There is no such bank account.")
    return account


def _cell(account: BankAccount) -> str:
    return f"{COLUMN}.{account.pk}"
