"""JSON in through orjson: strict, and in the names of the guide whichever way they are cased."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from io import BytesIO
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, FormParser

from chitfund.exceptions import TooLarge

# A sign-in, with the longest address, password and name that are accepted.
SMALL_BODY = 4096

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_case(name: str) -> str:
    """`monthlyInstallment` (the portal) to `monthly_installment` (the guide)."""
    return _UPPER.sub(lambda match: "_" + match[1].lower(), name)


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake_case(key): _snake(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if isinstance(value, float):
        # The shortest decimal that means this number: what the client typed, if it was exact.
        return Decimal(repr(value))
    return value


def _read(stream: IO[bytes], request: HttpRequest | None, limit: int) -> bytes:
    """Read a body to its limit, which Django looks at in bodies that it reads itself only."""
    told = request.META.get("CONTENT_LENGTH") if request is not None else ""
    if told and told.isdecimal() and int(told) > limit:
        raise _too_large(limit)
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> TooLarge:
    size = f"{limit / 2**20:g} MB" if limit >= 2**20 else f"{limit / 2**10:g} kB"
    return TooLarge(f"The body has more than {size}, which is the limit. Send less.")


class JSONParser(BaseParser):
    """Parse a JSON object; anything else is a 400 that says so."""

    media_type = "application/json"

    def most_bytes(self) -> int:
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = _read(stream, (parser_context or {}).get("request"), self.most_bytes())
        try:
            data = orjson.loads(body) if body.strip() else {}
        except (ValueError, RecursionError) as exc:
            raise ParseError("The body is not valid JSON.") from exc
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        try:
            return _snake(data)
        except RecursionError as exc:
            raise ParseError("The body is nested too deeply.") from exc


class SmallJSONParser(JSONParser):
    """The same for routes that strangers may call: what they have to say is short."""

    def most_bytes(self) -> int:
        return SMALL_BODY


class SmallFormParser(FormParser):
    """A short form, for clients of the OAuth2 standard, which know no JSON there."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = _read(stream, (parser_context or {}).get("request"), SMALL_BODY)
        return super().parse(BytesIO(body), media_type, dict(parser_context or {}))
