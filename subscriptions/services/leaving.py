"""Leaving a chit before it commences, giving a chit up, and closing a person's account."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import Role, User
from accounts.services import change_role, deactivate_user
from accounts.services.sessions import lock_user
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from notifications.models import NotificationEvent
from notifications.services import notify, notify_many
from schemes.models import Scheme, SchemeStatus
from schemes.services import lock_scheme, mark_terminated
from subscriptions.models import HOLDING, Subscription, SubscriptionStatus

RUNNING_TICKET = (SubscriptionStatus.ACTIVE, SubscriptionStatus.DEFAULTED)
RUNNING_SCHEME = (SchemeStatus.PENDING_APPROVAL, SchemeStatus.ACTIVE)
UNFINISHED_SCHEME = (SchemeStatus.DRAFT, *RUNNING_SCHEME)


@transaction.atomic
def withdraw(*, subscription_id: UUID, actor: User, reason: str = "") -> Subscription:
    """Give a ticket back before its chit commences; its number and its seat are free again.

    By its holder or by the scheme's foreman, who tells the holder by it. After commencement it
    raises WrongState.
    """
    ticket = lock_ticket(subscription_id)
    scheme = ticket.scheme
    if actor.pk not in (ticket.subscriber_id, scheme.foreman_id):
        raise NotAllowed("Only the holder of a ticket or the scheme's foreman withdraws it.")
    _check_can_withdraw(ticket)
    _release(ticket, reason or f"Withdrawn by {_who(ticket, actor)}.")
    ticket.save()
    scheme.current_subscribers -= 1
    scheme.save(update_fields=["current_subscribers", "updated_at"])
    record_audit_event(
        actor=actor,
        verb="subscription.withdrawn",
        target=ticket,
        scheme=scheme.pk,
        ticket_number=ticket.ticket_number,
        reason=ticket.withdrawal_reason,
    )
    if actor.pk != ticket.subscriber_id:
        _tell(ticket)
    return ticket


@transaction.atomic
def terminate_scheme(*, scheme_id: UUID, actor: User, reason: str) -> Scheme:
    """Give up a sanctioned chit that has not commenced: release all tickets, tell everybody."""
    scheme = lock_scheme(scheme_id)
    _check_can_terminate(scheme, actor)
    if not reason.strip():
        raise InvalidInput.on("reason", "Say why the chit is given up.", code="required")
    tickets = list(_held_tickets(scheme))
    for ticket in tickets:
        _release(ticket, reason)
    Subscription.objects.bulk_update(
        tickets, ["status", "withdrawn_at", "withdrawal_reason", "updated_at"]
    )
    scheme.current_subscribers = 0
    mark_terminated(scheme=scheme, actor=actor, reason=reason)
    notify_many(
        recipients=[scheme.foreman_id, *(ticket.subscriber_id for ticket in tickets)],
        event=NotificationEvent.ACCOUNT,
        title=f"{scheme.name} is given up",
        text=f"The chit {scheme.name} is given up before its commencement: {reason}\n"
        "Its tickets are released and nothing is owed.",
    )
    return scheme


@transaction.atomic
def deactivate_person(*, user_id: UUID, actor: User) -> User:
    """Close the account of a person who holds no running ticket and runs no scheme.

    The person's row is locked first, as enrolment does, so that no ticket slips in between.
    """
    person = lock_user(user_id)
    tickets, schemes = _running(person, RUNNING_SCHEME)
    if tickets or schemes:
        raise Conflict(
            f"{person.full_name} still has {tickets} running ticket(s) and {schemes} running or "
            "submitted scheme(s). Withdraw or finish those first; to shut the person out now, "
            "suspend them.",
            code="still_running",
        )
    return deactivate_user(user_id=person.pk, actor=actor, reason="The office closed the account.")


@transaction.atomic
def change_person_role(*, user_id: UUID, role: Role, actor: User, reason: str) -> User:
    """Give another role to a person who holds no running ticket and has no unfinished scheme.

    Their tickets and schemes were taken on in the old role. The person's row is locked first,
    as enrolment and drafting do, so that none slips in between.
    """
    person = lock_user(user_id)
    tickets, schemes = _running(person, UNFINISHED_SCHEME)
    if tickets or schemes:
        raise Conflict(
            f"{person.full_name} still has {tickets} running ticket(s) and {schemes} unfinished "
            "scheme(s). Withdraw, delete or finish those first; to shut the person out now, "
            "suspend them.",
            code="still_running",
        )
    return change_role(user_id=person.pk, role=role, actor=actor, reason=reason)


def _running(person: User, states: tuple[SchemeStatus, ...]) -> tuple[int, int]:
    """Return how many running tickets a locked person holds, and how many such schemes."""
    tickets = Subscription.objects.filter(subscriber=person, status__in=RUNNING_TICKET).count()
    return tickets, Scheme.objects.filter(foreman=person, status__in=states).count()


def lock_ticket(subscription_id: UUID) -> Subscription:
    """Lock the scheme, then the ticket, and return it with its scheme. Raises NotFound."""
    scheme_id = (
        Subscription.objects.filter(pk=subscription_id).values_list("scheme_id", flat=True).first()
    )
    if scheme_id is None:
        raise NotFound("There is no such ticket.")
    scheme = lock_scheme(scheme_id)
    ticket = Subscription.objects.select_for_update(of=("self",), no_key=True).get(
        pk=subscription_id
    )
    ticket.scheme = scheme
    return ticket


def _held_tickets(scheme: Scheme) -> list[Subscription]:
    return list(
        Subscription.objects.select_for_update(of=("self",), no_key=True)
        .filter(scheme=scheme, status__in=HOLDING)
        .order_by("pk")
    )


def _release(ticket: Subscription, reason: str) -> None:
    now = timezone.now()
    ticket.move_to(SubscriptionStatus.REMOVED)
    ticket.withdrawn_at = now
    ticket.withdrawal_reason = reason
    ticket.updated_at = now


def _tell(ticket: Subscription) -> None:
    """Tell a person that somebody else gave their ticket back."""
    notify(
        recipient_id=ticket.subscriber_id,
        event=NotificationEvent.TICKET_WITHDRAWN,
        scheme=ticket.scheme.name,
        ticket=ticket.ticket_number,
        reason=ticket.withdrawal_reason,
    )


def _who(ticket: Subscription, actor: User) -> str:
    return "the holder" if actor.pk == ticket.subscriber_id else "the foreman"


def _check_can_withdraw(ticket: Subscription) -> None:
    if ticket.status not in HOLDING:
        raise WrongState(
            f"Ticket {ticket.ticket_number} is {ticket.get_status_display().lower()} already."
        )
    if ticket.scheme.commenced_on is not None:
        raise WrongState(
            f"{ticket.scheme.name} has commenced; a ticket is not withdrawn any more. Transfer it "
            "to somebody who takes over its dues (s.35), or ask the foreman for a substitute "
            "(s.29).",
            code="has_commenced",
        )


def _check_can_terminate(scheme: Scheme, actor: User) -> None:
    if scheme.foreman_id == actor.pk:
        raise NotAllowed("Nobody decides on a scheme of their own; ask another administrator.")
    if scheme.commenced_on is not None:
        raise WrongState(
            f"{scheme.name} has commenced: its subscribers' money is in it, so it runs until its "
            "books close by themselves at zero. Remove or substitute defaulters instead.",
            code="has_commenced",
        )
    if scheme.status != SchemeStatus.ACTIVE:
        what = (
            "Return it to its foreman instead."
            if scheme.status == SchemeStatus.PENDING_APPROVAL
            else "Only a sanctioned scheme is terminated."
        )
        raise WrongState(f"{scheme.name} is {scheme.get_status_display().lower()}. {what}")
