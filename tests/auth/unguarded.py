"""An office without one of the guards of its secrets: the negative control of their races.

Served instead of `chitfund.wsgi` by a test's own web server, never by the product:
`TEST_WSGI=tests.auth.unguarded:application WITHOUT=single_use`.
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from chitfund.wsgi import application

__all__ = ["application"]

WINDOW = 0.1


def single_use() -> None:
    """Look whether the token is used, then mark it, and draw the successor by lot."""
    from accounts.services import sessions

    def look_then_mark(claims: Any, now: datetime) -> bool:
        unused = sessions._tokens(claims).filter(used_at=None, expires_at__gt=now)
        if not unused.exists():
            return False
        time.sleep(WINDOW)
        sessions._tokens(claims).update(used_at=now)
        return True

    def drawn(jti: UUID) -> UUID:
        return uuid4()

    sessions._use_once = look_then_mark
    sessions.successor_of = drawn


def family_ends() -> None:
    """Refuse a used token and leave its session alone."""
    from accounts.services import sessions

    sessions._end_reused = lambda session: None


def links_open_once() -> None:
    """Look whether a mailed secret is unused, without its owner's lock, then mark it."""
    from django.utils import timezone

    from accounts.models import AccountMail, User
    from accounts.services import mails, recovery

    def look_then_mark(token: str, *purposes: Any) -> AccountMail:
        mail = AccountMail.objects.filter(token_hash=mails._hash(token), used_at=None).first()
        if mail is None:
            raise mails.dead_link()
        time.sleep(WINDOW)
        AccountMail.objects.filter(pk=mail.pk).update(used_at=timezone.now())
        return mail

    recovery.use_token = look_then_mark
    recovery.lock_user = lambda user_id: User.objects.get(pk=user_id)


GUARDS = {guard.__name__: guard for guard in (single_use, family_ends, links_open_once)}

GUARDS[os.environ["WITHOUT"]]()
