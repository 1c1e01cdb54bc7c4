"""Document files: what they may be, where they are kept, and the links that end.

Files are private. Who holds a link of ours reads one file for two minutes; the link names a
document, never a place.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.core.files.storage import default_storage

from chitfund.exceptions import InvalidInput, NotFound

MEGABYTE = 1024 * 1024
MAX_BYTES = 5 * MEGABYTE
LINK_SECONDS = 120
_SALT = "kyc.file"


@dataclass(frozen=True)
class Kind:
    """A kind of file that we take, known by its first bytes and not by its name."""

    magic: bytes
    extension: str
    content_type: str


KINDS = (
    Kind(b"\xff\xd8\xff", "jpg", "image/jpeg"),
    Kind(b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    Kind(b"%PDF-", "pdf", "application/pdf"),
)


def kind_of(file: File | IO[bytes], size: int) -> Kind:
    """Return what a file is, or raise InvalidInput when we do not take it."""
    if size > MAX_BYTES:
        raise InvalidInput.on(
            "file",
            f"The file has {size / MEGABYTE:.1f} MB; at most 5 MB are taken. Scan it smaller.",
            code="too_large",
        )
    head = file.read(max(len(kind.magic) for kind in KINDS))
    file.seek(0)
    for kind in KINDS:
        if head.startswith(kind.magic):
            return kind
    raise InvalidInput.on(
        "file", "Send a JPEG, a PNG or a PDF; this file is none of them.", code="unknown_kind"
    )


def store(file: File, kind: Kind) -> str:
    """Store a file under a key that nobody guesses, and return the key."""
    return default_storage.save(f"kyc/{secrets.token_hex(32)}.{kind.extension}", file)


def discard(key: str) -> None:
    default_storage.delete(key)


def content_type_of(key: str) -> str:
    extension = key.rpartition(".")[2]
    return next(kind.content_type for kind in KINDS if kind.extension == extension)


def link_token(document_id: UUID) -> str:
    """Return what opens one document for two minutes, wherever files are kept locally."""
    return signing.dumps(str(document_id), key=settings.SIGNED_FILE_KEY, salt=_SALT)


def read_token(token: str) -> UUID:
    """Return the document of a link, or raise NotFound once it has ended."""
    try:
        document = signing.loads(
            token, key=settings.SIGNED_FILE_KEY, salt=_SALT, max_age=LINK_SECONDS
        )
    except signing.BadSignature as exc:
        raise NotFound("This link has ended. Ask for the file again.") from exc
    return UUID(document)
