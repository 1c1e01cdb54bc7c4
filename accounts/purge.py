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
    RefreshToken,
)

KEYS_KEPT = timedelta(days=30)
MAILS_KEPT = timedelta(days=30)
SESSIONS_KEPT = timedelta(days=90)


def purge_expired_records(as_of: date) -> dict[str, Any]:
    """Delete old keys, counters, mails, tokens and sessions; ages go by the real clock."""
    now = timezone.now()
    ended = Q(ended_at__lt=now - SESSIONS_KEPT) | Q(expires_at__lt=now - SESSIONS_KEPT)
    dead = {
        "idempotency_records": IdempotencyRecord.objects.filter(created_at__lt=now - KEYS_KEPT),
        "attempt_counters": AttemptCounter.objects.filter(window_ends_at__lt=now),
        "account_mails": AccountMail.objects.filter(created_at__lt=now - MAILS_KEPT),
        "refresh_tokens": RefreshToken.objects.filter(expires_at__lt=now),
        "auth_sessions": AuthSession.objects.filter(ended),
    }
    return {name: rows.delete()[0] for name, rows in dead.items()}
