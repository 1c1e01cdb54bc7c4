"""Money that comes in: recorded by the office, declared by the payer, confirmed or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import has_staff_permission
from auctions.terms import terms_of
from chitfund.business_date import IST, business_date, business_now, financial_year
from chitfund.db import next_number
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from chitfund.money import ZERO, format_inr, rupees
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import (
    AccountKind,
    Installment,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    TransferKind,
)
from payments.services.books import Books, need_running
from payments.services.closing import close_books_if_done
from payments.services.passbook import passbook
from schemes.models import Scheme
from schemes.services import lock_scheme
from subscriptions.models import HOLDING, Subscription, SubscriptionStatus

# Cash is counted on the spot; all else is known by the reference of who carried it.
NEEDS_REFERENCE = frozenset(PaymentMethod) - {PaymentMethod.CASH, PaymentMethod.BOOK}
RECORD = "payments.add_payment"
DECIDE = "payments.change_payment"


@dataclass(frozen=True)
class Share:
    """Rupees of one transfer that are meant for one ticket."""

    subscription_id: UUID
    amount: Decimal


@dataclass(frozen=True)
class Slip:
    """What is known of a payment that came from outside; without a moment it is now."""

    method: PaymentMethod
    transaction_id: str = ""
    payment_date: datetime = field(default_factory=business_now)
    note: str = ""


@transaction.atomic
def record_payment(*, actor: User, shares: Sequence[Share], slip: Slip) -> list[Payment]:
    """Take in a payment for one ticket, or one transfer for several (amounts in rupees).

    The office records: COMPLETED at once, a cheque PENDING until cleared. A subscriber
    declares for their own ticket: PENDING until the office confirms. Dues are paid oldest
    first, then late interest; the rest is an advance. Raises NotFound, WrongState, InvalidInput,
    or Conflict for a reference that is known already.
    """
    tickets = _lock_tickets(actor, [share.subscription_id for share in shares])
    slip = _checked(slip)
    payments: list[Payment] = []
    for share in _by_receipt_series(shares, tickets):
        ticket = tickets[share.subscription_id]
        is_office = _check_may_pay(actor, ticket)
        _check_takes_money(ticket)
        _check_amount(ticket, share.amount)
        payment = _new_payment(actor, ticket, share.amount, slip)
        payment.split_of = payments[0] if payments else None
        refuse_known_reference(payment)
        payments.append(payment)
        if is_office and slip.method != PaymentMethod.CHEQUE:
            _complete(payment, ticket, actor)
        else:
            payment.save()
        record_audit_event(
            actor=actor,
            verb="payment.recorded" if is_office else "payment.declared",
            target=payment,
            amount=str(payment.amount),
            method=payment.method,
            status=payment.status,
        )
    return payments


def _lock_tickets(actor: User, ids: Sequence[UUID]) -> dict[UUID, Subscription]:
    """Lock the schemes of tickets that the actor may pay for, lowest id first.

    Whether they may is asked before: nobody can hold up a chit that is not theirs.
    """
    if len(set(ids)) != len(ids):
        raise InvalidInput.on("split", "Name each ticket once; add the amounts up.")
    wanted = Subscription.objects.filter(pk__in=ids)
    found = {ticket.pk: ticket for ticket in wanted.select_related("scheme")}
    for ticket_id in ids:
        if ticket_id not in found:
            raise NotFound("There is no such ticket that you may pay for.")
        _check_may_pay(actor, found[ticket_id])
    scheme_ids = {ticket.scheme_id for ticket in found.values()}
    schemes = {scheme_id: lock_scheme(scheme_id) for scheme_id in sorted(scheme_ids)}
    tickets = {ticket.pk: ticket for ticket in wanted.select_related("subscriber").all()}
    for ticket in tickets.values():
        ticket.scheme = schemes[ticket.scheme_id]
    return tickets


def _by_receipt_series(shares: Sequence[Share], tickets: dict[UUID, Subscription]) -> list[Share]:
    """Order shares by foreman: each numbers receipts of their own, and two transfers for the
    same two foremen would wait for each other if they took the numbers in opposite orders."""
    return sorted(shares, key=lambda share: tickets[share.subscription_id].scheme.foreman_id)


def keeps_the_till(actor: User, scheme: Scheme, permission: str) -> bool:
    """Tell whether somebody is the scheme's foreman, or an administrator with the permission."""
    return scheme.foreman_id == actor.pk or has_staff_permission(actor, permission)


def _check_may_pay(actor: User, ticket: Subscription) -> bool:
    is_office = keeps_the_till(actor, ticket.scheme, RECORD)
    if not is_office and ticket.subscriber_id != actor.pk:
        raise NotFound("There is no such ticket that you may pay for.")
    return is_office


def _check_takes_money(ticket: Subscription) -> None:
    need_running(ticket.scheme)
    if ticket.status not in HOLDING or ticket.status == SubscriptionStatus.COMPLETED:
        raise WrongState(
            f"Ticket {ticket.ticket_number} is {ticket.get_status_display().lower()}; "
            "it takes no payments."
        )


def _checked(slip: Slip) -> Slip:
    reference = slip.transaction_id.strip().upper()
    if slip.method in NEEDS_REFERENCE and not reference:
        raise InvalidInput.on(
            "transaction_id",
            f"A payment by {PaymentMethod(slip.method).label} needs its reference number.",
        )
    return replace(slip, transaction_id=reference)


def _check_amount(ticket: Subscription, amount: Decimal) -> None:
    """Refuse what the ticket can never owe: a slip of the keyboard, not an advance."""
    rupees(amount)
    # What is owed counts twice: interest that paying it late will bring is not posted before.
    limit = 2 * ticket.outstanding - ticket.advance + _still_to_be_raised(ticket)
    if amount > max(limit, ZERO):
        raise InvalidInput.on(
            "amount",
            f"Ticket {ticket.ticket_number} owes {format_inr(ticket.outstanding)} now and at most "
            f"{format_inr(max(limit, ZERO))} until the chit ends; {format_inr(amount)} is more.",
        )


def _still_to_be_raised(ticket: Subscription) -> Decimal:
    scheme = ticket.scheme
    terms = terms_of(scheme)
    raised = Installment.objects.filter(subscription=ticket).count()
    months = range(raised + 1, scheme.duration_months + 1)
    usual = terms.gross_installment(is_foremans=False)
    if scheme.foreman_installment not in months:
        return usual * len(months)
    return usual * (len(months) - 1) + terms.gross_installment(is_foremans=True)


def _new_payment(actor: User, ticket: Subscription, amount: Decimal, slip: Slip) -> Payment:
    _check_day(slip.payment_date, ticket)
    return Payment(
        scheme=ticket.scheme,
        subscription=ticket,
        subscriber_id=ticket.subscriber_id,
        amount=amount,
        payment_type=PaymentType.INSTALLMENT,
        method=slip.method,
        transaction_id=slip.transaction_id,
        payment_date=slip.payment_date,
        recorded_by=actor,
        note=slip.note,
    )


def _check_day(moment: datetime, ticket: Subscription) -> None:
    day = moment.astimezone(IST).date()
    if day > business_date():
        raise InvalidInput.on("payment_date", "A payment cannot be dated in the future.")
    if day < ticket.join_date:
        raise InvalidInput.on("payment_date", "This is before the ticket was taken.")


def refuse_known_reference(payment: Payment) -> None:
    """Say it in words before the unique constraint has to; the constraint decides races."""
    if not payment.transaction_id:
        return
    transfer = payment.split_of_id or payment.pk  # its own parts carry the same reference
    same = (
        Payment.objects.filter(transaction_id=payment.transaction_id, reversed_at=None)
        .exclude(status=PaymentStatus.FAILED)
        .exclude(Q(pk=transfer) | Q(split_of=transfer))
    )
    is_cheque = payment.method == PaymentMethod.CHEQUE
    same = same.filter(subscription=payment.subscription) if is_cheque else same
    if same.exists():
        raise Conflict(
            f"A payment with the reference {payment.transaction_id} is recorded already. Look it "
            "up before recording it again; if it was recorded wrongly, reverse that one first.",
            code="duplicate_reference",
        )


def _complete(payment: Payment, ticket: Subscription, actor: User) -> None:
    """Post a payment, apply it to the ticket's dues, number its receipt and tell the payer."""
    books = Books(ticket.scheme)
    page = passbook(books, ticket)
    is_new = payment._state.adding
    payment.move_to(PaymentStatus.COMPLETED)
    payment.entry = books.entry
    payment.completed_at = books.now
    payment.confirmed_by = actor
    books.post(TransferKind.PAYMENT_RECEIVED, AccountKind.CASH, ticket.pk, payment.amount)
    payment.receipt_number = _receipt_number(ticket.scheme, books)
    if is_new:
        books.changes.new_payments.insert(0, payment)
    else:
        payment.save()
    page.credit(payment)
    page.apply_credits()
    books.save()
    notify(
        recipient_id=ticket.subscriber_id,
        event=NotificationEvent.PAYMENT_RECEIVED,
        scheme=ticket.scheme.name,
        ticket=str(ticket.ticket_number),
        amount=str(payment.amount),
        receipt_number=payment.receipt_number,
    )
    close_books_if_done(ticket.scheme, actor=actor)


def _receipt_number(scheme: Scheme, books: Books) -> str:
    """Return the next receipt of this foreman and financial year: R/2026-27/000123."""
    year = financial_year(books.on)
    return f"R/{year}/{next_number(f'R/{scheme.foreman_id}/{year}'):06d}"


def lock_payment(payment_id: UUID) -> tuple[Payment, Subscription]:
    """Lock a payment's scheme and the payment; return it with its ticket."""
    scheme_id = Payment.objects.filter(pk=payment_id).values_list("scheme_id", flat=True).first()
    if scheme_id is None:
        raise NotFound("There is no such payment.")
    scheme = lock_scheme(scheme_id)
    payment = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment_id)
    ticket = Subscription.objects.select_related("subscriber").get(pk=payment.subscription_id)
    ticket.scheme = scheme
    payment.subscription = ticket
    payment.scheme = scheme
    return payment, ticket


@transaction.atomic
def confirm_payment(*, payment_id: UUID, actor: User) -> Payment:
    """Complete a pending payment: the money has arrived, the cheque is cleared.

    Raises WrongState if it is not pending, NotAllowed for anybody but the till's keeper.
    """
    payment, ticket = lock_payment(payment_id)
    _check_keeps_the_till(actor, payment)
    if payment.status != PaymentStatus.PENDING:
        raise WrongState(_decided(payment))
    _check_takes_money(ticket)
    _complete(payment, ticket, actor)
    record_audit_event(
        actor=actor, verb="payment.confirmed", target=payment, amount=str(payment.amount)
    )
    return payment


@transaction.atomic
def fail_payment(*, payment_id: UUID, actor: User, note: str) -> Payment:
    """Mark a pending payment as failed: it never arrived, the cheque bounced."""
    payment, _ticket = lock_payment(payment_id)
    _check_keeps_the_till(actor, payment)
    if payment.status != PaymentStatus.PENDING:
        raise WrongState(_decided(payment))
    payment.move_to(PaymentStatus.FAILED)
    payment.confirmed_by = actor
    payment.note = note or payment.note
    payment.save()
    record_audit_event(actor=actor, verb="payment.failed", target=payment)
    return payment


@transaction.atomic
def annotate_payment(
    *,
    payment_id: UUID,
    actor: User,
    transaction_id: str | None = None,
    payment_date: datetime | None = None,
    note: str | None = None,
) -> Payment:
    """Correct the reference or, by the till's keeper, the day of a pending payment; or a note.

    The day decides about interest, so who declares a payment does not have the last word on it.
    """
    payment, ticket = lock_payment(payment_id)
    if payment.recorded_by_id != actor.pk or payment_date is not None:
        _check_keeps_the_till(actor, payment)
    if payment_date is not None and payment_date != payment.payment_date:
        if payment.status != PaymentStatus.PENDING:
            raise WrongState(_decided(payment))
        _check_day(payment_date, ticket)
        payment.payment_date = payment_date
    if transaction_id is not None and transaction_id.strip().upper() != payment.transaction_id:
        if payment.status != PaymentStatus.PENDING:
            raise WrongState(_decided(payment))
        payment.transaction_id = transaction_id.strip().upper()
        refuse_known_reference(payment)
    payment.note = payment.note if note is None else note
    payment.save(update_fields=["transaction_id", "payment_date", "note"])
    record_audit_event(actor=actor, verb="payment.annotated", target=payment)
    return payment


def _check_keeps_the_till(actor: User, payment: Payment) -> None:
    if not keeps_the_till(actor, payment.scheme, DECIDE):
        raise NotAllowed("Only the foreman of the scheme or an administrator may decide this.")


def _decided(payment: Payment) -> str:
    stands = payment.get_status_display().lower()
    if payment.status == PaymentStatus.COMPLETED:
        return f"This payment is {stands}: it is never edited. Reverse it instead."
    return f"This payment is {stands}; record a new one instead."
