"""Statutory records: dated facts that the Act asks for, one of a kind for each scheme."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import has_staff_permission
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, WrongState
from schemes.models import RecordKind, Scheme, SchemeStatus, StatutoryRecord
from schemes.services.locking import lock_scheme

ADD_PERMISSION = "schemes.add_statutoryrecord"
# In which states a record may be handed in; the others come from approval and commencement.
ADDED_BY_HAND = {
    RecordKind.SECURITY_DEPOSIT: (
        SchemeStatus.DRAFT,
        SchemeStatus.PENDING_APPROVAL,
        SchemeStatus.ACTIVE,
    ),
    RecordKind.AGREEMENT: (SchemeStatus.ACTIVE,),
}


class RecordDetails(TypedDict):
    """What a record says. `amount` is rupees, for a security deposit."""

    number: str
    issued_on: date
    expires_on: NotRequired[date | None]
    amount: NotRequired[Decimal | None]
    evidence: NotRequired[str]


@transaction.atomic
def add_record(
    *, scheme_id: UUID, actor: User, kind: RecordKind, **details: Unpack[RecordDetails]
) -> StatutoryRecord:
    """Enter a security deposit (s.20) or the registered agreement (s.7); the stage follows.

    By the scheme's foreman or by staff. A record is entered once and then stands.
    """
    scheme = lock_scheme(scheme_id)
    if scheme.foreman_id != actor.pk and not has_staff_permission(actor, ADD_PERMISSION):
        raise NotAllowed("Only the foreman of this scheme or the office may enter its records.")
    _check_kind(scheme, kind)
    _check_details(kind, details)
    record = write_record(scheme=scheme, actor=actor, kind=kind, **details)
    record_audit_event(
        actor=actor,
        verb="scheme.record_added",
        target=scheme,
        kind=kind,
        number=record.number,
        issued_on=record.issued_on,
    )
    return record


def write_record(
    *, scheme: Scheme, actor: User, kind: RecordKind, **details: Unpack[RecordDetails]
) -> StatutoryRecord:
    """Write a record of a locked scheme, or raise Conflict when it or its number exists."""
    existing = StatutoryRecord.objects.filter(scheme=scheme, kind=kind).first()
    if existing is not None:
        raise Conflict(
            f"{kind.label} is recorded already, with number {existing.number} of "
            f"{existing.issued_on:%d %b %Y}."
        )
    record = StatutoryRecord(scheme=scheme, kind=kind, recorded_by=actor, **details)
    try:
        with transaction.atomic():
            record.save()
    except IntegrityError as exc:
        if not StatutoryRecord.objects.filter(kind=kind, number=record.number).exists():
            raise
        raise Conflict(
            f"Another scheme has {kind.label.lower()} number {record.number}. Check the number."
        ) from exc
    return record


def _check_kind(scheme: Scheme, kind: RecordKind) -> None:
    if kind not in ADDED_BY_HAND:
        door = "approving" if kind == RecordKind.PRIOR_SANCTION else "commencing"
        raise InvalidInput.on("kind", f"{kind.label} is recorded by {door} the scheme.")
    if scheme.status not in ADDED_BY_HAND[kind]:
        raise WrongState(
            f"{scheme.name} is {scheme.get_status_display().lower()}; {kind.label.lower()} is "
            f"entered while a scheme is "
            f"{' or '.join(status.label.lower() for status in ADDED_BY_HAND[kind])}."
        )


def _check_details(kind: RecordKind, details: RecordDetails) -> None:
    issued_on, expires_on = details["issued_on"], details.get("expires_on")
    if issued_on > business_date():
        raise InvalidInput.on("issued_on", "A record is entered when it exists: not in the future.")
    if expires_on is not None and expires_on <= issued_on:
        raise InvalidInput.on("expires_on", "A record ends after the day of its issue.")
    amount = details.get("amount")
    if kind == RecordKind.SECURITY_DEPOSIT and amount is None:
        raise InvalidInput.on("amount", "Say how much was deposited (s.20).", code="required")
    if amount is not None and amount <= 0:
        raise InvalidInput.on("amount", "A deposit is more than nothing.")
