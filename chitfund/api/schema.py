"""How the API describes itself in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiParameter

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    description=(
        "1 to 255 letters, digits, `-` or `_`. The same key and body replays the first answer "
        "with `Idempotency-Replayed: true`; another body is 422; one in flight is 409."
    ),
)
ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Every error, whatever its status.",
    "required": ["message", "code", "errors", "trace_id"],
    "properties": {
        "message": {"type": "string", "description": "What went wrong and what to do about it."},
        "code": {"type": "string", "description": "For programs; never changes."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "trace_id": {"type": "string", "description": "Quote this to support."},
    },
}
ERRORS = {
    "400": "The request is malformed or its values are not allowed.",
    "401": "Nobody is signed in, or the session has ended.",
    "403": "This person may not do this.",
    "404": "There is no such thing, or none that this person may see.",
    "405": "This path does not take this method.",
    "406": "The answer is JSON, which the request does not accept.",
    "409": "The state does not allow it, or somebody else was first.",
    "413": "The request is too large.",
    "415": "The body is of a type that this path does not take.",
    "422": "The idempotency key was used for another request.",
    "429": "Too many attempts; see `Retry-After`.",
    "503": "Something is busy or down; nothing was done. See `Retry-After`.",
}
METHODS = ("get", "post", "put", "patch", "delete")


# What a path's first word is called in the description, where it is not the word itself.
TAGS = {"auth": "Sign-in", "otp": "One-time codes", "kyc": "KYC", "subscriptions": "Tickets"}


class AutoSchema(SpectacularAutoSchema):
    """Groups operations by the first word of their path; adds the idempotency key."""

    def get_tags(self) -> list[str]:
        word = self.path.removeprefix("/api/").split("/", 1)[0]
        return [TAGS.get(word, word.capitalize())]

    def get_override_parameters(self) -> list[Any]:
        takes_key = self.method == "POST" and getattr(self.view, "takes_idempotency_key", False)
        return [*super().get_override_parameters(), *([IDEMPOTENCY_KEY] if takes_key else [])]


def describe_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the one error envelope to every operation of the description."""
    result["components"]["schemas"]["Error"] = ERROR
    for operation in _operations(result):
        for status, description in ERRORS.items():
            operation["responses"].setdefault(
                status,
                {
                    "description": description,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                },
            )
    return result


def describe_times(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Describe a time of day as what it is: OpenAPI's own `time` must name a time zone."""
    for schema in result["components"]["schemas"].values():
        for described in schema.get("properties", {}).values():
            if described.get("format") == "time":
                del described["format"]
                described["pattern"] = "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in result["paths"].values():
        for method in METHODS:
            if method in path:
                yield path[method]
