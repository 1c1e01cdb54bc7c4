"""Throw away what has served its time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import (
    AccountMail,
    AttemptCounter,
    AuthSession,
    IdempotencyRecord,
    OAuthAttempt,
    OneTimeCode,
    RefreshToken,
)

KEYS_KEPT = timedelta(days=30)
MAILS_KEPT = timedelta(days=30)
# They hold numbers of people who may never become customers.
CODES_KEPT = timedelta(days=2)
SESSIONS_KEPT = timedelta(days=90)


def purge_expired_records(as_of: date) -> dict[str, Any]:
    """Delete old keys, counters, mails, tokens and sessions; ages go by the real clock."""
    now = timezone.now()
    # While a session lives, a used token of it that comes again is a sign of theft.
    session_over = Q(session__ended_at__isnull=False) | Q(session__expires_at__lt=now)
    ended = Q(ended_at__lt=now - SESSIONS_KEPT) | Q(expires_at__lt=now - SESSIONS_KEPT)
    dead = {
        "idempotency_records": IdempotencyRecord.objects.filter(created_at__lt=now - KEYS_KEPT),
        "attempt_counters": AttemptCounter.objects.filter(window_ends_at__lt=now),
        "account_mails": AccountMail.objects.filter(created_at__lt=now - MAILS_KEPT),
        "oauth_attempts": OAuthAttempt.objects.filter(expires_at__lt=now),
        "one_time_codes": OneTimeCode.objects.filter(created_at__lt=now - CODES_KEPT),
        "refresh_tokens": RefreshToken.objects.filter(session_over, expires_at__lt=now),
        "auth_sessions": AuthSession.objects.filter(ended),
    }
    return {name: rows.delete()[0] for name, rows in dead.items()}
