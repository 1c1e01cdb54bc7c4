"""What tickets owe month by month, and the payments that settle it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chitfund.db import IdentifiedModel, MoneyField, StatusModel, TimeStampedModel, one_of
from chitfund.money import ZERO
from schemes.models import Scheme
from subscriptions.models import Subscription


class Installment(IdentifiedModel, TimeStampedModel):
    """What one ticket owes for one month."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="installments")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="installments"
    )
    number = models.PositiveIntegerField()
    gross = MoneyField()
    dividend = MoneyField(default=ZERO)
    paid = MoneyField(default=ZERO)
    due_on = models.DateField()
    raised_on = models.DateField()
    paid_on = models.DateField(null=True)
    late_interest = MoneyField(default=ZERO)
    late_interest_paid = MoneyField(default=ZERO)
    is_dividend_forfeited = models.BooleanField(default=False)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "installments"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["subscription", "number"], name="installment_once_a_month"
            ),
            models.CheckConstraint(
                condition=Q(gross__gt=0, dividend__gte=0, paid__gte=0)
                & Q(gross__gte=F("dividend") + F("paid")),
                name="installment_is_never_overpaid",
            ),
            models.CheckConstraint(
                condition=Q(late_interest__gte=F("late_interest_paid"), late_interest_paid__gte=0),
                name="installment_interest_is_never_overpaid",
            ),
            models.CheckConstraint(
                condition=Q(paid_on__isnull=True, gross__gt=F("dividend") + F("paid"))
                | Q(paid_on__isnull=False, gross=F("dividend") + F("paid")),
                name="installment_has_a_paid_day_when_paid",
            ),
        )
        indexes = (
            models.Index(fields=["scheme", "number"], name="installments_scheme"),
            models.Index(
                fields=["subscription", "number"],
                name="installments_unpaid",
                condition=Q(paid_on=None),
            ),
            models.Index(
                fields=["due_on"], name="installments_due", condition=Q(paid_on__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"installment {self.number}"

    @property
    def net(self) -> Decimal:
        """Rupees that this month asks for after its dividend."""
        return self.gross - self.dividend

    @property
    def due(self) -> Decimal:
        """Rupees of the installment still unpaid, interest apart."""
        return self.gross - self.dividend - self.paid

    @property
    def interest_due(self) -> Decimal:
        return self.late_interest - self.late_interest_paid


class PaymentType(models.TextChoices):
    INSTALLMENT = "INSTALLMENT", "Installment"
    DIVIDEND = "DIVIDEND", "Dividend"
    PRIZE = "PRIZE", "Prize"
    PENALTY = "PENALTY", "Late interest"
    REFUND = "REFUND", "Refund"
    FEE = "FEE", "Fee"


class PaymentStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"


class Method(models.TextChoices):
    CASH = "CASH", "Cash"
    UPI = "UPI", "UPI"
    NEFT = "NEFT", "NEFT"
    RTGS = "RTGS", "RTGS"
    CHEQUE = "CHEQUE", "Cheque"
    CARD = "CARD", "Card"
    NETBANKING = "NETBANKING", "Net banking"
    GATEWAY = "GATEWAY", "Payment gateway"
    BOOK = "BOOK", "Book entry"


# How money reaches the till; a book entry does not.
TILL_METHODS = [(method.value, method.label) for method in Method if method != Method.BOOK]

# The types that give a ticket credit, which is then allocated to its dues.
CREDIT_TYPES = (PaymentType.INSTALLMENT, PaymentType.DIVIDEND)


class Payment(IdentifiedModel, StatusModel):
    """One movement of money that a member can see.

    A completed payment is never edited, a trigger says so: `unallocated`, `reversed_at` and
    `note` are all that may change. It is undone by another row that `reverses` it.
    """

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        PaymentStatus.PENDING: frozenset({PaymentStatus.COMPLETED, PaymentStatus.FAILED}),
        PaymentStatus.COMPLETED: frozenset(),
        PaymentStatus.FAILED: frozenset(),
    }

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="payments")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="payments"
    )
    subscriber = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments"
    )
    amount = MoneyField()
    payment_type = models.CharField(
        max_length=12, choices=PaymentType, default=PaymentType.INSTALLMENT
    )
    status = models.CharField(max_length=10, choices=PaymentStatus, default=PaymentStatus.PENDING)
    method = models.CharField(max_length=10, choices=Method)
    transaction_id = models.CharField(max_length=100, blank=True)
    payment_date = models.DateTimeField()
    installment_number = models.PositiveIntegerField(null=True)
    receipt_number = models.CharField(max_length=40, blank=True)
    unallocated = MoneyField(default=ZERO)
    entry = models.UUIDField(null=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    completed_at = models.DateTimeField(null=True)
    split_of = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="split_payments"
    )
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    reversed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "payments"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_is_positive"),
            models.CheckConstraint(
                condition=one_of("payment_type", PaymentType)
                & one_of("status", PaymentStatus)
                & one_of("method", Method),
                name="payment_words_are_known",
            ),
            models.CheckConstraint(
                condition=Q(unallocated__gte=0, unallocated__lte=F("amount")),
                name="payment_is_never_allocated_twice",
            ),
            models.CheckConstraint(
                condition=Q(status=PaymentStatus.COMPLETED)
                & Q(entry__isnull=False, completed_at__isnull=False)
                | ~Q(status=PaymentStatus.COMPLETED) & Q(entry__isnull=True, unallocated=0),
                name="payment_completed_is_in_the_ledger",
            ),
            models.UniqueConstraint(
                fields=["transaction_id"],
                condition=~Q(transaction_id="")
                & ~Q(status=PaymentStatus.FAILED)
                & ~Q(method=Method.CHEQUE)
                & Q(reversed_at__isnull=True, split_of__isnull=True),
                name="payment_reference_is_used_once",
            ),
            models.UniqueConstraint(
                fields=["subscription", "transaction_id"],
                condition=~Q(transaction_id="")
                & ~Q(status=PaymentStatus.FAILED)
                & Q(method=Method.CHEQUE, reversed_at__isnull=True, split_of__isnull=True),
                name="payment_cheque_is_used_once_a_ticket",
            ),
            models.UniqueConstraint(
                fields=["scheme", "receipt_number"],
                condition=~Q(receipt_number=""),
                name="payment_receipt_number_is_unique",
            ),
        )
        indexes = (
            models.Index(fields=["subscription", "-id"], name="payments_subscription"),
            models.Index(fields=["subscriber", "-id"], name="payments_subscriber"),
            models.Index(fields=["scheme", "-id"], name="payments_scheme"),
            models.Index(
                fields=["subscription", "id"],
                name="payments_with_credit",
                condition=Q(unallocated__gt=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment_type} {self.amount}"


class AllocationPart(models.TextChoices):
    INSTALLMENT = "INSTALLMENT", "Installment"
    LATE_INTEREST = "LATE_INTEREST", "Late interest"


class PaymentAllocation(IdentifiedModel):
    """Rupees of one payment applied to one installment; negative where it is taken back."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    installment = models.ForeignKey(
        Installment, on_delete=models.PROTECT, related_name="allocations"
    )
    part = models.CharField(
        max_length=13, choices=AllocationPart, default=AllocationPart.INSTALLMENT
    )
    amount = MoneyField()
    applied_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "payment_allocations"
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(amount=0), name="payment_allocation_is_not_nothing"
            ),
            models.CheckConstraint(
                condition=one_of("part", AllocationPart), name="payment_allocation_part_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} to {self.installment_id}"
