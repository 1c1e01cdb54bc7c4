"""Seals the audit trail into a chain of hashes, and proves that nobody has touched it since.

Events are sealed after the fact and in batches (docs/adr/0010): a chain needs one writer at a
time, and the office's money must not wait for it.

The hash of a seal is SHA-256 over the hash before it, its number as eight bytes and the event as
the text that `_EVENT` makes of it. Anybody with psql and a calculator gets the same.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditSeal

logger = logging.getLogger("chitfund.audit")

BATCH = 5000
# PostgreSQL's name for "whoever seals": the first bytes of the word.
SEALER_LOCK = int.from_bytes(b"seal")
BEFORE_THE_FIRST = bytes(32)
# An event commits at most so long after its id was made: no request and no job takes longer.
# What turns up later with an old id was put there by somebody, and is not sealed.
LATEST_COMMIT = timedelta(hours=1)
# Beat seals every minute; some minutes are left to it for a restart.
SEALED_WITHIN = timedelta(minutes=5)

_EVENT = """
    json_build_array(
        e.id, e.actor_id, e.verb, e.target_type, e.target_id, e.details, e.trace_id,
        e.business_date, to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        encode(e.before_hash, 'hex'), encode(e.after_hash, 'hex'), host(e.ip_address), e.route
    )::text
"""
_UNSEALED = f"""
    SELECT e.id, {_EVENT} FROM audit_events e
    WHERE e.id >= %s AND e.id < %s
        AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.event_id = e.id)
    ORDER BY e.id LIMIT %s
"""  # noqa: S608 - our own text, no value in it
_INSERT = """
    INSERT INTO audit_seals (number, event_id, previous_hash, hash)
    SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[])
"""
_SEALS = f"""
    SELECT s.number, s.event_id, s.previous_hash, s.hash, e.id IS NOT NULL, {_EVENT}
    FROM audit_seals s LEFT JOIN audit_events e ON e.id = s.event_id
    WHERE s.number >= %s ORDER BY s.number LIMIT %s
"""  # noqa: S608 - our own text, no value in it
_FORGOTTEN = """
    SELECT e.id FROM audit_events e
    WHERE (e.id < %s OR e.id >= %s)
        AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.event_id = e.id)
    ORDER BY e.id LIMIT 1
"""


@dataclass(frozen=True)
class Head:
    """Where the chain ends. Noted outside the database it proves that nobody cut the end off."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold: a rule, and the number or event."""

    rule: str
    number: int | None = None
    event: UUID | None = None


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    checked: int
    head: Head
    broken: Break | None


@dataclass(frozen=True)
class _Seal:
    """One row of the chain beside its event."""

    number: int
    event: UUID
    previous_hash: bytes
    hash: bytes
    has_event: bool
    text: str


def head_of_chain() -> Head:
    """Return the last seal, or the nothing before the first."""
    last = AuditSeal.objects.order_by("-number").values_list("number", "hash").first()
    return Head(last[0], bytes(last[1])) if last else Head(0, BEFORE_THE_FIRST)


def seal_events() -> int:
    """Seal what is committed and has no seal, in order of ids; return how many.

    Of several who seal at once one works, and the others return at once.
    """
    total = 0
    while count := _seal_batch():
        total += count
        if count < BATCH:
            break
    if total:
        head = head_of_chain()
        logger.info(
            "sealed",
            extra={
                "action": "audit.sealed",
                "count": total,
                "number": head.number,
                "hash": head.hash.hex(),
            },
        )
    return total


@transaction.atomic
def _seal_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        # A statement of its own: it sees what the last holder of the lock committed.
        head = head_of_chain()
        latest = AuditSeal.objects.order_by("-event").values_list("event", flat=True).first()
        cursor.execute(_UNSEALED, [_oldest_to_come(latest), first_id_of(_soon()), BATCH])
        links = _linked(head, cursor.fetchall())
        if links:
            cursor.execute(_INSERT, [list(column) for column in zip(*links, strict=True)])
    return len(links)


def _linked(head: Head, events: list[tuple[UUID, str]]) -> list[tuple[int, UUID, bytes, bytes]]:
    """Return the rows that continue the chain over these events."""
    number, previous = head.number, head.hash
    links = []
    for event, text in events:
        number += 1
        following = _hash(previous, number, text)
        links.append((number, event, previous, following))
        previous = following
    return links


def _hash(previous: bytes, number: int, text: str) -> bytes:
    return hashlib.sha256(previous + number.to_bytes(8, "big") + text.encode()).digest()


def verify_trail(*, since: int = 1, expected: Head | None = None) -> Verdict:
    """Compute the chain again from a number on, and look for events that it has forgotten.

    Stops at the first seal that does not hold: after it, nothing is proved. With `expected`,
    a head that was noted earlier must still be in the chain; where it lies before `since`
    its stored hash is compared.
    """
    walk = _Walk(since)
    broken = next((found for found in walk if found), None)
    broken = broken or _noted_head_is_gone(expected) or _forgotten_event()
    return Verdict(checked=walk.checked, head=Head(walk.number, walk.previous), broken=broken)


class _Walk:
    """Goes along the chain and remembers what the next seal has to follow."""

    def __init__(self, since: int) -> None:
        self.first = max(since, 1)
        before = AuditSeal.objects.filter(number=self.first - 1).values_list("hash").first()
        self.starts = before is not None or self.first == 1
        self.number = self.first - 1
        self.previous = bytes(before[0]) if before else BEFORE_THE_FIRST
        self.latest = 0
        self.checked = 0

    def __iter__(self) -> Iterator[Break | None]:
        if not self.starts:
            yield Break("seal_missing", number=self.first - 1)
        for seal in _seals_from(self.first):
            rule = self._broken_rule(seal)
            if rule:
                number = self.number + 1 if rule == "seal_missing" else seal.number
                yield Break(rule, number=number, event=seal.event)
            self.number, self.previous = seal.number, seal.hash
            self.latest = max(self.latest, _milliseconds(seal.event))
            self.checked += 1
            yield None

    def _broken_rule(self, seal: _Seal) -> str | None:
        late = self.latest - LATEST_COMMIT // timedelta(milliseconds=1)
        rules = (
            (seal.number != self.number + 1, "seal_missing"),
            (not seal.has_event, "event_missing"),
            (seal.previous_hash != self.previous, "chain_broken"),
            (seal.hash != _hash(self.previous, seal.number, seal.text), "event_changed"),
            (_milliseconds(seal.event) < late, "event_inserted"),
        )
        return next((rule for is_broken, rule in rules if is_broken), None)


def _seals_from(number: int) -> Iterator[_Seal]:
    while rows := _page(number):
        for own, event, previous, digest, has_event, text in rows:
            yield _Seal(own, event, bytes(previous), bytes(digest), has_event, text)
        number = rows[-1][0] + 1


def _page(number: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SEALS, [number, BATCH])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _noted_head_is_gone(expected: Head | None) -> Break | None:
    if expected is None:
        return None
    found = AuditSeal.objects.filter(number=expected.number).values_list("hash").first()
    if found and bytes(found[0]) == expected.hash:
        return None
    return Break("noted_head_gone", number=expected.number)


def _forgotten_event() -> Break | None:
    """Return an event that should have its seal: old enough, or with an id of the future."""
    old = timezone.now() - SEALED_WITHIN
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN, [first_id_of(old), first_id_of(_soon())])
        row = cursor.fetchone()
    return Break("event_unsealed", event=row[0]) if row else None


def _soon() -> datetime:
    """Return a moment that no honest id lies beyond, whichever machine's clock made it."""
    return timezone.now() + SEALED_WITHIN


def _oldest_to_come(latest: UUID | None) -> UUID:
    """Return the least id that may still commit after this one was sealed."""
    if latest is None:
        return UUID(int=0)
    return _from_milliseconds(_milliseconds(latest) - LATEST_COMMIT // timedelta(milliseconds=1))


def first_id_of(moment: datetime) -> UUID:
    """Return the least id that a row of this moment can have: UUIDv7 begins with the time."""
    return _from_milliseconds(int(moment.timestamp() * 1000))


def _milliseconds(key: UUID) -> int:
    return key.int >> 80


def _from_milliseconds(count: int) -> UUID:
    return UUID(int=max(count, 0) << 80)


def verify_audit_nightly(as_of: date) -> dict[str, Any]:
    """Seal what waits and verify the whole trail; a break is an error in log and result."""
    sealed = seal_events()
    verdict = verify_trail()
    if verdict.broken is not None:
        logger.error(
            "audit trail does not hold",
            extra={
                "action": "audit.broken",
                "reason_code": verdict.broken.rule,
                "number": verdict.broken.number,
                "target_id": verdict.broken.event,
            },
        )
    return {
        "sealed": sealed,
        "checked": verdict.checked,
        "head": str(verdict.head),
        "broken": verdict.broken.rule if verdict.broken else None,
    }
