"""The prize on its way to the winner: approved by one person, paid by another (s.22)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import has_staff_permission
from chitfund.exceptions import InvalidInput, NotAllowed, NotFound
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import (
    AccountKind,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    PayoutStatus,
    PrizePayout,
    TransferKind,
)
from payments.services.books import Books, need_running
from payments.services.closing import close_books_if_done
from payments.services.recording import (
    NEEDS_REFERENCE,
    keeps_the_till,
    refuse_known_reference,
)
from schemes.services import lock_scheme


def lock_payout(payout_id: UUID) -> PrizePayout:
    """Lock a payout's scheme and the payout. Raises NotFound."""
    scheme_id = PrizePayout.objects.filter(pk=payout_id).values_list("scheme_id", flat=True).first()
    if scheme_id is None:
        raise NotFound("There is no such payout.")
    scheme = lock_scheme(scheme_id)
    payout = PrizePayout.objects.select_for_update(of=("self",), no_key=True).get(pk=payout_id)
    payout.scheme = scheme
    return payout


@transaction.atomic
def approve_payout(
    *, payout_id: UUID, actor: User, security: str, comment: str = ""
) -> PrizePayout:
    """Approve a prize for payment; record the security taken for future dues (s.22(1), s.31).

    Raises NotAllowed for the payee and for anybody without the permission.
    """
    payout = lock_payout(payout_id)
    if not has_staff_permission(actor, "payments.approve_prizepayout"):
        raise NotAllowed("Approving a prize needs an administrator with that permission.")
    if payout.payee_id == actor.pk:
        raise NotAllowed("Nobody approves their own prize; ask another administrator.")
    if not security.strip():
        raise InvalidInput.on(
            "security",
            "Say which security was taken for the winner's future dues, or that none are left.",
        )
    payout.move_to(PayoutStatus.APPROVED)
    payout.security = security.strip()
    payout.comment = comment
    payout.approved_by = actor
    payout.approved_at = Books(payout.scheme).now
    payout.save()
    record_audit_event(
        actor=actor, verb="payout.approved", target=payout, amount=str(payout.net_amount)
    )
    return payout


@transaction.atomic
def pay_payout(
    *, payout_id: UUID, actor: User, method: PaymentMethod, reference: str = ""
) -> PrizePayout:
    """Pay an approved prize out of the chit's cash, once.

    A prize that was set off to the last paisa is paid by that, without money.
    Raises NotAllowed for the approver, Conflict with the shortfall while the cash is not there.
    """
    payout = lock_payout(payout_id)
    _check_payer(payout, actor)
    need_running(payout.scheme)
    reference = reference.strip().upper()
    if method in NEEDS_REFERENCE and not reference:
        raise InvalidInput.on("reference", "Give the bank's reference of the transfer.")
    payout.move_to(PayoutStatus.PAID)
    books = Books(payout.scheme)
    payout.method, payout.reference = method, reference
    payout.paid_by, payout.paid_at = actor, books.now
    if payout.net_amount > 0:
        payout.payment = _hand_over(books, payout, actor)
    books.save()
    payout.save()
    record_audit_event(
        actor=actor, verb="payout.paid", target=payout, amount=str(payout.net_amount)
    )
    notify(
        recipient_id=payout.payee_id,
        event=NotificationEvent.PRIZE_PAID,
        scheme=payout.scheme.name,
        ticket=str(payout.subscription.ticket_number),
        amount=str(payout.net_amount),
        reference=reference or "cash",
    )
    close_books_if_done(payout.scheme, actor=actor)
    return payout


def _check_payer(payout: PrizePayout, actor: User) -> None:
    if not keeps_the_till(actor, payout.scheme, "payments.change_prizepayout"):
        raise NotAllowed("The foreman of the scheme or an administrator pays the prize.")
    if payout.approved_by_id == actor.pk:
        raise NotAllowed("Whoever approved a prize does not pay it; ask a second person.")


def _hand_over(books: Books, payout: PrizePayout, actor: User) -> Payment:
    books.need_cash(payout.net_amount, "Paying this prize")
    payment = _prize_row(books, payout, actor)
    refuse_known_reference(payment)
    books.changes.new_payments.append(payment)
    books.post(
        TransferKind.PRIZE_PAID,
        AccountKind.PRIZE_PAYABLE,
        AccountKind.CASH,
        payout.net_amount,
        number=payment.installment_number,
    )
    return payment


def _prize_row(books: Books, payout: PrizePayout, actor: User) -> Payment:
    return Payment(
        scheme=payout.scheme,
        subscription=payout.subscription,
        subscriber_id=payout.payee_id,
        amount=payout.net_amount,
        payment_type=PaymentType.PRIZE,
        status=PaymentStatus.COMPLETED,
        method=payout.method,
        transaction_id=payout.reference,
        payment_date=books.now,
        installment_number=payout.auction.installment_number,
        entry=books.entry,
        recorded_by=actor,
        confirmed_by=payout.approved_by,
        completed_at=books.now,
    )
