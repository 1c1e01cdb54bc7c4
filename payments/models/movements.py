"""Money that leaves: prizes, refunds, taxes, and the foreman's account; and the tax rates."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from auctions.models import Auction
from chitfund.db import IdentifiedModel, MoneyField, StatusModel, TimeStampedModel, one_of
from chitfund.money import ZERO
from payments.models.dues import Method, Payment
from schemes.models import Scheme
from subscriptions.models import Subscription


class TaxRate(IdentifiedModel):
    """GST on the foreman's commission from a day on (design.md 9)."""

    percent = models.DecimalField(max_digits=5, decimal_places=2)
    valid_from = models.DateField(unique=True)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "tax_rates"
        ordering = ("-valid_from",)
        constraints = (
            models.CheckConstraint(
                condition=Q(percent__range=(0, 100)), name="tax_rate_is_a_percentage"
            ),
        )

    def __str__(self) -> str:
        return f"{self.percent} % from {self.valid_from}"


class PayoutStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting for approval"
    APPROVED = "APPROVED", "Approved"
    PAID = "PAID", "Paid"


class PrizePayout(IdentifiedModel, TimeStampedModel, StatusModel):
    """The prize of one draw on its way to the winner: approved by one, paid by another."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        PayoutStatus.PENDING: frozenset({PayoutStatus.APPROVED}),
        PayoutStatus.APPROVED: frozenset({PayoutStatus.PAID}),
        PayoutStatus.PAID: frozenset(),
    }

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="payouts")
    auction = models.OneToOneField(Auction, on_delete=models.PROTECT, related_name="payout")
    subscription = models.OneToOneField(
        Subscription, on_delete=models.PROTECT, related_name="payout"
    )
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts"
    )
    prize_amount = MoneyField()
    tax = MoneyField(default=ZERO)
    set_off = MoneyField(default=ZERO)
    net_amount = MoneyField()
    status = models.CharField(max_length=10, choices=PayoutStatus, default=PayoutStatus.PENDING)
    security = models.CharField(max_length=500, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    paid_at = models.DateTimeField(null=True)
    method = models.CharField(max_length=10, choices=Method, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    payment = models.OneToOneField(
        Payment, null=True, on_delete=models.PROTECT, related_name="payout"
    )

    class Meta:
        db_table = "prize_payouts"
        ordering = ("-id",)
        verbose_name = "prize payout"
        permissions = (("approve_prizepayout", "Can approve prize payouts"),)
        constraints = (
            models.CheckConstraint(
                condition=one_of("status", PayoutStatus), name="prize_payout_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(net_amount=F("prize_amount") - F("tax") - F("set_off"))
                & Q(net_amount__gte=0, tax__gte=0, set_off__gte=0),
                name="prize_payout_net_is_prize_less_deductions",
            ),
            models.CheckConstraint(
                condition=Q(status=PayoutStatus.PENDING, approved_by__isnull=True)
                | ~Q(status=PayoutStatus.PENDING)
                & Q(approved_by__isnull=False)
                & ~Q(approved_by=F("payee")),
                name="prize_payout_not_approved_by_payee",
            ),
            models.CheckConstraint(
                condition=Q(paid_by__isnull=True) & ~Q(status=PayoutStatus.PAID)
                | Q(status=PayoutStatus.PAID, paid_by__isnull=False) & ~Q(paid_by=F("approved_by")),
                name="prize_payout_not_paid_by_approver",
            ),
        )

    def __str__(self) -> str:
        return f"prize {self.net_amount}"


class MovementKind(models.TextChoices):
    FOREMAN_DRAWS = "FOREMAN_DRAWS", "Foreman draws"
    FOREMAN_COVERS = "FOREMAN_COVERS", "Foreman covers a shortfall"
    TAX_PAID = "TAX_PAID", "Tax paid"
    REFUND = "REFUND", "Refund"


class MovementStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting for a second person"
    COMPLETED = "COMPLETED", "Completed"
    REJECTED = "REJECTED", "Rejected"


class CashMovement(IdentifiedModel, TimeStampedModel, StatusModel):
    """Cash of a scheme that moves beside payments and prizes; what leaves needs two people."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        MovementStatus.PENDING: frozenset({MovementStatus.COMPLETED, MovementStatus.REJECTED}),
        MovementStatus.COMPLETED: frozenset(),
        MovementStatus.REJECTED: frozenset(),
    }

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="cash_movements")
    kind = models.CharField(max_length=15, choices=MovementKind)
    amount = MoneyField()
    reference = models.CharField(max_length=100)
    note = models.CharField(max_length=500, blank=True)
    subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.PROTECT, related_name="cash_movements"
    )
    status = models.CharField(max_length=10, choices=MovementStatus, default=MovementStatus.PENDING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    entry = models.UUIDField(null=True)

    class Meta:
        db_table = "cash_movements"
        ordering = ("-id",)
        verbose_name = "cash movement"
        permissions = (("approve_cashmovement", "Can approve cash movements"),)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="cash_movement_is_positive"),
            models.CheckConstraint(
                condition=one_of("kind", MovementKind) & one_of("status", MovementStatus),
                name="cash_movement_words_are_known",
            ),
            models.CheckConstraint(
                condition=Q(kind=MovementKind.REFUND, subscription__isnull=False)
                | ~Q(kind=MovementKind.REFUND) & Q(subscription__isnull=True),
                name="cash_movement_refund_names_its_ticket",
            ),
            models.CheckConstraint(
                condition=Q(kind=MovementKind.FOREMAN_COVERS)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("requested_by")),
                name="cash_movement_out_needs_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(status=MovementStatus.COMPLETED, entry__isnull=False)
                & Q(decided_by__isnull=False)
                | ~Q(status=MovementStatus.COMPLETED) & Q(entry__isnull=True),
                name="cash_movement_completed_is_in_the_ledger",
            ),
            models.UniqueConstraint(
                fields=["scheme", "kind", "reference"],
                condition=~Q(status=MovementStatus.REJECTED),
                name="cash_movement_reference_is_used_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
