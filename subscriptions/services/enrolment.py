"""Joining a chit: the KYC gate, the last seat, and the foreman's own ticket."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.audit import record_audit_event
from accounts.models import Role, User
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from notifications.models import NotificationEvent
from notifications.services import notify
from schemes.models import Scheme, SchemeStatus
from schemes.services import lock_scheme
from subscriptions.models import FOREMAN_TICKET_NUMBER, HOLDING, Subscription

NOT_YET_PUBLIC = (SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL)
FREE_NUMBERS_TOLD = 5


@transaction.atomic
def enrol(
    *,
    scheme_id: UUID,
    actor: User,
    subscriber_id: UUID | None = None,
    ucfsin: str | None = None,
    ticket_number: int | None = None,
) -> Subscription:
    """Give a ticket to a person whose KYC is verified, and count it (s.22(5)).

    A subscriber joins for themselves; a foreman names a person, by id or UCFSIN, for an own
    scheme. The scheme is locked before a seat is looked for, so the last one is sold once and
    the others get Conflict. Without a ticket number the next free one is given; number 1 is
    kept for the foreman where the scheme gives them an installment.

    The scheme is looked at before the person, and a person whom a foreman cannot add is refused
    in the same words whatever the reason: nobody learns how an account stands, or that there is
    one, unless its owner is told that they were enrolled.
    """
    scheme = lock_scheme(scheme_id)
    _check_may_enrol(scheme, actor)
    who = _named(subscriber_id, ucfsin)
    if who is None and scheme.foreman_id == actor.pk:
        raise InvalidInput.on(
            "subscriber", "Name the subscriber, by id or UCFSIN.", code="required"
        )
    _check_open(scheme)
    number = _free_number(scheme, ticket_number)
    holder = _lock_holder(scheme, actor, who)
    ticket = Subscription.objects.create(
        scheme=scheme,
        subscriber=holder,
        ticket_number=number,
        join_date=business_date(),
        enrolled_by=actor,
    )
    _count(scheme, ticket, actor)
    if holder.pk != actor.pk:
        _tell(scheme, ticket)
    return ticket


@transaction.atomic
def create_foreman_ticket(*, scheme: Scheme, actor: User) -> Subscription:
    """Take ticket 1 of a locked scheme for its foreman (s.21(1)(a)), at commencement."""
    if scheme.foreman_installment is None:
        raise WrongState(f"The terms of {scheme.name} give the foreman no ticket.")
    ticket = Subscription.objects.create(
        scheme=scheme,
        subscriber_id=scheme.foreman_id,
        ticket_number=FOREMAN_TICKET_NUMBER,
        join_date=business_date(),
        enrolled_by=actor,
        is_foreman_ticket=True,
    )
    _count(scheme, ticket, actor)
    return ticket


def _count(scheme: Scheme, ticket: Subscription, actor: User) -> None:
    scheme.current_subscribers += 1
    scheme.save(update_fields=["current_subscribers", "updated_at"])
    record_audit_event(
        actor=actor,
        verb="subscription.enrolled",
        target=ticket,
        scheme=scheme.pk,
        ticket_number=ticket.ticket_number,
    )


def _tell(scheme: Scheme, ticket: Subscription) -> None:
    """Tell a person that somebody else gave them a ticket."""
    notify(
        recipient_id=ticket.subscriber_id,
        event=NotificationEvent.TICKET_TAKEN,
        scheme=scheme.name,
        ticket=ticket.ticket_number,
    )


def _check_may_enrol(scheme: Scheme, actor: User) -> None:
    if actor.role == Role.ADMIN:
        raise NotAllowed(
            "Administrators do not enrol; subscribers join, or their foreman adds them."
        )
    if scheme.status in NOT_YET_PUBLIC and scheme.foreman_id != actor.pk:
        raise NotFound("There is no such scheme.")


def _named(subscriber_id: UUID | None, ucfsin: str | None) -> Q | None:
    """Return who is named, None when nobody is."""
    if subscriber_id is not None:
        return Q(pk=subscriber_id)
    return None if ucfsin is None else Q(ucfsin=ucfsin.strip().upper())


def _lock_holder(scheme: Scheme, actor: User, who: Q | None) -> User:
    """Lock who is to hold the ticket, so that nobody suspends them meanwhile, and check them."""
    people = User.objects.select_for_update(of=("self",), no_key=True)
    holder = people.filter(Q(pk=actor.pk) if who is None else who).first()
    if holder is not None and holder.pk == actor.pk:
        _check_may_join(scheme, holder)
        return holder
    if scheme.foreman_id != actor.pk:
        raise NotAllowed("You may join for yourself only; a foreman adds others to an own scheme.")
    if holder is None or not _may_hold(holder):
        raise WrongState(
            "This person cannot be enrolled. Check the id or the UCFSIN. Ask the person to check "
            "in their own account that it is active and KYC-verified.",
            code="cannot_be_enrolled",
        )
    return holder


def _may_hold(person: User) -> bool:
    return person.role != Role.ADMIN and person.is_active and person.is_kyc_verified


def _check_may_join(scheme: Scheme, person: User) -> None:
    """Say to a person what keeps themselves out."""
    if person.pk == scheme.foreman_id:
        raise NotAllowed(
            "A foreman takes part in an own scheme by the foreman's ticket only, which "
            "commencement creates (s.21(1)(a))."
        )
    if person.role == Role.ADMIN:
        raise NotAllowed("An administrator of the office holds no tickets.")
    if not person.is_active:
        raise WrongState(
            f"Your account is {person.get_status_display().lower()}; only an active person can "
            "join. Ask the office."
        )
    if not person.is_kyc_verified:
        raise NotAllowed(
            "Your identity is not verified yet "
            f"(KYC: {person.get_kyc_status_display().lower()}). Upload an identity document at "
            "POST /api/users/{your id}/kyc and wait for its review, then join.",
            code="kyc_required",
        )


def _check_open(scheme: Scheme) -> None:
    if scheme.is_open_for_enrolment:
        return
    if scheme.is_running:
        raise WrongState(
            f"{scheme.name} has commenced; a running chit takes no new subscribers. Take over "
            "somebody's ticket, or join another scheme."
        )
    if scheme.status != SchemeStatus.ACTIVE:
        raise WrongState(
            f"{scheme.name} is {scheme.get_status_display().lower()}; people join between its "
            "sanction and its commencement."
        )
    raise Conflict(
        f"All {scheme.max_subscribers} tickets of {scheme.name} are taken. Join another scheme, "
        "or try again should somebody withdraw.",
        code="scheme_full",
    )


def _free_number(scheme: Scheme, wanted: int | None) -> int:
    """Return the wanted ticket number if it is free, else the lowest free one."""
    taken = set(
        Subscription.objects.filter(scheme=scheme, status__in=HOLDING).values_list(
            "ticket_number", flat=True
        )
    )
    first = FOREMAN_TICKET_NUMBER + scheme.reserved_tickets
    free = [number for number in range(first, scheme.max_subscribers + 1) if number not in taken]
    if wanted is None or wanted in free:
        return wanted or free[0]
    told = ", ".join(str(number) for number in free[:FREE_NUMBERS_TOLD])
    if not 1 <= wanted <= scheme.max_subscribers:
        raise InvalidInput.on(
            "ticket_number",
            f"Tickets are numbered 1 to {scheme.max_subscribers}; free are {told} …",
        )
    why = "is the foreman's" if wanted < first else "is taken"
    raise Conflict(f"Ticket {wanted} {why}. Free are {told} …", code="ticket_taken")
