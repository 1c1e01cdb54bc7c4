"""An office without one of its guards: the negative control of the races.

Served instead of `chitfund.wsgi` by a test's own web server, never by the product:
`TEST_WSGI=tests.race.unguarded:application WITHOUT=row_locks`. Each function takes one guard
away and holds the door open for a moment, as a slow disk or a busy machine would.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from chitfund.wsgi import application

__all__ = ["application"]

WINDOW = 0.1


def row_locks() -> None:
    """Ask for row locks and get none; who meant to hold one dawdles over what it read, and
    again before it commits, so that rivals have read the same whatever the machine's mood."""
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.postgresql.operations import DatabaseOperations
    from django.db.models import QuerySet

    fetch, commit = QuerySet._fetch_all, BaseDatabaseWrapper.commit
    dawdler = threading.local()

    def fetch_slowly(rows: QuerySet[Any]) -> None:
        is_new = rows._result_cache is None
        fetch(rows)
        if is_new and rows.query.select_for_update:
            dawdler.is_here = True
            time.sleep(WINDOW)

    def commit_slowly(connection: BaseDatabaseWrapper) -> None:
        if getattr(dawdler, "is_here", False):
            dawdler.is_here = False
            time.sleep(WINDOW)
        commit(connection)

    DatabaseOperations.for_update_sql = lambda self, **options: ""
    QuerySet._fetch_all = fetch_slowly
    BaseDatabaseWrapper.commit = commit_slowly


def claimed_keys() -> None:
    """Honour keys as most do: look whether the key is known, do the work, then remember it."""
    from accounts import idempotency
    from accounts.models import IdempotencyRecord

    def look_then_do(request: Any, handler: Any, key: str, kwargs: dict[str, Any]) -> Any:
        route = f"{request.method} {request.resolver_match.route}"
        claim = idempotency.Claim(
            request.user.pk, route, key, idempotency.fingerprint_of(request.data, kwargs)
        )
        mine = {"user_id": request.user.pk, "route": route, "key": key}
        if IdempotencyRecord.objects.filter(**mine).exists():
            return idempotency._replay(claim)
        time.sleep(WINDOW)
        response = handler(request, **kwargs)
        answer = {
            "fingerprint": claim.fingerprint,
            "status": response.status_code,
            "body": idempotency._body_of(response),
        }
        IdempotencyRecord.objects.get_or_create(**mine, defaults=answer)
        return response

    idempotency.answer_once = look_then_do


def lock_order() -> None:
    """Lock the schemes of one payment in any order, with a moment between two of them."""
    from payments.services import recording

    lock = recording.lock_scheme

    def lock_and_dawdle(scheme_id: Any) -> Any:
        scheme = lock(scheme_id)
        time.sleep(WINDOW / 4)
        return scheme

    def shuffled(ids: Iterable[Any], **options: Any) -> list[Any]:
        mixed = list(ids)
        random.shuffle(mixed)
        return mixed

    recording.lock_scheme = lock_and_dawdle
    # A name of the module is found before the builtin of the same name.
    recording.sorted = shuffled


def moves() -> None:
    """Let every status follow every other."""
    from chitfund.db import StatusModel

    def go_anywhere(row: Any, status: Any) -> None:
        row.status = status

    StatusModel.move_to = go_anywhere


GUARDS: dict[str, Callable[[], None]] = {
    guard.__name__: guard for guard in (row_locks, claimed_keys, lock_order, moves)
}

GUARDS[os.environ["WITHOUT"]]()
