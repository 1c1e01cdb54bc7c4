"""Setting a winner's dues off against the prize (design.md 5.2, "winner's own dues")."""

from __future__ import annotations

from decimal import Decimal

from chitfund.money import ZERO
from payments.models import AccountKind, PaymentType, TransferKind
from payments.services.books import Books
from payments.services.passbook import Passbook


def set_off_arrears(books: Books, page: Passbook, *, limit: Decimal) -> Decimal:
    """Pay the ticket's overdue installments, then the interest that this brings, out of its
    prize; return the rupees set off."""
    overdue = [due for due in page.dues if due.due > 0 and due.due_on < books.on]
    if not overdue:
        return ZERO
    dues = min(limit, sum((due.due for due in overdue), ZERO))
    _set_off(books, page, dues, number=overdue[0].number)
    interest = min(limit - dues, sum((due.interest_due for due in overdue), ZERO))
    _set_off(books, page, interest, number=overdue[0].number)
    return dues + interest


def _set_off(books: Books, page: Passbook, amount: Decimal, *, number: int) -> None:
    if amount == 0:
        return
    payment = page.book_entry(PaymentType.INSTALLMENT, amount, number, "Set off against the prize")
    books.post(TransferKind.SET_OFF, AccountKind.PRIZE_PAYABLE, page.ticket.pk, amount)
    page.credit(payment)
    page.apply_credits()
