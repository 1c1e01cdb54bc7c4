"""Attempts are reserved in PostgreSQL before a secret is checked, so that parallel tries count.

A reservation commits by itself: call these outside a transaction. They go by the real clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.audit import record_attempt_on_nobody
from accounts.models import AttemptCounter
from chitfund.exceptions import TooMany


@dataclass(frozen=True)
class Limit:
    """So many attempts in a span of time, counted against somebody or something."""

    name: str
    attempts: int
    window: timedelta


# One person on one line is stopped first, a line that tries many people next. The limit on
# the account is wide, and not asked where the owner has signed in before: nobody can lock
# them out by guessing.
SIGN_IN_PAIR = Limit("sign-in-pair", 5, timedelta(minutes=15))
SIGN_IN_ADDRESS = Limit("sign-in-address", 60, timedelta(minutes=15))
SIGN_IN_ACCOUNT = Limit("sign-in-account", 20, timedelta(hours=1))
REGISTER_ADDRESS = Limit("register-address", 200, timedelta(hours=1))
MAIL_ADDRESS = Limit("mail-address", 60, timedelta(hours=1))
MAIL_ACCOUNT = Limit("mail-account", 5, timedelta(hours=1))
TAKEN_ACCOUNT = Limit("taken-account", 3, timedelta(days=1))
TOKEN_ADDRESS = Limit("token-address", 60, timedelta(minutes=15))
# A code costs money and somebody's attention: one a minute, a handful a day.
CODE_CLIENT = Limit("code-client", 30, timedelta(hours=1))
CODE_PAUSE = Limit("code-pause", 1, timedelta(seconds=60))
CODE_NUMBER = Limit("code-number", 10, timedelta(days=1))
CODE_CHECK = Limit("code-check", 60, timedelta(minutes=15))
# Whoever gets here knows the password already; the longer limit outlasts many networks.
SECOND_FACTOR_PAIR = Limit("second-factor-pair", 5, timedelta(minutes=15))
SECOND_FACTOR_ACCOUNT = Limit("second-factor-account", 30, timedelta(days=1))
CHANGE_OF_ADDRESS = Limit("change-of-address", 5, timedelta(hours=1))
OAUTH_ADDRESS = Limit("oauth-address", 60, timedelta(minutes=15))
OWN_PASSWORD = Limit("own-password", 5, timedelta(minutes=15))
# Not a limit but an alarm: so many refused tokens from one line are an event.
REFUSED_TOKENS = Limit("refused-tokens", 20, timedelta(minutes=15))

_RESERVE = """
    INSERT INTO attempt_counters AS counter (key, count, window_ends_at) VALUES (%s, 1, %s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN counter.window_ends_at <= %s THEN 1 ELSE counter.count + 1 END,
        window_ends_at = CASE
            WHEN counter.window_ends_at <= %s THEN EXCLUDED.window_ends_at
            ELSE counter.window_ends_at
        END
    RETURNING count, window_ends_at
"""


def reserve(limit: Limit, *who: str) -> None:
    """Take one attempt, or raise TooMany with the seconds until the window ends.

    The first refusal of a window is an audit event; those after it tell nothing new.
    """
    count, wait = _take(limit, who)
    if count == limit.attempts + 1:
        record_attempt_on_nobody(verb="limit.reached", limit=limit.name)
    if wait:
        raise TooMany(f"Too many attempts. Try again in {_spoken(wait)}.", retry_after=ceil(wait))


def is_within(limit: Limit, *who: str) -> bool:
    """Take one attempt and tell whether there was one left."""
    return not _take(limit, who)[1]


def is_first_beyond(limit: Limit, *who: str) -> bool:
    """Take one attempt and tell whether it is the first of its window that is too many."""
    return _take(limit, who)[0] == limit.attempts + 1


def give_back(limit: Limit, *who: str) -> None:
    """Return an attempt that was no failure. It returns one's own and clears nobody's."""
    AttemptCounter.objects.filter(
        key=_key(limit, who), count__gt=0, window_ends_at__gt=timezone.now()
    ).update(count=F("count") - 1)


def _take(limit: Limit, who: tuple[str, ...]) -> tuple[int, float]:
    """Return which attempt of its window this is, and the seconds to wait if it is too many."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [_key(limit, who), now + limit.window, now, now])
        count, ends_at = cursor.fetchone()
    wait = max(1.0, (ends_at - now).total_seconds()) if count > limit.attempts else 0.0
    return count, wait


def _key(limit: Limit, who: tuple[str, ...]) -> str:
    """Name the counter; whoever reads the table learns no address from it."""
    digest = salted_hmac("accounts.limits", "\n".join(who), algorithm="sha256").hexdigest()
    return f"{limit.name}:{digest}"


def _spoken(seconds: float) -> str:
    minutes = ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
