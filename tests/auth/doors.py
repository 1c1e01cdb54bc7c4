"""An office that writes down every look at a password, with or without one of its guards.

Served instead of `chitfund.wsgi` by a test's own web server, never by the product:
`TEST_WSGI=tests.auth.doors:application LOOKS=file [WITHOUT=one of GUARDS]`.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from chitfund.wsgi import application

__all__ = ["application"]

PATIENCE = 30


def wait_for_company(count: int) -> None:
    """Wait until so many have looked and none of them has written, in whichever process.

    A race that is forced does its harm on a busy machine too.
    """
    file = Path(f"{os.environ['LOOKS']}.company")
    with file.open("a", encoding="ascii") as company:
        company.write("1")
    deadline = time.monotonic() + PATIENCE
    while file.stat().st_size < count and time.monotonic() < deadline:
        time.sleep(0.01)


def _write_down_looks(file: str) -> None:
    from accounts.passwords import OfficePasswordHasher

    hash_it = OfficePasswordHasher.encode

    def encode(hasher: OfficePasswordHasher, password: str, salt: bytes) -> str:
        # A short line with O_APPEND is written whole, whichever process writes it.
        with open(file, "a", encoding="ascii") as looks:
            looks.write("1\n")
        return hash_it(hasher, password, salt)

    OfficePasswordHasher.encode = encode


def _without_reservations() -> None:
    """Count as most do: look how many failed, try, then write that one more did."""
    from django.db.models import F
    from django.utils import timezone

    from accounts import limits
    from accounts.models import AttemptCounter
    from chitfund.exceptions import TooMany

    def look_then_count(limit: limits.Limit, *who: str) -> None:
        key = limits._key(limit, who)
        counter = AttemptCounter.objects.filter(key=key)
        failed = counter.values_list("count", flat=True).first() or 0
        if failed >= limit.attempts:
            raise TooMany("Too many attempts.", retry_after=1)
        if limit == limits.SIGN_IN_PAIR:
            wait_for_company(limit.attempts + 1)
        ends_at = timezone.now() + timedelta(hours=1)
        AttemptCounter.objects.get_or_create(key=key, defaults={"window_ends_at": ends_at})
        counter.update(count=F("count") + 1)

    def nothing(*args: Any) -> None:
        """Every sign-in here is wrong, so there is nothing to give back."""

    limits.reserve = look_then_count
    limits.give_back = nothing


def _without_single_use() -> None:
    """Use codes up as many do: look whether it was used, then write that it was."""
    from django.utils import timezone

    from accounts.models import OneTimeCode, RecoveryCode, TimeBasedFactor, User
    from accounts.services import one_time_codes, second_factor

    def use_up(code: OneTimeCode) -> bool:
        is_unused = code.used_at is None
        wait_for_company(2)
        OneTimeCode.objects.filter(pk=code.pk).update(used_at=timezone.now())
        return is_unused

    def use_step(factor: TimeBasedFactor, digits: str) -> bool:
        step = second_factor._step_of(second_factor._secret_of(factor), digits)
        is_unused = step is not None and factor.last_used_step < step
        wait_for_company(2)
        if is_unused:
            TimeBasedFactor.objects.filter(pk=factor.pk).update(last_used_step=step)
        return is_unused

    def use_recovery_code(user: User, plain: str) -> bool:
        known_as = second_factor._hash(user.pk, plain)
        code = RecoveryCode.objects.get(user=user, code_hash=known_as)
        wait_for_company(2)
        RecoveryCode.objects.filter(pk=code.pk).update(used_at=timezone.now())
        return code.used_at is None

    one_time_codes._use_up = use_up
    second_factor._use_step = use_step
    second_factor._use_recovery_code = use_recovery_code


def _without_single_refresh() -> None:
    """Look whether a refresh token is used, then mark it, and draw the successor by lot."""
    from accounts.services import sessions

    def look_then_mark(claims: Any, now: datetime) -> bool:
        unused = sessions._tokens(claims).filter(used_at=None, expires_at__gt=now)
        if not unused.exists():
            return False
        wait_for_company(2)
        sessions._tokens(claims).update(used_at=now)
        return True

    def drawn(jti: UUID) -> UUID:
        return uuid4()

    sessions._use_once = look_then_mark
    sessions.successor_of = drawn


def _without_ending_families() -> None:
    """Refuse a used refresh token and leave its session alone."""
    from accounts.services import sessions

    sessions._end_reused = lambda session: None


def _without_single_links() -> None:
    """Look whether a mailed secret is unused, without its owner's lock, then mark it."""
    from django.utils import timezone

    from accounts.models import AccountMail, User
    from accounts.services import mails, recovery

    def look_then_mark(token: str, *purposes: Any) -> AccountMail:
        mail = AccountMail.objects.filter(token_hash=mails._hash(token), used_at=None).first()
        if mail is None:
            raise mails.dead_link()
        wait_for_company(2)
        AccountMail.objects.filter(pk=mail.pk).update(used_at=timezone.now())
        return mail

    recovery.use_token = look_then_mark
    recovery.lock_user = lambda user_id: User.objects.get(pk=user_id)


GUARDS = {
    "reservations": _without_reservations,
    "single_use": _without_single_use,
    "single_refresh": _without_single_refresh,
    "ending_families": _without_ending_families,
    "single_links": _without_single_links,
}

_write_down_looks(os.environ["LOOKS"])
if guard := os.environ.get("WITHOUT"):
    GUARDS[guard]()
