"""What a holder says about a ticket: who gets it after them, and how to reach them."""

from __future__ import annotations

from typing import TypedDict, Unpack
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import has_staff_permission
from chitfund.exceptions import NotAllowed, WrongState
from subscriptions.models import HOLDING, Subscription
from subscriptions.services.leaving import lock_ticket

CHANGE_PERMISSION = "subscriptions.change_subscription"


class Particulars(TypedDict, total=False):
    """What may be changed; what is not given stays."""

    nominee_name: str
    nominee_relationship: str
    nominee_phone_number: str
    contact_preference: str


@transaction.atomic
def update_particulars(
    *, subscription_id: UUID, actor: User, **changes: Unpack[Particulars]
) -> Subscription:
    """Change the nominee or contact preference of a held ticket; nothing that counts as money."""
    ticket = lock_ticket(subscription_id)
    is_theirs = actor.pk in (ticket.subscriber_id, ticket.scheme.foreman_id)
    if not (is_theirs or has_staff_permission(actor, CHANGE_PERMISSION)):
        raise NotAllowed("Only the holder, the scheme's foreman or the office may change a ticket.")
    if ticket.status not in HOLDING:
        raise WrongState(
            f"Ticket {ticket.ticket_number} is {ticket.get_status_display().lower()}; nothing of "
            "it is changed any more."
        )
    changed = [name for name, value in changes.items() if value != getattr(ticket, name)]
    for name in changed:
        setattr(ticket, name, changes[name])  # type: ignore[literal-required]
    if changed:
        ticket.save(update_fields=[*changed, "updated_at"])
        record_audit_event(
            actor=actor, verb="subscription.changed", target=ticket, fields=sorted(changed)
        )
    return ticket
