"""Joining a chit: the KYC gate, the last seat, and the foreman's own ticket."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.audit import record_audit_event
from accounts.models import Role, User
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
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
    """
    scheme = lock_scheme(scheme_id)
    _check_may_enrol(scheme, actor)
    holder = _lock_holder(scheme, actor, subscriber_id, ucfsin)
    _check_holder(scheme, holder, actor)
    _check_open(scheme)
    ticket = Subscription.objects.create(
        scheme=scheme,
        subscriber=holder,
        ticket_number=_free_number(scheme, ticket_number),
        join_date=business_date(),
        enrolled_by=actor,
    )
    _count(scheme, ticket, actor)
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


def _check_may_enrol(scheme: Scheme, actor: User) -> None:
    if actor.role == Role.ADMIN:
        raise NotAllowed(
            "Administrators do not enrol; subscribers join, or their foreman adds them."
        )
    if scheme.status in NOT_YET_PUBLIC and scheme.foreman_id != actor.pk:
        raise NotFound("There is no such scheme.")


def _lock_holder(
    scheme: Scheme, actor: User, subscriber_id: UUID | None, ucfsin: str | None
) -> User:
    """Lock who is to hold the ticket, so that nobody suspends them meanwhile."""
    people = User.objects.select_for_update(no_key=True)
    if subscriber_id is None and ucfsin is None:
        if scheme.foreman_id == actor.pk:
            raise InvalidInput.on(
                "subscriber", "Name the subscriber, by id or UCFSIN.", code="required"
            )
        return people.get(pk=actor.pk)
    named = Q(pk=subscriber_id) if subscriber_id else Q(ucfsin=(ucfsin or "").strip().upper())
    holder = people.filter(named).first()
    if scheme.foreman_id != actor.pk and (holder is None or holder.pk != actor.pk):
        raise NotAllowed("You may join for yourself only; a foreman adds others to an own scheme.")
    if holder is None:
        raise InvalidInput.on("subscriber", "There is no such person. Check the id or the UCFSIN.")
    return holder


def _check_holder(scheme: Scheme, holder: User, actor: User) -> None:
    if holder.pk == scheme.foreman_id:
        raise NotAllowed(
            "A foreman takes part in an own scheme by the foreman's ticket only, which "
            "commencement creates (s.21(1)(a))."
        )
    if holder.role == Role.ADMIN:
        raise NotAllowed("An administrator of the office holds no tickets.")
    is_self = holder.pk == actor.pk
    if not holder.is_active:
        raise WrongState(
            f"{holder.ucfsin} is {holder.get_status_display().lower()}; only an active person "
            "can join. The person has to confirm their address, or the office to activate them."
        )
    if not holder.is_kyc_verified:
        raise _kyc_refusal(holder, is_self=is_self)


def _kyc_refusal(holder: User, *, is_self: bool) -> NotAllowed | WrongState:
    if is_self:
        return NotAllowed(
            "Your identity is not verified yet "
            f"(KYC: {holder.get_kyc_status_display().lower()}). Upload an identity document at "
            "POST /api/users/{your id}/kyc and wait for its review, then join.",
            code="kyc_required",
        )
    return WrongState(
        f"The identity of {holder.ucfsin} is not verified "
        f"(KYC: {holder.get_kyc_status_display().lower()}). They have to upload an identity "
        "document and the office to verify it, before they can join.",
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
