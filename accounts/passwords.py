"""How passwords are stored: bcrypt over SHA-256, so that long ones are neither cut nor refused."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher


class OfficePasswordHasher(BCryptSHA256PasswordHasher):
    """BCryptSHA256 at the office's cost; a hash of another cost is renewed at the next sign-in."""

    rounds = settings.BCRYPT_ROUNDS
