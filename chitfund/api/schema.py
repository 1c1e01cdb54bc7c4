"""How views describe themselves in OpenAPI."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error, whatever its status."""

    message = serializers.CharField(help_text="What went wrong and what to do about it.")
    code = serializers.CharField(help_text="For programs; never changes.")
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # DRF's own property
    trace_id = serializers.CharField(help_text="Quote this to support.")


IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    description=(
        "1 to 255 letters, digits, `-` or `_`. The same key and body replays the first answer "
        "with `Idempotency-Replayed: true`; another body is 422; one in flight is 409."
    ),
)


class AutoSchema(SpectacularAutoSchema):
    """Adds the error envelope to every operation, and the idempotency key to every POST."""

    def get_override_parameters(self) -> list[Any]:
        takes_key = self.method == "POST" and getattr(self.view, "takes_idempotency_key", False)
        return [*super().get_override_parameters(), *([IDEMPOTENCY_KEY] if takes_key else [])]

    def get_response_serializers(self) -> Any:
        declared: Any = super().get_response_serializers()
        if not isinstance(declared, dict):
            success = "204" if self.method == "DELETE" else "200"
            declared = {success: declared}
        return {**declared, **dict.fromkeys(self._error_statuses(), ErrorSerializer)}

    def _error_statuses(self) -> list[str]:
        statuses = ["400", "401", "403", "404", "405", "406", "429", "503"]
        if self.method in ("POST", "PUT", "PATCH", "DELETE"):
            statuses += ["409", "413", "415", "422"]
        return statuses
