"""Setting a winner's dues off against the prize (design.md 5.2, "winner's own dues")."""

from __future__ import annotations

from decimal import Decimal

from chitfund.money import ZERO
from payments.models import (
    AccountKind,
    AllocationPart,
    Installment,
    Payment,
    PaymentType,
    TransferKind,
)
from payments.services.books import Books
from payments.services.passbook import Passbook


def set_off_arrears(books: Books, page: Passbook, *, draw_number: int, limit: Decimal) -> Decimal:
    """Pay the ticket's installments up to the draw's, then the interest that this brings, out of
    its prize; return the rupees set off."""
    overdue = [due for due in page.dues if due.due > 0 and due.number <= draw_number]
    if not overdue:
        return ZERO
    dues = min(limit, sum((due.due for due in overdue), ZERO))
    _take(books, page, dues, number=overdue[0].number)
    page.apply_credits()
    interest = min(limit - dues, sum((due.interest_due for due in overdue), ZERO))
    if interest > 0:
        _pay_interest(page, _take(books, page, interest, number=overdue[0].number), overdue)
    return dues + interest


def _take(books: Books, page: Passbook, amount: Decimal, *, number: int) -> Payment:
    payment = page.book_entry(PaymentType.INSTALLMENT, amount, number, "Set off against the prize")
    books.post(TransferKind.SET_OFF, AccountKind.PRIZE_PAYABLE, page.ticket.pk, amount)
    page.credit(payment)
    return payment


def _pay_interest(page: Passbook, payment: Payment, dues: list[Installment]) -> None:
    """Apply it to the interest that it is for, though a newer installment is open already."""
    for due in dues:
        if part := min(payment.unallocated, due.interest_due):
            page.allocate(payment, due, part, AllocationPart.LATE_INTEREST)
