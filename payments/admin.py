"""The money desk: prizes and cash movements are decided here; the rest is read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.audit import record_audit_event
from chitfund.desk import DecidingAdmin, ReadOnlyAdmin
from chitfund.money import format_inr
from payments.models import (
    CashMovement,
    Installment,
    LedgerAccount,
    Payment,
    PrizePayout,
    TaxRate,
    Transfer,
)
from payments.services import cash, payouts


@admin.register(PrizePayout)
class PrizePayoutAdmin(DecidingAdmin):
    """Prizes: approved here; paid by somebody else."""

    actions = ("approve_selected",)
    list_display = ("scheme", "auction", "payee", "net", "status", "approved_by", "paid_by")
    list_filter = ("status",)
    list_select_related = ("scheme", "auction", "payee", "approved_by", "paid_by")
    search_fields = ("scheme__name", "payee__full_name", "reference")

    @admin.display(description="To be paid", ordering="net_amount")
    def net(self, payout: PrizePayout) -> str:
        return format_inr(payout.net_amount)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.approve_prizepayout")

    @admin.action(
        description="Approve, security for future dues taken and on file", permissions=["approve"]
    )
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[PrizePayout]) -> None:
        self.decide(
            request,
            queryset,
            lambda payout: payouts.approve_payout(
                payout_id=payout.pk,
                actor=request.user,
                security=f"Seen and filed by {request.user.full_name}",
            ),
            "Approved for payment.",
        )


@admin.register(CashMovement)
class CashMovementAdmin(DecidingAdmin):
    """Cash that leaves needs a second person: here."""

    actions = ("approve_selected",)
    list_display = ("scheme", "kind", "rupees", "reference", "status", "requested_by", "decided_by")
    list_filter = ("status", "kind")
    list_select_related = ("scheme", "requested_by", "decided_by")
    search_fields = ("scheme__name", "reference")

    @admin.display(description="Amount", ordering="amount")
    def rupees(self, movement: CashMovement) -> str:
        return format_inr(movement.amount)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.approve_cashmovement")

    @admin.action(description="Approve selected movements", permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[CashMovement]) -> None:
        self.decide(
            request,
            queryset,
            lambda movement: cash.approve_movement(
                scheme_id=movement.scheme_id, movement_id=movement.pk, actor=request.user
            ),
            "Approved and posted.",
        )


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        "payment_date",
        "scheme",
        "ticket",
        "payment_type",
        "rupees",
        "method",
        "status",
        "receipt_number",
    )
    list_filter = ("payment_type", "status", "method")
    list_select_related = ("scheme", "subscription")
    search_fields = ("receipt_number", "transaction_id", "scheme__name", "subscriber__full_name")

    @admin.display(description="Ticket", ordering="subscription__ticket_number")
    def ticket(self, payment: Payment) -> int:
        return payment.subscription.ticket_number

    @admin.display(description="Amount", ordering="amount")
    def rupees(self, payment: Payment) -> str:
        return format_inr(payment.amount)


@admin.register(Installment)
class InstallmentAdmin(ReadOnlyAdmin):
    list_display = ("scheme", "subscription", "number", "due_on", "net", "paid", "paid_on")
    list_filter = ("due_on",)
    list_select_related = ("scheme", "subscription")
    search_fields = ("scheme__name",)


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "business_date",
        "scheme",
        "kind",
        "installment_number",
        "debit_account",
        "credit_account",
        "amount",
    )
    list_filter = ("kind",)
    list_select_related = ("scheme", "debit_account", "credit_account")
    search_fields = ("scheme__name",)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("scheme", "kind", "subscription", "debits", "credits", "balance")
    list_filter = ("kind",)
    list_select_related = ("scheme", "subscription")
    search_fields = ("scheme__name",)


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    """Rates are added with the day from which they hold; used ones stay."""

    list_display = ("percent", "valid_from", "source")

    def save_model(self, request: HttpRequest, obj: TaxRate, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Add the rate with its audit event; the desk's own transaction holds both."""
        super().save_model(request, obj, form, change)
        record_audit_event(
            actor=request.user,
            verb="tax_rate.added",
            target=obj,
            percent=obj.percent,
            valid_from=obj.valid_from,
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
