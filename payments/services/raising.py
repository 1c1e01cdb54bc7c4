"""Raising the month's installment on every ticket (design.md 5.4, "Raising")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from auctions.models import Auction
from auctions.terms import terms_of
from chitfund.business_date import IST
from payments.models import AccountKind, Installment, TransferKind
from payments.services.books import Books
from payments.services.passbook import Passbook
from schemes.models import Scheme


def raise_installment(
    books: Books, pages: Mapping[UUID, Passbook], number: int
) -> dict[UUID, Installment]:
    """Ask every ticket for its gross amount of a month; the pot of that month is then full.

    Due on the day of the month's draw, or today if that has passed: nobody is late on the day
    an installment is raised. Credits are not applied here; the caller does, once.
    """
    scheme = books.scheme
    gross = terms_of(scheme).gross_installment(is_foremans=number == scheme.foreman_installment)
    due_on = max(draw_date(books, number), books.on)
    raised = {}
    for ticket_id, page in pages.items():
        due = Installment(
            scheme=scheme,
            subscription=page.ticket,
            number=number,
            gross=gross,
            due_on=due_on,
            raised_on=books.on,
        )
        books.changes.new_installments.append(due)
        books.post(
            TransferKind.INSTALLMENT_RAISED, ticket_id, AccountKind.CHIT, gross, number=number
        )
        page.dues.append(due)
        raised[ticket_id] = due
    return raised


def draw_date(books: Books, number: int) -> date:
    """Return the day on which the draw of an installment is scheduled."""
    auction = Auction.objects.only("scheduled_at").get(
        scheme=books.scheme, installment_number=number
    )
    return auction.scheduled_at.astimezone(IST).date()


def move_due_day(scheme: Scheme, number: int, day: date) -> bool:
    """Let an installment be due on a later day, that of its draw; tell whether any was earlier."""
    dues = Installment.objects.filter(scheme=scheme, number=number, due_on__lt=day)
    return dues.update(due_on=day) > 0
