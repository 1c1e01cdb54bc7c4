"""Rows that wait to be sent: who may send one, and when it is tried again.

A row is claimed by pushing its next attempt into the future under a lock that others skip,
and that commits before anything is sent. A sender that dies leaves a row that is due again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

Row = TypeVar("Row", bound=Model)

LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(minutes=1)
# A task ends by itself well before its time limit; beat's next sweep goes on.
BUDGET_SECONDS = 120
ERROR_LENGTH = 200


def claimed_rows(waiting: QuerySet[Row], ids: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield due rows one by one, each claimed just before, until there is no time or none left."""
    deadline = time.monotonic() + BUDGET_SECONDS
    while time.monotonic() < deadline and (row := claim(waiting, ids)) is not None:
        yield row


@transaction.atomic
def claim(waiting: QuerySet[Row], ids: Sequence[str] | None = None) -> Row | None:
    """Take the next due row for the length of a lease; nobody else gets it meanwhile."""
    now = timezone.now()
    due = waiting.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
    if ids is not None:
        due = due.filter(pk__in=[UUID(known_as) for known_as in ids])
    row = due.select_for_update(of=("self",), skip_locked=True, no_key=True).first()
    if row is not None:
        waiting.filter(pk=row.pk).update(attempts=F("attempts") + 1, next_attempt_at=now + LEASE)
        row.attempts += 1  # type: ignore[attr-defined]
    return row


def next_attempt(attempts: int) -> datetime:
    """Return when to try again: 1, 2, 4, 8 ... minutes later."""
    return timezone.now() + FIRST_WAIT * 2 ** (attempts - 1)


def is_exhausted(row: Any) -> bool:
    return row.attempts >= MOST_ATTEMPTS


def reason_of(exc: Exception) -> str:
    """Return what kind of failure it was; its text may hold an address."""
    code = getattr(exc, "smtp_code", None)
    name = type(exc).__name__
    return (f"{name} {code}" if code else name)[:ERROR_LENGTH]
