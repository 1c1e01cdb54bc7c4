"""The ledger: accounts of a scheme, and the transfers between them (design.md 5.2).

A transfer debits one account and credits another, so nothing unbalanced can be written.
The balance columns are moved by a trigger that belongs to the owner role; the runtime role
can only insert transfers and read.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from chitfund.db import IdentifiedModel, MoneyField, one_of
from chitfund.money import ZERO
from schemes.models import Scheme
from subscriptions.models import Subscription


class AccountKind(models.TextChoices):
    CASH = "cash", "Cash"
    TICKET = "ticket", "Ticket"
    CHIT = "chit", "The month's pot"
    PRIZE_PAYABLE = "prize_payable", "Prize payable"
    DIVIDEND_POOL = "dividend_pool", "Dividend pool"
    FORFEITED_DIVIDEND = "forfeited_dividend", "Forfeited dividend"
    COMMISSION = "commission", "Commission"
    GST_PAYABLE = "gst_payable", "GST payable"
    LATE_INTEREST = "late_interest", "Late interest"
    SECURITY_HELD = "security_held", "Security held"
    REFUND_PAYABLE = "refund_payable", "Refund payable"
    DEPOSIT = "deposit", "Approved bank deposit"
    FEES = "fees", "Fees"
    GATEWAY_CLEARING = "gateway_clearing", "Gateway clearing"
    FOREMAN = "foreman", "Foreman's current account"


# What an account normally holds: an asset its debits, everything else its credits.
DEBIT_SIDE = frozenset(
    {AccountKind.CASH, AccountKind.TICKET, AccountKind.DEPOSIT, AccountKind.GATEWAY_CLEARING}
)
# Accounts that can never be overdrawn, whatever happens; the CHECK below says so too.
NEVER_CREDIT = (AccountKind.CASH, AccountKind.DEPOSIT)
NEVER_DEBIT = (
    AccountKind.CHIT,
    AccountKind.PRIZE_PAYABLE,
    AccountKind.DIVIDEND_POOL,
    AccountKind.FORFEITED_DIVIDEND,
    AccountKind.GST_PAYABLE,
    AccountKind.SECURITY_HELD,
    AccountKind.REFUND_PAYABLE,
)


class LedgerAccount(IdentifiedModel):
    """One account of a scheme; a ticket has one of its own."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="ledger_accounts")
    kind = models.CharField(max_length=20, choices=AccountKind)
    subscription = models.OneToOneField(
        Subscription, null=True, on_delete=models.PROTECT, related_name="ledger_account"
    )
    debits = models.DecimalField(max_digits=18, decimal_places=2, default=ZERO)
    credits = models.DecimalField(max_digits=18, decimal_places=2, default=ZERO)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ledger_accounts"
        verbose_name = "ledger account"
        constraints = (
            models.UniqueConstraint(
                fields=["scheme", "kind"],
                condition=~Q(kind=AccountKind.TICKET),
                name="ledger_account_one_a_kind",
            ),
            models.CheckConstraint(
                condition=one_of("kind", AccountKind), name="ledger_account_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.TICKET, subscription__isnull=False)
                | ~Q(kind=AccountKind.TICKET) & Q(subscription__isnull=True),
                name="ledger_account_of_a_ticket_names_it",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=NEVER_CREDIT) | Q(debits__gte=F("credits")),
                name="ledger_cash_is_never_negative",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=NEVER_DEBIT) | Q(credits__gte=F("debits")),
                name="ledger_nothing_is_paid_out_twice",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def balance(self) -> Decimal:
        """Rupees on the account's normal side."""
        difference = self.debits - self.credits
        return difference if self.kind in DEBIT_SIDE else -difference


class TransferKind(models.TextChoices):
    INSTALLMENT_RAISED = "INSTALLMENT_RAISED", "Installment raised"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED", "Payment received"
    PRIZE_AWARDED = "PRIZE_AWARDED", "Prize awarded"
    COMMISSION = "COMMISSION", "Commission"
    POOL = "POOL", "Dividend pool"
    DIVIDEND = "DIVIDEND", "Dividend"
    RESIDUE = "RESIDUE", "Last residue"
    TAX = "TAX", "GST on the commission"
    SET_OFF = "SET_OFF", "Dues set off against the prize"
    PRIZE_PAID = "PRIZE_PAID", "Prize paid"
    LATE_INTEREST = "LATE_INTEREST", "Late interest"
    DIVIDEND_FORFEITED = "DIVIDEND_FORFEITED", "Dividend forfeited"
    FORFEIT_SHARED = "FORFEIT_SHARED", "Forfeited dividend shared again"
    INCOME_TO_FOREMAN = "INCOME_TO_FOREMAN", "Foreman earns"
    FOREMAN_DRAWS = "FOREMAN_DRAWS", "Foreman draws"
    FOREMAN_COVERS = "FOREMAN_COVERS", "Foreman covers"
    TAX_PAID = "TAX_PAID", "Tax paid"
    CREDIT_REFUNDABLE = "CREDIT_REFUNDABLE", "Credit made refundable"
    REFUND = "REFUND", "Refund"
    REVERSAL = "REVERSAL", "Reversal"


class Transfer(IdentifiedModel):
    """One movement of money from a credit to a debit; transfers of one event share `entry`."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="transfers")
    entry = models.UUIDField()
    debit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="debit_transfers"
    )
    credit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="credit_transfers"
    )
    amount = MoneyField()
    kind = models.CharField(max_length=20, choices=TransferKind)
    installment_number = models.PositiveIntegerField(null=True)
    business_date = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )

    class Meta:
        db_table = "transfers"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_is_positive"),
            models.CheckConstraint(
                condition=~Q(debit_account=F("credit_account")), name="transfer_moves_something"
            ),
            models.CheckConstraint(
                condition=one_of("kind", TransferKind), name="transfer_kind_is_known"
            ),
        )
        indexes = (
            models.Index(fields=["scheme", "-id"], name="transfers_scheme"),
            models.Index(fields=["entry"], name="transfers_entry"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
