"""The open books of one chit, inside one transaction and under the scheme's lock.

A use case opens the books, changes passbooks and posts transfers in memory, and saves once:
all rows of a kind in one statement, transfers last but for the tickets' summaries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Max

from auctions.models import Auction, AuctionStatus
from chitfund.business_date import business_now
from chitfund.db import new_id
from chitfund.exceptions import Conflict, WrongState
from chitfund.money import ZERO, format_inr
from payments.models import (
    DEBIT_SIDE,
    AccountKind,
    Installment,
    LedgerAccount,
    Payment,
    PaymentAllocation,
    Transfer,
    TransferKind,
)
from schemes.models import Scheme
from schemes.services import lock_scheme
from subscriptions.models import HOLDING, Subscription

TICKET_SUMMARY = (
    "outstanding",
    "advance",
    "oldest_unpaid_due_on",
    "next_due_number",
    "next_due_on",
    "next_due_amount",
)


@dataclass
class Changes:
    """Rows that wait to be written, each kind in one statement."""

    new_installments: list[Installment] = field(default_factory=list)
    installments: dict[UUID, Installment] = field(default_factory=dict)
    new_payments: list[Payment] = field(default_factory=list)
    payments: dict[UUID, Payment] = field(default_factory=dict)
    allocations: list[PaymentAllocation] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    tickets: dict[UUID, Subscription] = field(default_factory=dict)


class Books:
    """One chit's accounts, and what this transaction changes in them."""

    def __init__(self, scheme: Scheme, *, on: date | None = None) -> None:
        self.scheme = scheme
        self.now = business_now()
        self.on = on or self.now.date()
        self.entry = new_id()
        self.changes = Changes()
        self._accounts: dict[AccountKind | UUID, LedgerAccount] = {}

    @cached_property
    def last_settled(self) -> int:
        """The number of the latest draw that is settled, 0 before the first."""
        settled = Auction.objects.filter(scheme=self.scheme, status=AuctionStatus.SETTLED)
        return settled.aggregate(last=Max("installment_number"))["last"] or 0

    def account(self, key: AccountKind | UUID) -> LedgerAccount:
        """Return an account by its kind, or a ticket's account by the ticket's id."""
        if key not in self._accounts:
            self._load_accounts()
        if key not in self._accounts:
            raise WrongState("The books of this scheme are not open: it has not commenced.")
        return self._accounts[key]

    def balance(self, kind: AccountKind) -> Decimal:
        """Rupees on an account's normal side, with what is posted but not yet saved."""
        account = self.account(kind)
        moved = ZERO
        for transfer in self.changes.transfers:
            if transfer.debit_account_id == account.pk:
                moved += transfer.amount
            elif transfer.credit_account_id == account.pk:
                moved -= transfer.amount
        difference = account.debits - account.credits + moved
        return difference if kind in DEBIT_SIDE else -difference

    def post(
        self,
        kind: TransferKind,
        debit: AccountKind | UUID,
        credit: AccountKind | UUID,
        amount: Decimal,
        *,
        number: int | None = None,
    ) -> None:
        """Move an amount in rupees from a credit to a debit; nothing is no transfer."""
        if amount == 0:
            return
        self.changes.transfers.append(
            Transfer(
                scheme=self.scheme,
                entry=self.entry,
                debit_account=self.account(debit),
                credit_account=self.account(credit),
                amount=amount,
                kind=kind,
                installment_number=number,
                business_date=self.on,
            )
        )

    def post_reversal(self, original: Transfer) -> None:
        """Post the mirror of a transfer; a second one is refused by a unique constraint."""
        self.changes.transfers.append(
            Transfer(
                scheme=self.scheme,
                entry=self.entry,
                debit_account=original.credit_account,
                credit_account=original.debit_account,
                amount=original.amount,
                kind=TransferKind.REVERSAL,
                installment_number=original.installment_number,
                business_date=self.on,
                reverses=original,
            )
        )

    def need_cash(self, amount: Decimal, purpose: str) -> None:
        """Raise Conflict with the shortfall where the cash of the chit does not cover this."""
        cash = self.balance(AccountKind.CASH)
        if cash < amount:
            raise Conflict(
                f"{purpose} needs {format_inr(amount)} and the chit holds {format_inr(cash)}: "
                f"{format_inr(amount - cash)} short. Collect dues, or let the foreman cover it "
                f"(FOREMAN_COVERS).",
                code="cash_shortfall",
            )

    def save(self) -> None:
        """Write every change; the ledger's own trigger moves the balances."""
        changes = self.changes
        Installment.objects.bulk_create(changes.new_installments)
        Payment.objects.bulk_create(changes.new_payments)
        _update(Installment, changes.installments.values(), INSTALLMENT_FIELDS)
        _update(Payment, changes.payments.values(), ("unallocated", "reversed_at"))
        PaymentAllocation.objects.bulk_create(changes.allocations)
        Transfer.objects.bulk_create(changes.transfers)
        _update(Subscription, changes.tickets.values(), TICKET_SUMMARY)
        self.changes = Changes()
        self._accounts.clear()
        self.entry = new_id()

    def _load_accounts(self) -> None:
        for account in LedgerAccount.objects.filter(scheme=self.scheme):
            self._accounts[account.subscription_id or AccountKind(account.kind)] = account


INSTALLMENT_FIELDS = (
    "dividend",
    "paid",
    "paid_on",
    "late_interest",
    "late_interest_paid",
    "is_dividend_forfeited",
    "due_on",
)


def _update(model: type[models.Model], rows: Iterable[Any], fields: tuple[str, ...]) -> None:
    rows = list(rows)
    if len(rows) == 1:
        rows[0].save(update_fields=fields)
    elif rows:
        model._default_manager.bulk_update(rows, fields, batch_size=500)


def open_books(scheme_id: UUID) -> Books:
    """Lock the scheme and return its books. Raises NotFound, or WrongState if it is not running."""
    scheme = lock_scheme(scheme_id)
    need_running(scheme)
    return Books(scheme)


def need_running(scheme: Scheme) -> None:
    """Raise WrongState unless the chit has commenced and is not closed."""
    if scheme.is_running:
        return
    if scheme.commenced_on is None:
        raise WrongState(
            f"{scheme.name} has not commenced (it is {scheme.get_status_display().lower()}); "
            "no money moves before the commencement certificate."
        )
    raise WrongState(f"The books of {scheme.name} are closed; nothing can be posted to them.")


def open_accounts(scheme: Scheme) -> None:
    """Create the accounts of a chit at zero: one of each kind, one a ticket."""
    kinds = [kind for kind in AccountKind if kind != AccountKind.TICKET]
    tickets = holding_tickets(scheme)
    LedgerAccount.objects.bulk_create(
        [LedgerAccount(scheme=scheme, kind=kind) for kind in kinds]
        + [
            LedgerAccount(scheme=scheme, kind=AccountKind.TICKET, subscription=ticket)
            for ticket in tickets
        ]
    )


def holding_tickets(scheme: Scheme) -> list[Subscription]:
    """Return the tickets of a chit in the order of their numbers."""
    return list(
        Subscription.objects.filter(scheme=scheme, status__in=HOLDING).order_by("ticket_number")
    )
