"""Rows about money: dues, payments, the ledger, prizes and cash movements."""

from payments.models.dues import (
    TILL_METHODS,
    AllocationPart,
    Installment,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    PaymentType,
)
from payments.models.dues import Method as PaymentMethod
from payments.models.ledger import DEBIT_SIDE, AccountKind, LedgerAccount, Transfer, TransferKind
from payments.models.movements import (
    CashMovement,
    MovementKind,
    MovementStatus,
    PayoutStatus,
    PrizePayout,
    TaxRate,
)

__all__ = [
    "DEBIT_SIDE",
    "TILL_METHODS",
    "AccountKind",
    "AllocationPart",
    "CashMovement",
    "Installment",
    "LedgerAccount",
    "MovementKind",
    "MovementStatus",
    "Payment",
    "PaymentAllocation",
    "PaymentMethod",
    "PaymentStatus",
    "PaymentType",
    "PayoutStatus",
    "PrizePayout",
    "TaxRate",
    "Transfer",
    "TransferKind",
]
