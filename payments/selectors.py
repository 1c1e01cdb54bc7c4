"""Reads about money that span models."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import User
from accounts.permissions import has_staff_permission
from chitfund.money import ZERO
from payments.models import (
    CashMovement,
    Installment,
    Payment,
    PaymentAllocation,
    PrizePayout,
    TaxRate,
)


def tax_percent_on(day: date) -> Decimal:
    """Return the GST percent on a foreman's commission that holds on a day; 0 before any."""
    rate = (
        TaxRate.objects.filter(valid_from__lte=day)
        .order_by("-valid_from")
        .values_list("percent", flat=True)
        .first()
    )
    return ZERO if rate is None else rate


def payments_with_allocations() -> QuerySet[Payment]:
    """Return payments with what they are shown with."""
    return Payment.objects.select_related("subscription").prefetch_related(_allocations())


def visible_payments(user: User) -> QuerySet[Payment]:
    """Return own payments, a foreman's schemes' payments, or all for staff with the right."""
    payments = payments_with_allocations()
    if has_staff_permission(user, "payments.view_payment"):
        return payments
    return payments.filter(Q(subscriber=user) | Q(scheme__foreman=user))


def _allocations() -> Prefetch[str, QuerySet[PaymentAllocation], str]:
    rows = PaymentAllocation.objects.select_related("installment").only(
        "payment_id", "amount", "part", "installment__number"
    )
    return Prefetch("allocations", queryset=rows.order_by("id"))


def visible_installments(user: User) -> QuerySet[Installment]:
    """Return the installments of tickets that somebody may see."""
    if has_staff_permission(user, "payments.view_installment"):
        return Installment.objects.all()
    return Installment.objects.filter(Q(subscription__subscriber=user) | Q(scheme__foreman=user))


def visible_payouts(user: User) -> QuerySet[PrizePayout]:
    """Return the prizes of a person's tickets, of a foreman's schemes, or all for staff."""
    payouts = PrizePayout.objects.select_related("auction", "subscription", "payee")
    if has_staff_permission(user, "payments.view_prizepayout"):
        return payouts
    return payouts.filter(Q(payee=user) | Q(scheme__foreman=user))


def visible_movements(user: User) -> QuerySet[CashMovement]:
    """Return the cash movements of a foreman's schemes, or all for staff with the right."""
    if has_staff_permission(user, "payments.view_cashmovement"):
        return CashMovement.objects.all()
    return CashMovement.objects.filter(scheme__foreman=user)
