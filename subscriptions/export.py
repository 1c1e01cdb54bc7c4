"""What `subscriptions` holds about one person, and how long the law keeps it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from chitfund.business_date import IST, add_months
from chitfund.data_rights import Hold, rows_of
from schemes.models import Scheme
from subscriptions.models import Subscription, SubscriptionStatus

KEPT_MONTHS = 8 * 12
IN_CHIT_RECORDS = (
    "addresses", "nominees", "bank_accounts", "kyc_documents", "foreman_profile", "tickets",
    "payments", "payouts", "notifications",
)  # fmt: skip


def tickets(user_id: UUID) -> list[dict[str, Any]]:
    rows = Subscription.objects.filter(subscriber=user_id)
    return rows_of(
        rows, "id", "scheme__name", "ticket_number", "status", "join_date", "prized_at",
        "outstanding", "advance", "nominee_name", "nominee_relationship",
        "nominee_phone_number", "contact_preference", "withdrawn_at", "withdrawal_reason",
    )  # fmt: skip


def chit_records_hold(user_id: UUID) -> list[Hold]:
    """Tell until when a person stands in chit records: as a subscriber, or as the foreman.

    A ticket given back before the chit began left no record of a chit behind.
    """
    held = Subscription.objects.filter(subscriber=user_id).exclude(
        status=SubscriptionStatus.REMOVED, scheme__commenced_on=None
    )
    chits = Scheme.objects.filter(
        Q(pk__in=held.values("scheme")) | Q(foreman=user_id, commenced_on__isnull=False)
    )
    ends = [_ended_on(chit) for chit in chits]
    if not ends:
        return []
    known = [add_months(day, KEPT_MONTHS) for day in ends if day is not None]
    return [
        Hold(
            what=IN_CHIT_RECORDS,
            law="Chit Funds Act 1982, s.45; Prevention of Money-laundering Act 2002, s.12",
            why="The records of a chit, its subscribers, nominees and payments are kept for eight "
            "years from its end, and records of identity for five years at least.",
            until=max(known) if len(known) == len(ends) else None,
        )
    ]


def unbegun_tickets_hold(user_id: UUID) -> list[Hold]:
    """Tell that a ticket stays from before its chit began: the chit's records begin later."""
    tickets = Subscription.objects.filter(subscriber=user_id, scheme__commenced_on=None)
    if not tickets.exists():
        return []
    return [
        Hold(
            what=("tickets",),
            law="Digital Personal Data Protection Act 2023, s.6 and s.8",
            why="A ticket that was taken or given back before its chit began is kept as the proof "
            "of what was agreed. Nothing of money is in it.",
            until=None,
        )
    ]


def _ended_on(chit: Scheme) -> date | None:
    """Return the day a chit ended, None while it runs."""
    ended = chit.completed_at or chit.terminated_at
    return None if ended is None else ended.astimezone(IST).date()
