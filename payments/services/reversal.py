"""Undoing a completed payment by another row and mirrored transfers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from accounts.audit import record_audit_event
from accounts.models import User
from chitfund.exceptions import Conflict, NotAllowed, WrongState
from chitfund.money import ZERO, format_inr
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import (
    AllocationPart,
    Installment,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    PaymentType,
    Transfer,
    TransferKind,
)
from payments.services.books import Books, need_running
from payments.services.closing import close_books_if_done
from payments.services.passbook import LATE_INTEREST_NOTE, Passbook, passbook
from payments.services.recording import DECIDE, keeps_the_till, lock_payment
from subscriptions.models import Subscription


@transaction.atomic
def reverse_payment(*, payment_id: UUID, actor: User, reason: str) -> Payment:
    """Undo a completed payment: its dues are open again, its late interest is taken back.

    Returns the reversing payment. Raises Conflict if it is reversed already or its cash is no
    longer there, WrongState if part of it was refunded.
    """
    payment, ticket = lock_payment(payment_id)
    if not keeps_the_till(actor, payment.scheme, DECIDE):
        raise NotAllowed("Only the foreman of the scheme or an administrator may reverse this.")
    _check_reversible(payment)
    books = Books(payment.scheme)
    books.need_cash(payment.amount, "Reversing this payment")
    page = passbook(books, ticket)
    _take_in_what_it_paid(page, payment)
    transfers = _transfers_to_mirror(payment)
    _take_back_interest(page, transfers)
    _take_back_paid_interest(page, payment, transfers)
    _take_back_allocations(page, payment)
    for transfer in transfers:
        books.post_reversal(transfer)
    mirror = _reversing_row(books, payment, actor, reason)
    _mark_reversed(books, page, payment)
    page.apply_credits()
    books.save()
    record_audit_event(
        actor=actor, verb="payment.reversed", target=payment, reason=reason, by=str(mirror.pk)
    )
    _tell(payment, ticket, reason)
    close_books_if_done(payment.scheme, actor=actor)
    return mirror


def _check_reversible(payment: Payment) -> None:
    need_running(payment.scheme)
    if payment.reversed_at is not None:
        raise Conflict("This payment is reversed already.", code="already_reversed")
    if payment.status != PaymentStatus.COMPLETED or payment.reverses_id is not None:
        raise WrongState("Only a completed payment can be reversed; fail a pending one instead.")
    if payment.payment_type != PaymentType.INSTALLMENT or not payment.receipt_number:
        raise WrongState("Only money that was received can be reversed; this is a book entry.")
    applied = _applied(payment)
    refunded = payment.amount - payment.unallocated - applied
    if refunded > 0:
        raise WrongState(
            f"{format_inr(refunded)} of this payment was refunded to the subscriber; "
            "that part cannot be taken back."
        )


def _applied(payment: Payment) -> Decimal:
    return payment.allocations.aggregate(total=Sum("amount"))["total"] or ZERO


def _take_in_what_it_paid(page: Passbook, payment: Payment) -> None:
    """Put the payment and every due it paid on the page, each as one object."""
    page.credits = [credit for credit in page.credits if credit.pk != payment.pk]
    known = {due.pk for due in page.dues}
    paid = Installment.objects.filter(allocations__payment=payment).exclude(pk__in=known)
    page.dues = sorted([*page.dues, *paid.distinct()], key=lambda due: due.number)


def _transfers_to_mirror(payment: Payment) -> list[Transfer]:
    """Return the payment's own transfers and the interest it brought.

    A dividend that was forfeited because the payment was late stays forfeited: without the
    payment it is later still.
    """
    kinds = (TransferKind.PAYMENT_RECEIVED, TransferKind.LATE_INTEREST)
    if payment.entry is None:
        return []
    return list(
        Transfer.objects.filter(entry=payment.entry, kind__in=kinds)
        .filter(reversed_by=None)
        .select_related("debit_account", "credit_account")
        .order_by("id")
    )


def _take_back_interest(page: Passbook, transfers: list[Transfer]) -> None:
    by_number = {due.number: due for due in page.dues}
    credits = {credit.pk: credit for credit in page.credits}
    for transfer in transfers:
        if transfer.kind != TransferKind.LATE_INTEREST:
            continue
        due = by_number[transfer.installment_number]  # type: ignore[index]
        _release_interest(page, due, due.late_interest_paid, credits)
        due.late_interest -= transfer.amount
        page.books.changes.installments[due.pk] = due
        _take_back_its_row(page.books, transfer)


def _take_back_its_row(books: Books, transfer: Transfer) -> None:
    """Reverse the row by which the member saw the interest, as the interest itself is."""
    charged = Payment.objects.get(
        entry=transfer.entry,
        payment_type=PaymentType.PENALTY,
        installment_number=transfer.installment_number,
        note=LATE_INTEREST_NOTE,
    )
    charged.reversed_at = books.now
    books.changes.payments[charged.pk] = charged
    books.changes.new_payments.append(
        Payment(
            scheme=books.scheme,
            subscription_id=charged.subscription_id,
            subscriber_id=charged.subscriber_id,
            amount=charged.amount,
            payment_type=charged.payment_type,
            status=PaymentStatus.COMPLETED,
            method=charged.method,
            payment_date=books.now,
            installment_number=charged.installment_number,
            entry=books.entry,
            completed_at=books.now,
            reverses=charged,
            note="Late interest taken back with the payment that brought it",
        )
    )


def _release_interest(
    page: Passbook, due: Installment, amount: Decimal, credits: dict[UUID, Payment]
) -> None:
    """Give the interest paid on a due back to the payments that paid it."""
    if amount == 0:
        return
    sums = (
        PaymentAllocation.objects.filter(installment=due, part=AllocationPart.LATE_INTEREST)
        .values("payment_id")
        .annotate(total=Sum("amount"))
        .filter(total__gt=0)
    )
    for row in sums:
        credit = credits.get(row["payment_id"]) or Payment.objects.get(pk=row["payment_id"])
        page.release_interest(due, credit, row["total"], page.books.on)
        if credit.pk not in credits:
            credits[credit.pk] = credit
            page.credits.append(credit)


def _take_back_paid_interest(page: Passbook, payment: Payment, transfers: list[Transfer]) -> None:
    """Open the interest that this payment paid and another one had brought."""
    brought = {
        row.installment_number for row in transfers if row.kind == TransferKind.LATE_INTEREST
    }
    sums = (
        PaymentAllocation.objects.filter(payment=payment, part=AllocationPart.LATE_INTEREST)
        .values("installment_id")
        .annotate(total=Sum("amount"))
        .filter(total__gt=0)
    )
    by_id = {due.pk: due for due in page.dues}
    for row in sums:
        due = by_id[row["installment_id"]]
        if due.number not in brought:
            page.release_interest(due, payment, row["total"], page.books.on)


def _take_back_allocations(page: Passbook, payment: Payment) -> None:
    by_id = {due.pk: due for due in page.dues}
    sums = (
        payment.allocations.filter(part=AllocationPart.INSTALLMENT)
        .values("installment_id", "applied_on")
        .annotate(total=Sum("amount"))
        .exclude(total=0)
    )
    for row in sums:
        page.release(payment, by_id[row["installment_id"]], row["total"], row["applied_on"])


def _mark_reversed(books: Books, page: Passbook, payment: Payment) -> None:
    """The payment is worth nothing any more: neither allocated nor an advance."""
    payment.unallocated = ZERO
    payment.reversed_at = books.now
    books.changes.payments[payment.pk] = payment
    page.credits = [credit for credit in page.credits if credit.pk != payment.pk]


def _reversing_row(books: Books, payment: Payment, actor: User, reason: str) -> Payment:
    mirror = Payment(
        scheme=payment.scheme,
        subscription=payment.subscription,
        subscriber_id=payment.subscriber_id,
        amount=payment.amount,
        payment_type=payment.payment_type,
        status=PaymentStatus.COMPLETED,
        method=payment.method,
        payment_date=books.now,
        entry=books.entry,
        recorded_by=actor,
        confirmed_by=actor,
        completed_at=books.now,
        reverses=payment,
        note=reason,
    )
    books.changes.new_payments.append(mirror)
    return mirror


def _tell(payment: Payment, ticket: Subscription, reason: str) -> None:
    notify(
        recipient_id=ticket.subscriber_id,
        event=NotificationEvent.PAYMENT_REVERSED,
        scheme=payment.scheme.name,
        ticket=str(ticket.ticket_number),
        amount=str(payment.amount),
        reason=reason,
    )
