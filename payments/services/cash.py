"""Cash that moves beside payments and prizes, without which books cannot close (api.md)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import has_staff_permission
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound
from chitfund.money import format_inr
from payments.models import (
    AccountKind,
    CashMovement,
    MovementKind,
    MovementStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    TransferKind,
)
from payments.services.books import Books, open_books
from payments.services.closing import close_books_if_done
from payments.services.income import INCOME, credit_income, make_good
from payments.services.passbook import passbook
from payments.services.recording import keeps_the_till
from schemes.services import lock_scheme
from subscriptions.models import Subscription


@transaction.atomic
def request_movement(
    *,
    scheme_id: UUID,
    actor: User,
    kind: MovementKind,
    amount: Decimal,
    reference: str,
    note: str = "",
    subscription_id: UUID | None = None,
) -> CashMovement:
    """Enter a cash movement in rupees. Money in is posted at once, money out waits for a second
    person. Raises Conflict for a reference used before, NotFound for a foreign ticket."""
    books = open_books(scheme_id)
    if not keeps_the_till(actor, books.scheme, "payments.add_cashmovement"):
        raise NotFound("There is no such scheme of yours.")
    ticket = _refunded_ticket(books, kind, subscription_id)
    _refuse_known_reference(books, kind, reference)
    movement = CashMovement(
        scheme=books.scheme,
        kind=kind,
        amount=amount,
        reference=reference.strip(),
        note=note,
        subscription=ticket,
        requested_by=actor,
    )
    if kind == MovementKind.FOREMAN_COVERS:
        _complete(books, movement, actor)
    else:
        _check_affordable(books, movement)
        movement.save()
    record_audit_event(
        actor=actor, verb="cash.requested", target=movement, kind=kind, amount=str(amount)
    )
    close_books_if_done(books.scheme, actor=actor)
    return movement


def _refunded_ticket(
    books: Books, kind: MovementKind, subscription_id: UUID | None
) -> Subscription | None:
    if kind != MovementKind.REFUND:
        if subscription_id is not None:
            raise InvalidInput.on("subscription", "Only a refund names a ticket.")
        return None
    tickets = Subscription.objects.filter(scheme=books.scheme)
    ticket = tickets.filter(pk=subscription_id).first() if subscription_id else None
    if ticket is None:
        raise InvalidInput.on("subscription", "Name the ticket of this scheme that is refunded.")
    return ticket


def _refuse_known_reference(books: Books, kind: MovementKind, reference: str) -> None:
    known = CashMovement.objects.filter(
        scheme=books.scheme, kind=kind, reference=reference.strip()
    ).exclude(status=MovementStatus.REJECTED)
    if known.exists():
        raise Conflict(
            f"A movement of this kind with the reference {reference.strip()} exists already.",
            code="duplicate_reference",
        )


def _lock_movement(scheme_id: UUID, movement_id: UUID) -> CashMovement:
    scheme = lock_scheme(scheme_id)
    movement = (
        CashMovement.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk=movement_id, scheme=scheme)
        .first()
    )
    if movement is None:
        raise NotFound("There is no such movement in this scheme.")
    movement.scheme = scheme
    return movement


@transaction.atomic
def approve_movement(*, scheme_id: UUID, movement_id: UUID, actor: User) -> CashMovement:
    """Post a movement that somebody else requested. Raises Conflict where cash or the account
    it comes from does not cover it."""
    movement = _lock_movement(scheme_id, movement_id)
    _check_second_person(movement, actor)
    books = open_books(scheme_id)
    _complete(books, movement, actor)
    record_audit_event(
        actor=actor, verb="cash.approved", target=movement, amount=str(movement.amount)
    )
    close_books_if_done(books.scheme, actor=actor)
    return movement


@transaction.atomic
def reject_movement(
    *, scheme_id: UUID, movement_id: UUID, actor: User, reason: str
) -> CashMovement:
    """Refuse a movement that waits; nothing is posted. The requester may withdraw it too."""
    movement = _lock_movement(scheme_id, movement_id)
    if movement.requested_by_id != actor.pk:
        _check_second_person(movement, actor)
    movement.move_to(MovementStatus.REJECTED)
    movement.note = reason
    if movement.requested_by_id != actor.pk:
        movement.decided_by = actor
    movement.decided_at = timezone.now()
    movement.save()
    record_audit_event(actor=actor, verb="cash.rejected", target=movement, reason=reason)
    return movement


def _check_second_person(movement: CashMovement, actor: User) -> None:
    if movement.requested_by_id == actor.pk:
        raise NotAllowed("Money out needs a second person; somebody else approves this.")
    is_staff = has_staff_permission(actor, "payments.approve_cashmovement")
    if not (is_staff or movement.scheme.foreman_id == actor.pk):
        raise NotAllowed("Approving needs an administrator with that permission, or the foreman.")


def _complete(books: Books, movement: CashMovement, actor: User) -> None:
    movement.move_to(MovementStatus.COMPLETED)
    _check_affordable(books, movement)
    movement.entry = books.entry
    movement.decided_by = actor
    movement.decided_at = books.now
    POSTINGS[MovementKind(movement.kind)](books, movement, actor)
    books.save()
    movement.save()


def _check_affordable(books: Books, movement: CashMovement) -> None:
    """Raise Conflict with the figures where the source of a movement does not cover it."""
    if movement.kind == MovementKind.FOREMAN_COVERS:
        return
    source, available = _source(books, movement)
    if available < movement.amount:
        raise Conflict(
            f"{source} is {format_inr(available)}; {format_inr(movement.amount)} is more.",
            code="not_covered",
        )
    books.need_cash(movement.amount, movement.get_kind_display())


def _source(books: Books, movement: CashMovement) -> tuple[str, Decimal]:
    if movement.kind == MovementKind.FOREMAN_DRAWS:
        earned = sum((books.balance(kind) for kind in INCOME), books.balance(AccountKind.FOREMAN))
        return "What the foreman has earned and not drawn", earned
    if movement.kind == MovementKind.TAX_PAID:
        return "The GST that is owed", books.balance(AccountKind.GST_PAYABLE)
    ticket = _ticket_of(movement)
    return f"The credit of ticket {ticket.ticket_number}", ticket.advance


def _ticket_of(movement: CashMovement) -> Subscription:
    """Return a refund's ticket; a constraint says that it has one."""
    if movement.subscription is None:
        raise ValueError("a refund names its ticket")
    return movement.subscription


def _draw(books: Books, movement: CashMovement, actor: User) -> None:
    """Everything earned goes to the foreman's account first; what is drawn leaves it."""
    credit_income(books)
    make_good(books)
    books.post(TransferKind.FOREMAN_DRAWS, AccountKind.FOREMAN, AccountKind.CASH, movement.amount)


def _cover(books: Books, movement: CashMovement, actor: User) -> None:
    books.post(TransferKind.FOREMAN_COVERS, AccountKind.CASH, AccountKind.FOREMAN, movement.amount)
    make_good(books)


def _pay_tax(books: Books, movement: CashMovement, actor: User) -> None:
    books.post(TransferKind.TAX_PAID, AccountKind.GST_PAYABLE, AccountKind.CASH, movement.amount)


def _refund(books: Books, movement: CashMovement, actor: User) -> None:
    """Pay a ticket's credit back, oldest credit first (s.22(6): in cash where nothing is due)."""
    ticket = _ticket_of(movement)
    page = passbook(books, ticket)
    page.spend(movement.amount)
    books.post(
        TransferKind.CREDIT_REFUNDABLE, ticket.pk, AccountKind.REFUND_PAYABLE, movement.amount
    )
    books.post(TransferKind.REFUND, AccountKind.REFUND_PAYABLE, AccountKind.CASH, movement.amount)
    payment = Payment(
        scheme=books.scheme,
        subscription=ticket,
        subscriber_id=ticket.subscriber_id,
        amount=movement.amount,
        payment_type=PaymentType.REFUND,
        status=PaymentStatus.COMPLETED,
        method=PaymentMethod.BOOK,
        payment_date=books.now,
        entry=books.entry,
        recorded_by=movement.requested_by,
        confirmed_by=actor,
        completed_at=books.now,
        note=f"Refund {movement.reference}",
    )
    books.changes.new_payments.append(payment)


POSTINGS = {
    MovementKind.FOREMAN_DRAWS: _draw,
    MovementKind.FOREMAN_COVERS: _cover,
    MovementKind.TAX_PAID: _pay_tax,
    MovementKind.REFUND: _refund,
}
