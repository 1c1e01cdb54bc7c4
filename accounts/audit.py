"""The audit trail: who did what to which row, written with the change it tells of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from accounts.models import AuditEvent
from chitfund.business_date import business_date
from chitfund.observability.trace import current_trace_id

if TYPE_CHECKING:
    from accounts.models import User

NOBODY = UUID(int=0)


def record_audit_event(
    *, actor: User | None, verb: str, target: Model, **details: Any
) -> AuditEvent:
    """Write one event in the caller's transaction, so that neither exists without the other.

    `actor` is None for what the office does by itself or somebody unknown tried. `details`
    never holds personal data: ids, amounts, states and reasons only.
    """
    row = (str(target._meta.model_name), _as_uuid(target.pk))
    return _write(actor, verb, row, details)


def _as_uuid(key: UUID | int) -> UUID:
    """Return the key of a row; a numbered one (a group, the clock) as a UUID of that number."""
    return key if isinstance(key, UUID) else UUID(int=key)


def record_attempt_on_nobody(*, verb: str, **details: Any) -> AuditEvent:
    """Write an attempt on an account that does not exist, at the cost of one that does."""
    return _write(None, verb, ("user", NOBODY), details)


def _write(
    actor: User | None, verb: str, row: tuple[str, UUID], details: dict[str, Any]
) -> AuditEvent:
    target_type, target_id = row
    return AuditEvent.objects.create(
        actor=actor,
        verb=verb,
        target_type=target_type,
        target_id=target_id,
        details=json.loads(json.dumps(details, cls=DjangoJSONEncoder)),
        trace_id=current_trace_id(),
        business_date=business_date(),
    )
