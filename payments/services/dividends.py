"""Dividends: credited to tickets, forfeited by late payers, shared out again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from chitfund.money import ZERO, split_evenly
from payments.models import (
    AccountKind,
    AllocationPart,
    Installment,
    Payment,
    PaymentAllocation,
    PaymentType,
    TransferKind,
)
from payments.services.books import Books, holding_tickets
from payments.services.passbook import Passbook, passbooks
from schemes.models import DividendTiming, LateDividend, Scheme


def credit_dividends(
    books: Books, recipients: Sequence[Passbook], shares: Sequence[Decimal], *, draw_number: int
) -> None:
    """Credit each recipient's share, in rupees, against the installment that the timing names.

    NEXT: the installment after the draw, already raised; after the last draw there is none and
    the share pays dues or becomes a credit (s.22(6), "if any"). SAME: the draw's own; money that
    was paid on it before comes free again.
    """
    is_same = books.scheme.dividend_timing == DividendTiming.SAME
    target = draw_number if is_same else draw_number + 1
    dues = _target_dues(books, recipients, target)
    for page, share in zip(recipients, shares, strict=True):
        if share == 0:
            continue
        dividend = page.book_entry(PaymentType.DIVIDEND, share, draw_number, "Dividend")
        books.post(
            TransferKind.DIVIDEND,
            AccountKind.DIVIDEND_POOL,
            page.ticket.pk,
            share,
            number=draw_number,
        )
        page.credit(dividend)
        if due := dues.get(page.ticket.pk):
            _pin(page, dividend, due)


def _target_dues(
    books: Books, recipients: Iterable[Passbook], number: int
) -> dict[UUID, Installment]:
    """Return the installment of a number for each ticket, paid ones included."""
    dues = {
        due.subscription_id: due for page in recipients for due in page.dues if due.number == number
    }
    missing = [page.ticket for page in recipients if page.ticket.pk not in dues]
    if missing:
        paid = Installment.objects.filter(subscription__in=missing, number=number)
        dues |= {due.subscription_id: due for due in paid}
    return dues


def _pin(page: Passbook, dividend: Payment, due: Installment) -> None:
    """Allocate a dividend to its own installment, making room where it was paid already."""
    room = due.gross - due.dividend
    amount = min(dividend.unallocated, room)
    short = amount - due.due
    if short > 0:
        _make_room(page, due, short)
    if amount > 0:
        page.pin(dividend, due, amount)


def _make_room(page: Passbook, due: Installment, amount: Decimal) -> None:
    rows = (
        PaymentAllocation.objects.filter(
            installment=due,
            part=AllocationPart.INSTALLMENT,
            payment__payment_type=PaymentType.INSTALLMENT,
        )
        .select_related("payment")
        .order_by("-id")
    )
    known = {credit.pk: credit for credit in page.credits}
    for row, left in _standing(rows):
        back = min(amount, left)
        credit = known.setdefault(row.payment_id, row.payment)
        page.release(credit, due, back, row.applied_on)
        if credit not in page.credits:
            page.credits.append(credit)
        amount -= back
        if amount == 0:
            return
    raise ValueError(f"installment {due.pk} holds less money than it says")


def _standing(
    newest_first: Iterable[PaymentAllocation],
) -> Iterator[tuple[PaymentAllocation, Decimal]]:
    """Return what is left of each allocation: what was taken back came off the newest."""
    taken_back: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    for row in newest_first:
        if row.amount < 0:
            taken_back[row.payment_id] -= row.amount
            continue
        gone = min(row.amount, taken_back[row.payment_id])
        taken_back[row.payment_id] -= gone
        if row.amount > gone:
            yield row, row.amount - gone


def sweep_late_dividends(books: Books, pages: Mapping[UUID, Passbook]) -> None:
    """At a draw, forfeit the dividends of installments that are late, where terms say so."""
    if books.scheme.late_dividend == LateDividend.KEEP:
        return
    for page in pages.values():
        for due in page.dues:
            if due.due > 0 and page.is_late(due, books.on):
                page.forfeit(due)


def share_forfeited(books: Books) -> Decimal:
    """Move what was forfeited into the dividend pool; return the rupees moved."""
    amount = books.balance(AccountKind.FORFEITED_DIVIDEND)
    books.post(
        TransferKind.FORFEIT_SHARED,
        AccountKind.FORFEITED_DIVIDEND,
        AccountKind.DIVIDEND_POOL,
        amount,
    )
    return amount


def share_late_forfeits(scheme: Scheme) -> None:
    """Share what was forfeited when no pool follows, on a locked scheme after its last draw.

    To the paisa, odd ones to low numbers. A share may pay for a ticket that is late itself, and
    so forfeit its dividend: that is shared too, until nothing is left.
    """
    books = Books(scheme)
    while amount := share_forfeited(books):
        pages = list(passbooks(books, holding_tickets(scheme)).values())
        shares = split_evenly(amount, len(pages))
        credit_dividends(books, pages, shares, draw_number=scheme.duration_months)
        for page in pages:
            page.apply_credits()
        books.save()
