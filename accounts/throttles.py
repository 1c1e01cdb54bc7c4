"""How many requests a minute one person or one address may make: generous, and for all routes.

They protect the office's time and not its secrets: those have limits of their own, which
count in PostgreSQL and never give way (accounts.limits). These give way when the counter
does not answer, since a cache that is down must not close the office.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.clients import client_of
from chitfund.observability.metrics import uncounted_requests

if TYPE_CHECKING:
    # DRF imports this module while it makes the class.
    from rest_framework.views import APIView

logger = logging.getLogger("accounts.throttles")

# After a failure nobody is counted for so long: a counter that hangs costs one request its
# patience, not every request.
PAUSE_SECONDS = 5.0
# Clocks of two machines differ a little; a count outlives its window by so much.
GRACE_SECONDS = 60
REDIS_CACHE = "django_redis.cache.RedisCache"

# Nobody's money hangs on the count, so its commit does not wait for the disk.
_COUNT = """
    WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO attempt_counters AS counter (key, count, window_ends_at)
    SELECT %s, 1, %s FROM quick
    ON CONFLICT (key) DO UPDATE SET
        count = CASE
            WHEN counter.window_ends_at < EXCLUDED.window_ends_at THEN 1 ELSE counter.count + 1
        END,
        window_ends_at = GREATEST(counter.window_ends_at, EXCLUDED.window_ends_at)
    RETURNING count
"""


class CounterFailedError(Exception):
    """The counter is refused or does not answer in time."""


class _Breaker:
    """Keeps from asking a counter that has just failed."""

    def __init__(self) -> None:
        self._closed_until = 0.0
        self._lock = Lock()

    def is_open(self) -> bool:
        return time.monotonic() >= self._closed_until

    def trip(self) -> None:
        with self._lock:
            self._closed_until = time.monotonic() + PAUSE_SECONDS

    def reset(self) -> None:
        with self._lock:
            self._closed_until = 0.0


breaker = _Breaker()


class RateThrottle(ABC, BaseThrottle):
    """So many requests in a window that begins for everybody at the same moment."""

    scope = ""

    def __init__(self) -> None:
        self._wait: float | None = None

    @abstractmethod
    def who(self, request: Request) -> str | None:
        """Return what is counted; None where another throttle counts this request."""

    @abstractmethod
    def rate(self) -> tuple[int, int] | None:
        """Return requests and seconds; None where nothing is counted."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        rate, who = self.rate(), self.who(request)
        if rate is None or who is None:
            return True
        limit, seconds = rate
        now = time.time()
        ends_at = int(now // seconds + 1) * seconds
        count = _counted(_key(self.scope, who), ends_at)
        self._wait = ends_at - now
        return count is None or count <= limit

    def wait(self) -> float | None:
        return self._wait


class PersonThrottle(RateThrottle):
    """Counts a signed-in person, wherever they ask from."""

    scope = "person"

    def rate(self) -> tuple[int, int] | None:
        return settings.API_RATE_USER

    def who(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.pk else None


class AddressThrottle(RateThrottle):
    """Counts those who are nobody yet by where they ask from: an office shares one address."""

    scope = "address"

    def rate(self) -> tuple[int, int] | None:
        return settings.API_RATE_ADDRESS

    def who(self, request: Request) -> str | None:
        return None if request.user.pk else client_of(request).neighbourhood


def _key(scope: str, who: str) -> str:
    """Name the counter; whoever reads the store learns no address from it."""
    digest = salted_hmac("accounts.throttles", who, algorithm="sha256").hexdigest()
    return f"rate-{scope}:{digest}"


def _counted(key: str, ends_at: int) -> int | None:
    """Count one request; None where that fails, which is told once a minute."""
    if not breaker.is_open():
        uncounted_requests.add()
        return None
    try:
        return _counter()(key, ends_at)
    except CounterFailedError as exc:
        breaker.trip()
        if uncounted_requests.add():
            logger.warning("uncounted", exc_info=exc, extra={"action": "throttle.degraded"})
        return None


def _counter() -> Callable[[str, int], int]:
    is_redis = settings.CACHES["default"]["BACKEND"] == REDIS_CACHE
    return _count_in_redis if is_redis else _count_in_table


def _count_in_redis(key: str, ends_at: int) -> int:
    """Count in one round trip; INCR lets no two requests see the same number."""
    from django_redis import get_redis_connection
    from redis.exceptions import RedisError

    try:
        pipe: Any = get_redis_connection("default").pipeline(transaction=False)
        name = f"chitfund:{key}:{ends_at}"
        pipe.incr(name).expireat(name, ends_at + GRACE_SECONDS)
        return int(pipe.execute()[0])
    except (RedisError, OSError) as exc:
        raise CounterFailedError from exc


def _count_in_table(key: str, ends_at: int) -> int:
    """Count in one statement, where the office has no Redis. The daily purge takes old rows."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [key, datetime.fromtimestamp(ends_at, UTC)])
            return int(cursor.fetchone()[0])
    except DatabaseError as exc:
        raise CounterFailedError from exc
