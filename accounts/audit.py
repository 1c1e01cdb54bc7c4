"""The audit trail: who did what to which row, written with the change it tells of."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model
from django.db.models.expressions import RawSQL

from accounts.clients import client_of
from accounts.models import AuditEvent, User
from accounts.sealing import blind_index
from chitfund.business_date import business_date
from chitfund.observability.trace import current_request, current_trace_id

NOBODY = UUID(int=0)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
# Rides in the INSERT, so that a change costs no further statement.
LEFT_BY_THE_LAST_EVENT = """
    SELECT after_hash FROM audit_events WHERE target_type = %s AND target_id = %s
    ORDER BY id DESC LIMIT 1
"""
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
ROUTE_LENGTH = 200


def record_audit_event(
    *, actor: User | None, verb: str, target: Model, **details: Any
) -> AuditEvent:
    """Write one event in the caller's transaction, so that neither exists without the other.

    `actor` is None for what the office does by itself or somebody unknown tried. `details`
    never holds personal data: ids, amounts, states and reasons only. `target` is the row as
    it stands after the change; of its values only a keyed digest is kept.
    """
    row = (str(target._meta.model_name), _as_uuid(target.pk))
    return _write(actor, verb, row, details, after_hash=row_hash(target))


def _as_uuid(key: UUID | int) -> UUID:
    """Return the key of a row; a numbered one (a group, the clock) as a UUID of that number."""
    return key if isinstance(key, UUID) else UUID(int=key)


def record_attempt_on_nobody(*, verb: str, **details: Any) -> AuditEvent:
    """Write an attempt on an account that does not exist, at the cost of one that does."""
    row_hash(_nobody())  # is looked at by nobody; a real account takes this time too
    return _write(None, verb, ("user", NOBODY), details)


def _nobody() -> User:
    return User(pk=NOBODY, created_at=BEGINNING, updated_at=BEGINNING)


def _write(
    actor: User | None,
    verb: str,
    row: tuple[str, UUID],
    details: dict[str, Any],
    *,
    after_hash: bytes | None = None,
) -> AuditEvent:
    target_type, target_id = row
    event = AuditEvent.objects.create(
        actor=actor,
        verb=verb,
        target_type=target_type,
        target_id=target_id,
        details=json.loads(json.dumps(details, cls=DjangoJSONEncoder)),
        trace_id=current_trace_id(),
        business_date=business_date(),
        before_hash=RawSQL(LEFT_BY_THE_LAST_EVENT, row),  # noqa: S611 - values are parameters
        after_hash=after_hash,
        **_origin(),
    )
    # The database knows it now; whoever asks reads it there.
    del event.before_hash
    return event


def _origin() -> dict[str, str | None]:
    """Return where the request that is being answered came from and what it asked, if any."""
    request = current_request()
    if request is None:
        return {"ip_address": None, "route": ""}
    pattern = getattr(request.resolver_match, "route", None) or ""
    # The pattern and not the path: ids and tokens stand in paths.
    route = f"{request.method} /" + _PARAMETER.sub(r"{\1}", pattern)
    return {"ip_address": client_of(request).ip, "route": route[:ROUTE_LENGTH]}


def row_hash(row: Model) -> bytes | None:
    """Return a keyed digest of a row's values; None where some are known to the database only.

    Keyed, because a digest of few possible values (a phone number, a date of birth) gives
    them away to whoever tries them all.
    """
    if row.get_deferred_fields():
        return None
    fields = row._meta.concrete_fields
    values = {field.column: getattr(row, field.attname) for field in fields}
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        return None
    plain = {field.column: _plain(field, values[field.column]) for field in fields}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), default=str)
    return bytes.fromhex(blind_index(text, column=f"row of {row._meta.db_table}"))


def _plain(field: Field[Any, Any], value: Any) -> Any:
    """Return a value in the one form that it has before and after a trip to the database."""
    if value is None or field.is_relation:
        return value if value is None else str(value)
    value = field.to_python(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return f"{value:.{getattr(field, 'decimal_places', None) or 0}f}"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value
