"""What the foreman earns, on its way to the foreman's current account (design.md 5.2)."""

from __future__ import annotations

from chitfund.money import ZERO
from payments.models import AccountKind, TransferKind
from payments.services.books import Books
from schemes.models import Scheme

INCOME = (AccountKind.COMMISSION, AccountKind.LATE_INTEREST, AccountKind.FEES)


def credit_income(books: Books) -> None:
    """Move everything earned to the foreman's account."""
    for kind in INCOME:
        earned = max(books.balance(kind), ZERO)
        books.post(TransferKind.INCOME_TO_FOREMAN, kind, AccountKind.FOREMAN, earned)


def make_good(books: Books) -> None:
    """Charge the foreman with income that was drawn and then taken back by a reversal."""
    for kind in INCOME:
        missing = max(-books.balance(kind), ZERO)
        books.post(TransferKind.INCOME_TO_FOREMAN, AccountKind.FOREMAN, kind, missing)


def settle_income(scheme: Scheme) -> None:
    """Set income and the foreman's account off where together they are nothing.

    Else a reversal of drawn interest could leave two heads that cancel, and a chit open.
    """
    books = Books(scheme)
    heads = [books.balance(kind) for kind in (*INCOME, AccountKind.FOREMAN)]
    if any(heads) and sum(heads, ZERO) == 0:
        credit_income(books)
        make_good(books)
        books.save()
