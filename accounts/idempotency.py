"""A keyed POST is done once; whoever sends it again gets the first answer again.

The key and the work commit in one transaction. A rival with the same key waits on the
unique index and then replays, or does the work itself if the first one failed: there is no
half state that a crash could leave behind. Answers hold personal data, so they are kept sealed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from psycopg import errors as pg
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sealing
from accounts.models import IdempotencyRecord
from chitfund.api.renderers import dumps
from chitfund.exceptions import Conflict, InvalidInput, KeyMismatch

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
RETRY_SECONDS = 1
_FORM = re.compile(r"[A-Za-z0-9_-]{1,255}")
Handler = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Claim:
    """What a key stands for: one person's one request on one route."""

    user_id: UUID
    route: str
    key: str
    fingerprint: bytes

    @property
    def label(self) -> bytes:
        """What a sealed answer is bound to; a line break is in none of the three."""
        return f"{self.user_id}\n{self.route}\n{self.key}".encode()


class _Refusal(Exception):
    """Carries an answer other than 2xx out of the transaction, which it undoes."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def given_key(request: Request) -> str | None:
    """Return the request's key, None without one; refuse one that has not the form."""
    key = request.headers.get(HEADER)
    if key is not None and not _FORM.fullmatch(key):
        raise InvalidInput.on(
            HEADER, "An Idempotency-Key is 1 to 255 letters, digits, hyphens or underscores."
        )
    return key


def answer_once(
    request: Request, handler: Handler, key: str, kwargs: dict[str, Any]
) -> HttpResponse:
    """Run the handler unless this key was answered already; then replay that answer.

    Only 2xx is kept: a refusal leaves nothing, so a corrected retry may use the same key.
    """
    route = f"{request.method} {getattr(request.resolver_match, 'route', '')}"
    fingerprint = fingerprint_of(request.data, kwargs)
    claim = Claim(UUID(str(request.user.pk)), route, key, fingerprint)
    try:
        with transaction.atomic():
            record_id = _insert(claim)
            if record_id is None:
                return _replay(claim)
            response = handler(request, **kwargs)
            _keep(record_id, claim, response)
    except _Refusal as refusal:
        return refusal.response
    return response


def _insert(claim: Claim) -> int | None:
    """Insert the key's row, waiting for a rival in flight; None when it was answered."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO idempotency_records"
                " (user_id, route, key, fingerprint, status, body, created_at)"
                " VALUES (%s, %s, %s, %s, 0, ''::bytea, %s)"
                " ON CONFLICT (user_id, route, key) DO NOTHING RETURNING id",
                [claim.user_id, claim.route, claim.key, claim.fingerprint, timezone.now()],
            )
            row = cursor.fetchone()
    except OperationalError as exc:
        if isinstance(exc.__cause__, pg.LockNotAvailable):
            raise Conflict(
                "A request with this Idempotency-Key is still at work. Send it again shortly.",
                code="idempotency_in_flight",
                retry_after=RETRY_SECONDS,
            ) from exc
        raise
    return row[0] if row else None


def _replay(claim: Claim) -> HttpResponse:
    record = IdempotencyRecord.objects.get(user=claim.user_id, route=claim.route, key=claim.key)
    if bytes(record.fingerprint) != claim.fingerprint:
        raise KeyMismatch(
            "This Idempotency-Key was used for another request. Use a new key for a new request."
        )
    body = _opened(record, claim)
    response = HttpResponse(body, status=record.status, content_type="application/json")
    if not body:
        del response.headers["Content-Type"]
    response[REPLAYED] = "true"
    return response


def _opened(record: IdempotencyRecord, claim: Claim) -> bytes:
    try:
        return sealing.opened(bytes(record.body), label=claim.label)
    except sealing.NotOpenedError as exc:
        raise Conflict(
            "This request was done already, but its answer cannot be shown again. Look its "
            "result up; a new key would do it a second time."
        ) from exc


def _keep(record_id: int, claim: Claim, response: HttpResponse) -> None:
    if not status.is_success(response.status_code):
        raise _Refusal(response)
    IdempotencyRecord.objects.filter(pk=record_id).update(
        status=response.status_code,
        body=sealing.sealed(_body_of(response), label=claim.label),
    )


def _body_of(response: HttpResponse) -> bytes:
    """Return the bytes that the renderer will send."""
    if isinstance(response, Response):
        return b"" if response.data is None else dumps(response.data)
    return response.content


def fingerprint_of(data: Any, kwargs: dict[str, Any]) -> bytes:
    """Return the SHA-256 of a parsed body and its path, whatever the order of its fields."""
    canonical = {"path": kwargs, "body": _canonical(data)}
    return hashlib.sha256(
        orjson.dumps(canonical, default=str, option=orjson.OPT_SORT_KEYS)
    ).digest()


def _canonical(data: Any) -> Any:
    if isinstance(data, QueryDict):
        return {name: [_digest_of(item) for item in data.getlist(name)] for name in data}
    return data


def _digest_of(item: Any) -> Any:
    if not isinstance(item, UploadedFile):
        return item
    digest = hashlib.sha256()
    for chunk in item.chunks():
        digest.update(chunk)
    item.seek(0)
    return [item.name, digest.hexdigest()]
