"""Fields that several serializers share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ChoiceOrNullField(serializers.ChoiceField):
    """A word of a list, or null where none was chosen yet (an empty column)."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) if value else None
