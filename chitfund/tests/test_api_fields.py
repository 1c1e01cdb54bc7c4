"""Fields that several serializers share."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rest_framework import serializers

from chitfund.api.fields import PlainDecimalField


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12.50", "12.50"), (" 7 ", "7"), ("-3", "-3"), (".5", "0.5"), (100, "100")],
)
def test_a_number_as_people_write_it_is_read(typed, value):
    field = PlainDecimalField(max_digits=8, decimal_places=2)
    assert field.run_validation(typed) == Decimal(value)


@pytest.mark.parametrize("typed", ["1e2", "5_0", "१२.५०", "١٢", "+5", "NaN", "Infinity", ""])
def test_what_only_a_machine_reads_as_a_number_is_refused(typed):
    with pytest.raises(serializers.ValidationError):
        PlainDecimalField(max_digits=8, decimal_places=2).run_validation(typed)
