"""Bytes at rest that nobody reads without this office's key: AES-256-GCM.

The key is derived (HKDF) from `PII_ENCRYPTION_KEY`, for this use alone. What is sealed is bound
to a label: moved to another row it does not open.
"""

from __future__ import annotations

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"chitfund answers of keyed requests"
NONCE_BYTES = 12
KEY_BYTES = 32


class NotOpenedError(Exception):
    """These bytes were not sealed with this key under this label."""


def sealed(plain: bytes, *, label: bytes) -> bytes:
    """Return the nonce and what only the same key and label open again."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(settings.PII_ENCRYPTION_KEY).encrypt(nonce, plain, label)


def opened(box: bytes, *, label: bytes) -> bytes:
    """Return what was sealed, or raise NotOpenedError."""
    nonce, secret = box[:NONCE_BYTES], box[NONCE_BYTES:]
    try:
        return _cipher(settings.PII_ENCRYPTION_KEY).decrypt(nonce, secret, label)
    except (InvalidTag, ValueError) as exc:
        raise NotOpenedError from exc


@lru_cache(maxsize=2)
def _cipher(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE)
    return AESGCM(derived.derive(secret.encode()))
