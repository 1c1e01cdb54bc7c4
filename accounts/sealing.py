"""Bytes at rest that nobody reads without this office's key: AES-256-GCM.

Each use has a key of its own, derived (HKDF) from `PII_ENCRYPTION_KEY`. What is sealed is bound
to a label: moved to another row it does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from contextlib import suppress
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"chitfund answers of keyed requests"
VALUES = b"chitfund values in columns"
FORMAT = "v1"
NONCE_BYTES = 12
KEY_BYTES = 32


class NotOpenedError(Exception):
    """These bytes were not sealed with this key under this label."""


def sealed(plain: bytes, *, label: bytes) -> bytes:
    """Return the nonce and what only the same key and label open again."""
    return _seal(cipher(settings.PII_ENCRYPTION_KEY, PURPOSE), plain, label)


def opened(box: bytes, *, label: bytes) -> bytes:
    """Return what was sealed by our key, or by one that is retired, or raise NotOpenedError."""
    for key in (settings.PII_ENCRYPTION_KEY, *settings.PII_RETIRED_KEYS):
        with suppress(NotOpenedError):
            return _open(cipher(key, PURPOSE), box, label)
    raise NotOpenedError


def sealed_value(plain: str, *, cell: str) -> str:
    """Return `v1.<key id>.<base64>` of a value that may only stand in one cell of a table.

    `cell` is `table.column.row id`: a value moved to another row or column does not open. The
    key id tells by which key it was sealed, so that keys can be changed one row at a time.
    """
    box = _seal(cipher(settings.PII_ENCRYPTION_KEY, VALUES), plain.encode(), cell.encode())
    text = base64.urlsafe_b64encode(box).rstrip(b"=").decode()
    return f"{FORMAT}.{key_id(settings.PII_ENCRYPTION_KEY)}.{text}"


def opened_value(text: str, *, cell: str) -> str:
    """Return what `sealed_value` sealed for this cell, or raise NotOpenedError.

    Never the text itself: what is not sealed, or by a key that is not ours, is an error.
    """
    version, _, rest = text.partition(".")
    name, _, encoded = rest.partition(".")
    keys = {key_id(key): key for key in (settings.PII_ENCRYPTION_KEY, *settings.PII_RETIRED_KEYS)}
    if version != FORMAT or name not in keys:
        raise NotOpenedError
    try:
        box = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except ValueError as exc:
        raise NotOpenedError from exc
    return _open(cipher(keys[name], VALUES), box, cell.encode()).decode()


def blind_index(value: str, *, column: str) -> str:
    """Return a keyed digest by which equal values of a column are found without opening any."""
    message = f"{column}\n{value}".encode()
    return hmac.new(settings.PII_INDEX_KEY.encode(), message, hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def key_id(secret: str) -> str:
    """Return eight hexadecimal digits that name a key and tell nothing of it."""
    return _derived(secret, b"chitfund key id", 4).hex()


@lru_cache(maxsize=8)
def cipher(secret: str, purpose: bytes) -> AESGCM:
    return AESGCM(_derived(secret, purpose, KEY_BYTES))


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose)
    return kdf.derive(secret.encode())


def _seal(by: AESGCM, plain: bytes, label: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + by.encrypt(nonce, plain, label)


def _open(by: AESGCM, box: bytes, label: bytes) -> bytes:
    nonce, secret = box[:NONCE_BYTES], box[NONCE_BYTES:]
    try:
        return by.decrypt(nonce, secret, label)
    except (InvalidTag, ValueError) as exc:
        raise NotOpenedError from exc
