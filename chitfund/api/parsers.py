"""JSON in through orjson: strict, and in the names of the guide whichever way they are cased."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from chitfund.exceptions import TooLarge

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


def _read(stream: IO[bytes], request: HttpRequest | None) -> bytes:
    """Read a body to its limit, which Django looks at in bodies that it reads itself only."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    told = request.META.get("CONTENT_LENGTH") if request is not None else ""
    if told and told.isdecimal() and int(told) > limit:
        raise _too_large(limit)
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit / 2**20:g} MB, which is the limit. Send less.")


class JSONParser(BaseParser):
    """Parse a JSON object; anything else is a 400 that says so."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = _read(stream, (parser_context or {}).get("request"))
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
