"""Interest on late installments, with plain numbers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from payments.interest import Part, late_interest

DUE = date(2026, 1, 10)


def charged(*parts: tuple[str, int], percent: str = "18", grace: int = 3) -> Decimal:
    return late_interest(
        [Part(Decimal(amount), DUE + timedelta(days=days)) for amount, days in parts],
        due_on=DUE,
        percent=Decimal(percent),
        grace_days=grace,
    )


def test_the_worked_example_of_the_domain():
    assert charged(("2000", 25)) == Decimal("24.66")


@pytest.mark.parametrize(("days", "interest"), [(0, "0"), (3, "0"), (4, "3.95"), (-5, "0")])
def test_within_grace_nothing_then_from_the_day_after_the_due_day(days, interest):
    assert charged(("2000", days)) == Decimal(interest)


def test_parts_bear_interest_for_their_own_days_and_round_once():
    assert charged(("1000", 10), ("1000", 20)) == Decimal("14.79")  # 30,000 x 18 / 36,500


def test_half_a_paisa_rounds_up():
    assert charged(("36.50", 5), percent="1") == Decimal("0.01")  # exactly 0.005
