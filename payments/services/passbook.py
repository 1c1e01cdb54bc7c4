"""What one ticket owes and has paid, in memory, under the scheme's lock.

Credits (payments, dividends) are applied to dues oldest first, then to late interest; what is
left is the ticket's advance (design.md 5.4). Rows are read here and written by `Books`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q

from chitfund.business_date import IST
from chitfund.money import ZERO
from payments.interest import Part, late_interest
from payments.models import (
    AccountKind,
    AllocationPart,
    Installment,
    Payment,
    PaymentAllocation,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    TransferKind,
)
from payments.services.books import Books
from schemes.models import DividendTiming, LateDividend
from subscriptions.models import Subscription

LATE_INTEREST_NOTE = "Late interest"


class Passbook:
    """One ticket's open dues and unspent credits."""

    def __init__(
        self,
        books: Books,
        ticket: Subscription,
        dues: list[Installment],
        credits: list[Payment],
    ) -> None:
        self.books = books
        self.ticket = ticket
        self.dues = sorted(dues, key=lambda due: due.number)
        self.credits = sorted(credits, key=lambda credit: credit.pk)

    # -- credits come in ---------------------------------------------------------------

    def credit(self, payment: Payment) -> None:
        """Take in a completed credit that is not allocated yet."""
        payment.unallocated = payment.amount
        self.credits.append(payment)
        if not payment._state.adding:
            self.books.changes.payments[payment.pk] = payment

    def apply_credits(self) -> None:
        """Apply unspent credits, oldest first: to installments, then interest; then an advance."""
        self.credits.sort(key=lambda credit: credit.pk)
        for due in self.dues:
            self._apply(due, AllocationPart.INSTALLMENT)
        for due in self.dues:
            self._apply(due, AllocationPart.LATE_INTEREST)
        self.summarise()

    def _apply(self, due: Installment, part: AllocationPart) -> None:
        is_interest = part == AllocationPart.LATE_INTEREST
        for credit in self.credits:
            if credit.unallocated == 0:
                continue
            if not is_interest:
                self._forfeit_if_late(credit, due)
            open_amount = due.interest_due if is_interest else due.due
            if amount := min(credit.unallocated, open_amount):
                self.allocate(credit, due, amount, part)

    def allocate(
        self,
        credit: Payment,
        due: Installment,
        amount: Decimal,
        part: AllocationPart = AllocationPart.INSTALLMENT,
    ) -> None:
        """Apply rupees of a credit to a due, and post the interest that paying it late brings."""
        applied_on = max(value_date(credit), due.raised_on)
        self._write(credit, due, amount, part=part, applied_on=applied_on)
        if part == AllocationPart.INSTALLMENT:
            self._settle(due, applied_on)

    def pin(self, dividend: Payment, due: Installment, amount: Decimal) -> None:
        """Apply rupees of a dividend to the installment that it is for.

        It counts from the due day at the latest: a draw that is held late makes nobody late.
        """
        applied_on = max(min(value_date(dividend), due.due_on), due.raised_on)
        self._write(dividend, due, amount, part=AllocationPart.INSTALLMENT, applied_on=applied_on)
        self._settle(due, applied_on)

    def _settle(self, due: Installment, on: date) -> None:
        if due.due == 0:
            due.paid_on = on
            self._charge_interest(due)

    def _write(
        self,
        credit: Payment,
        due: Installment,
        amount: Decimal,
        *,
        part: AllocationPart,
        applied_on: date,
    ) -> None:
        """Move an amount (negative: back) between a credit and a due, and keep the record."""
        credit.unallocated -= amount
        if part == AllocationPart.LATE_INTEREST:
            due.late_interest_paid += amount
        elif credit.payment_type == PaymentType.DIVIDEND:
            due.dividend += amount
        else:
            due.paid += amount
        self._touch(due, credit)
        self._note(credit, due, amount, part=part, applied_on=applied_on)

    def _note(
        self,
        credit: Payment,
        due: Installment,
        amount: Decimal,
        *,
        part: AllocationPart,
        applied_on: date,
    ) -> None:
        self.books.changes.allocations.append(
            PaymentAllocation(
                payment=credit, installment=due, part=part, amount=amount, applied_on=applied_on
            )
        )

    def _touch(self, due: Installment, credit: Payment | None = None) -> None:
        if not due._state.adding:
            self.books.changes.installments[due.pk] = due
        if credit is not None and not credit._state.adding:
            self.books.changes.payments[credit.pk] = credit

    # -- paying late -------------------------------------------------------------------

    def _charge_interest(self, due: Installment) -> None:
        """Post late interest when a due is paid in full; after a reversal only what is missing.

        Whatever paid it last: a part that came late bears interest, even if a cheque of an
        earlier day completes it. Nothing can be late while the day itself is not.
        """
        if not self.is_late(due, self.books.on):
            return
        scheme = self.books.scheme
        interest = late_interest(
            self._parts(due),
            due_on=due.due_on,
            percent=scheme.late_interest_percent,
            grace_days=scheme.grace_days,
        )
        missing = interest - due.late_interest
        if missing <= 0:
            return
        due.late_interest += missing
        self._touch(due)
        self.books.post(
            TransferKind.LATE_INTEREST,
            self.ticket.pk,
            AccountKind.LATE_INTEREST,
            missing,
            number=due.number,
        )
        self.book_entry(PaymentType.PENALTY, missing, due.number, LATE_INTEREST_NOTE)

    def _parts(self, due: Installment) -> list[Part]:
        saved = PaymentAllocation.objects.filter(
            installment=due, part=AllocationPart.INSTALLMENT
        ).values_list("amount", "applied_on")
        pending = [
            (row.amount, row.applied_on)
            for row in self.books.changes.allocations
            if row.installment_id == due.pk and row.part == AllocationPart.INSTALLMENT
        ]
        return [Part(amount, applied_on) for amount, applied_on in [*saved, *pending]]

    def _forfeit_if_late(self, credit: Payment, due: Installment) -> None:
        if due.due > 0 and self.is_late(due, value_date(credit)):
            self.forfeit(due)

    def is_late(self, due: Installment, on: date) -> bool:
        """Tell whether a due is past its days of grace.

        Nobody is late before the draw: one that is moved takes its due day along.
        """
        is_past = (on - due.due_on).days > self.books.scheme.grace_days
        return is_past and due.number <= self.books.last_settled

    def forfeit(self, due: Installment) -> None:
        """Take the dividend of a late installment into the forfeited head, where terms say so.

        Only its own: a dividend of another month that pays it is money like any other. It is
        shared out again with the next pool; the foreman never gets it (s.22(4)). The dividend
        stays spent: what is taken back from the due does not become an advance.
        """
        keeps = self.books.scheme.late_dividend == LateDividend.KEEP
        if keeps or due.dividend == 0 or due.is_dividend_forfeited:
            return
        own = self._own_dividends(due)
        amount = sum((row.amount for row in own), ZERO)
        if amount == 0:
            return
        for row in own:
            self._note(
                row.payment,
                due,
                -row.amount,
                part=AllocationPart(row.part),
                applied_on=row.applied_on,
            )
        due.dividend -= amount
        due.is_dividend_forfeited = True
        self._touch(due)
        self.books.post(
            TransferKind.DIVIDEND_FORFEITED,
            self.ticket.pk,
            AccountKind.FORFEITED_DIVIDEND,
            amount,
            number=due.number,
        )
        self.book_entry(PaymentType.PENALTY, amount, due.number, "Dividend forfeited, paid late")

    def _own_dividends(self, due: Installment) -> list[PaymentAllocation]:
        """Return what the dividend of this month's draw, by the timing, has paid of a due."""
        is_same = self.books.scheme.dividend_timing == DividendTiming.SAME
        draw_number = due.number if is_same else due.number - 1
        saved = PaymentAllocation.objects.filter(installment=due).select_related("payment")
        pending = [row for row in self.books.changes.allocations if row.installment_id == due.pk]
        return [
            row
            for row in [*saved, *pending]
            if row.part == AllocationPart.INSTALLMENT
            and row.payment.payment_type == PaymentType.DIVIDEND
            and row.payment.installment_number == draw_number
        ]

    # -- taking back -------------------------------------------------------------------

    def release(self, credit: Payment, due: Installment, amount: Decimal, on: date) -> None:
        """Take rupees of a credit back from an installment; they become unspent again."""
        self._write(credit, due, -amount, part=AllocationPart.INSTALLMENT, applied_on=on)
        if due.due > 0:
            due.paid_on = None

    def release_interest(
        self, due: Installment, credit: Payment, amount: Decimal, on: date
    ) -> None:
        """Take rupees of a credit back from late interest."""
        self._write(credit, due, -amount, part=AllocationPart.LATE_INTEREST, applied_on=on)

    def spend(self, amount: Decimal) -> None:
        """Use up rupees of the advance, oldest credit first: they leave the ticket."""
        for credit in self.credits:
            part = min(credit.unallocated, amount)
            credit.unallocated -= part
            amount -= part
            self.books.changes.payments[credit.pk] = credit
        if amount > 0:
            raise ValueError("more is spent than the ticket has in advance")
        self.summarise()

    # -- rows and summary --------------------------------------------------------------

    def book_entry(
        self, payment_type: PaymentType, amount: Decimal, number: int, note: str = ""
    ) -> Payment:
        """Add a movement that the member sees and nobody handed over: dividend, interest."""
        payment = Payment(
            scheme=self.books.scheme,
            subscription=self.ticket,
            subscriber_id=self.ticket.subscriber_id,
            amount=amount,
            payment_type=payment_type,
            status=PaymentStatus.COMPLETED,
            method=PaymentMethod.BOOK,
            payment_date=self.books.now,
            installment_number=number,
            entry=self.books.entry,
            completed_at=self.books.now,
            note=note,
        )
        self.books.changes.new_payments.append(payment)
        return payment

    def summarise(self) -> None:
        """Bring the ticket's own columns up to date with its dues and credits."""
        ticket = self.ticket
        unpaid = [due for due in self.dues if due.due > 0]
        ticket.outstanding = sum((due.due + due.interest_due for due in self.dues), ZERO)
        ticket.advance = sum((credit.unallocated for credit in self.credits), ZERO)
        ticket.oldest_unpaid_due_on = min((due.due_on for due in unpaid), default=None)
        first = unpaid[0] if unpaid else None
        ticket.next_due_number = first.number if first else None
        ticket.next_due_on = first.due_on if first else None
        ticket.next_due_amount = first.due if first else None
        self.books.changes.tickets[ticket.pk] = ticket


def value_date(credit: Payment) -> date:
    """Return the day in India from which a credit counts."""
    return credit.payment_date.astimezone(IST).date()


def open_dues() -> Q:
    """Match installments on which something is still owed."""
    return Q(paid_on=None) | Q(late_interest__gt=F("late_interest_paid"))


def passbooks(books: Books, tickets: Iterable[Subscription]) -> dict[UUID, Passbook]:
    """Return the passbooks of tickets: two queries, however many tickets."""
    tickets = list(tickets)
    dues: dict[UUID, list[Installment]] = defaultdict(list)
    for due in Installment.objects.filter(open_dues(), subscription__in=tickets):
        dues[due.subscription_id].append(due)
    credits: dict[UUID, list[Payment]] = defaultdict(list)
    for credit in Payment.objects.filter(subscription__in=tickets, unallocated__gt=0):
        credits[credit.subscription_id].append(credit)
    return {
        ticket.pk: Passbook(books, ticket, dues[ticket.pk], credits[ticket.pk])
        for ticket in tickets
    }


def passbook(books: Books, ticket: Subscription) -> Passbook:
    """Return the passbook of one ticket."""
    return passbooks(books, [ticket])[ticket.pk]
