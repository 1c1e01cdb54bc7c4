"""Taking and giving back tickets (design.md 4, 5.4)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import Role, User
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from schemes.models import Scheme
from schemes.services import lock_scheme
from subscriptions.models import HOLDING, Subscription, SubscriptionStatus


@transaction.atomic
def enrol(
    *,
    scheme_id: UUID,
    actor: User,
    subscriber_id: UUID | None = None,
    ticket_number: int | None = None,
) -> Subscription:
    """Give a ticket of a sanctioned scheme to the actor, or to whom its foreman names.

    Raises Conflict for the loser of the last seat, NotAllowed without a verified KYC.
    """
    scheme = lock_scheme(scheme_id)
    holder = _holder(scheme, actor, subscriber_id)
    if not scheme.is_open_for_enrolment:
        raise Conflict(_closed(scheme), code="not_open_for_enrolment")
    ticket = Subscription.objects.create(
        scheme=scheme,
        subscriber=holder,
        ticket_number=_free_number(scheme, ticket_number),
        join_date=business_date(),
        enrolled_by=actor,
    )
    scheme.current_subscribers += 1
    scheme.save(update_fields=["current_subscribers", "updated_at"])
    record_audit_event(actor=actor, verb="ticket.taken", target=ticket, ticket=ticket.ticket_number)
    return ticket


def _closed(scheme: Scheme) -> str:
    if scheme.commenced_on is not None:
        return f"{scheme.name} has commenced; no ticket is free any more."
    if scheme.seats_left == 0:
        return f"The last ticket of {scheme.name} is taken."
    return f"{scheme.name} is {scheme.get_status_display().lower()}, not open for enrolment."


def _holder(scheme: Scheme, actor: User, subscriber_id: UUID | None) -> User:
    is_own = subscriber_id in (None, actor.pk)
    if not is_own and scheme.foreman_id != actor.pk:
        raise NotFound("There is no such scheme of yours.")
    holder = actor if is_own else User.objects.filter(pk=subscriber_id).first()
    if holder is None:
        raise InvalidInput.on("subscriber", "There is no such person.")
    if holder.role != Role.USER:
        raise NotAllowed("Tickets are held by subscribers.")
    if not holder.is_active or not holder.is_kyc_verified:
        raise NotAllowed("A ticket needs an active holder with a verified KYC document.")
    return holder


def _free_number(scheme: Scheme, wished: int | None) -> int:
    taken = set(
        Subscription.objects.filter(scheme=scheme, status__in=HOLDING).values_list(
            "ticket_number", flat=True
        )
    )
    first = 1 + scheme.reserved_tickets
    if wished is None:
        return next(n for n in range(first, scheme.max_subscribers + 1) if n not in taken)
    if not first <= wished <= scheme.max_subscribers:
        raise InvalidInput.on(
            "ticket_number", f"Choose a number from {first} to {scheme.max_subscribers}."
        )
    if wished in taken:
        raise Conflict(f"Ticket {wished} is taken; choose another.", code="ticket_taken")
    return wished


@transaction.atomic
def withdraw(*, subscription_id: UUID, actor: User) -> Subscription:
    """Give a ticket back before the chit commences; its number is free again."""
    scheme_id = (
        Subscription.objects.filter(pk=subscription_id).values_list("scheme_id", flat=True).first()
    )
    if scheme_id is None:
        raise NotFound("There is no such ticket.")
    scheme = lock_scheme(scheme_id)
    ticket = Subscription.objects.select_for_update(of=("self",), no_key=True).get(
        pk=subscription_id
    )
    if actor.pk not in (ticket.subscriber_id, scheme.foreman_id):
        raise NotFound("There is no such ticket of yours.")
    if scheme.commenced_on is not None:
        raise WrongState(
            "The chit has commenced: a ticket can no longer be withdrawn. Ask the foreman about "
            "a transfer to another subscriber."
        )
    ticket.move_to(SubscriptionStatus.REMOVED)
    ticket.withdrawn_at = timezone.now()
    ticket.save()
    scheme.current_subscribers -= 1
    scheme.save(update_fields=["current_subscribers", "updated_at"])
    record_audit_event(actor=actor, verb="ticket.withdrawn", target=ticket)
    return ticket


def create_foreman_ticket(*, scheme: Scheme, actor: User) -> Subscription:
    """Take number 1 for the foreman on a locked scheme that commences (s.21(1)(a))."""
    ticket = Subscription.objects.create(
        scheme=scheme,
        subscriber_id=scheme.foreman_id,
        ticket_number=1,
        join_date=business_date(),
        enrolled_by=actor,
        is_foreman_ticket=True,
    )
    scheme.current_subscribers += 1
    scheme.save(update_fields=["current_subscribers", "updated_at"])
    return ticket
