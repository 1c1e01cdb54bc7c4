"""JSON out through orjson."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def dumps(data: Any) -> bytes:
    """Return JSON bytes; Decimals become strings, datetimes ISO 8601."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS)


class JSONRenderer(BaseRenderer):
    """The API speaks JSON only."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dumps(data)
