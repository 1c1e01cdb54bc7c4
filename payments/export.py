"""What `payments` holds about one person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chitfund.data_rights import rows_of
from payments.models import Payment, PrizePayout


def payments(user_id: UUID) -> list[dict[str, Any]]:
    rows = Payment.objects.filter(subscriber=user_id)
    return rows_of(
        rows, "id", "scheme__name", "subscription__ticket_number", "amount", "payment_type",
        "status", "method", "transaction_id", "payment_date", "installment_number",
        "receipt_number", "note", "created_at",
    )  # fmt: skip


def payouts(user_id: UUID) -> list[dict[str, Any]]:
    rows = PrizePayout.objects.filter(payee=user_id)
    return rows_of(
        rows, "id", "scheme__name", "prize_amount", "tax", "set_off", "net_amount", "status",
        "security", "paid_at", "method", "reference", "created_at",
    )  # fmt: skip
