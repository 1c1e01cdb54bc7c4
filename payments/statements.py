"""A ticket's account and a scheme's trial balance, read from the ledger."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from chitfund.money import ZERO
from payments.models import LedgerAccount, Transfer
from payments.serializers import account_name
from schemes.models import Scheme
from subscriptions.models import Subscription


def ticket_statement(ticket: Subscription) -> dict[str, Any]:
    """Return every transfer on a ticket's account, oldest first, with the running balance.

    Rupees; a positive balance is what the member owes. Two queries.
    """
    account = LedgerAccount.objects.filter(subscription=ticket).first()
    lines = []
    balance = ZERO
    for transfer in _transfers(account) if account else ():
        is_debit = account is not None and transfer.debit_account_id == account.pk
        balance += transfer.amount if is_debit else -transfer.amount
        lines.append(
            {
                "on": transfer.business_date,
                "what": transfer.get_kind_display(),
                "installment_number": transfer.installment_number,
                "debit": transfer.amount if is_debit else ZERO,
                "credit": ZERO if is_debit else transfer.amount,
                "balance": balance,
            }
        )
    return {
        "scheme": ticket.scheme.name,
        "ticket_number": ticket.ticket_number,
        "outstanding": ticket.outstanding,
        "advance": ticket.advance,
        "lines": lines,
    }


def _transfers(account: LedgerAccount) -> Any:
    either = Q(debit_account=account) | Q(credit_account=account)
    return Transfer.objects.filter(either).order_by("id")


def trial_balance(scheme: Scheme) -> dict[str, Any]:
    """Return the balances of a scheme's accounts and whether debits equal credits."""
    accounts = (
        LedgerAccount.objects.filter(scheme=scheme)
        .select_related("subscription")
        .order_by("subscription__ticket_number", "id")
    )
    rows = [
        {
            "account": account_name(account),
            "debits": account.debits,
            "credits": account.credits,
            "balance": account.balance,
        }
        for account in accounts
    ]
    debits = sum((account.debits for account in accounts), ZERO)
    credits = sum((account.credits for account in accounts), ZERO)
    return {
        "debits": debits,
        "credits": credits,
        "is_balanced": debits == credits,
        "accounts": rows,
    }
