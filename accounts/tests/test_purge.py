"""What has served its time goes; everything else stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import (
    AccountMail,
    AttemptCounter,
    AuthSession,
    IdempotencyRecord,
    MailPurpose,
    OneTimeCode,
    RefreshToken,
)
from accounts.purge import purge_expired_records
from accounts.tests.api import session_of
from accounts.tests.factories import UserFactory


def ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.mark.django_db
def test_old_records_go_and_young_ones_stay():
    user = UserFactory.create()
    for days in (29, 31):
        record = IdempotencyRecord.objects.create(
            user=user, route="POST x", key=str(days), fingerprint=b""
        )
        IdempotencyRecord.objects.filter(pk=record.pk).update(created_at=ago(days))
        mail = AccountMail.objects.create(user=user, purpose=MailPurpose.VERIFY_EMAIL)
        AccountMail.objects.filter(pk=mail.pk).update(created_at=ago(days))
    for days in (-1, 1):
        AttemptCounter.objects.create(key=str(days), window_ends_at=ago(days))
        code = OneTimeCode.objects.create(
            expires_at=ago(days), channel="SMS", purpose="REGISTRATION"
        )
        OneTimeCode.objects.filter(pk=code.pk).update(created_at=ago(days + 2))
        RefreshToken.objects.create(jti=uuid4(), session=session_of(user), expires_at=ago(days))
    AuthSession.objects.all().update(ended_at=ago(89))
    long_gone = session_of(user)
    AuthSession.objects.filter(pk=long_gone.pk).update(ended_at=ago(91))

    result = purge_expired_records(timezone.localdate())

    assert result == {
        "idempotency_records": 1,
        "attempt_counters": 1,
        "account_mails": 1,
        "oauth_attempts": 0,
        "one_time_codes": 1,
        "refresh_tokens": 1,
        "auth_sessions": 1,
    }
    assert IdempotencyRecord.objects.get().key == "29"
    assert AttemptCounter.objects.get().key == "-1"
    assert not AuthSession.objects.filter(pk=long_gone.pk).exists()


@pytest.mark.django_db
def test_a_used_refresh_token_stays_while_it_could_come_back():
    token = RefreshToken.objects.create(
        jti=uuid4(),
        session=session_of(UserFactory.create()),
        expires_at=ago(-3),
        used_at=ago(3),
    )
    purge_expired_records(timezone.localdate())

    assert RefreshToken.objects.filter(pk=token.pk).exists()
