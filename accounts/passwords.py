"""How passwords are stored: bcrypt over SHA-256, so that long ones are neither cut nor refused."""

from __future__ import annotations

import threading

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from chitfund.exceptions import Unavailable

# A process computes so many hashes at a time: a crowd at the door waits in line, and leaves
# the machine to those who are inside.
AT_ONCE = 2
PATIENCE_SECONDS = 10
_turn = threading.BoundedSemaphore(AT_ONCE)


class OfficePasswordHasher(BCryptSHA256PasswordHasher):
    """BCryptSHA256 at the office's cost; a hash of another cost is renewed at the next sign-in."""

    rounds = settings.BCRYPT_ROUNDS

    def encode(self, password: str, salt: bytes) -> str:
        """Return the hash, after one's turn has come; checking a password comes through here."""
        if not _turn.acquire(timeout=PATIENCE_SECONDS):
            raise Unavailable(
                "Too many people are signing in. Try again in a few seconds.", retry_after=5
            )
        try:
            return super().encode(password, salt)
        finally:
            _turn.release()
