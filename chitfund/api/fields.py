"""Fields that several serializers share."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from rest_framework import serializers

_PLAIN = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")


class PlainDecimalField(serializers.DecimalField):
    """A number as people write one. `Decimal` would also read 1e2, 5_0 and the digits of other
    scripts, which look like another amount than they are.
    """

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and not _PLAIN.fullmatch(data.strip()):
            self.fail("invalid")
        return super().to_internal_value(data)


class ChoiceOrNullField(serializers.ChoiceField):
    """A word of a list, or null where none was chosen yet (an empty column)."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) if value else None
