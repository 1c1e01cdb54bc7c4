"""Rupees to the paisa."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chitfund.money import floor_to, format_inr, percent_of, round_paise, rupees, split_evenly


def test_ten_thousand_shared_by_three_gives_the_odd_paisa_to_the_first():
    assert split_evenly(Decimal(10000), 3) == [
        Decimal("3333.34"),
        Decimal("3333.33"),
        Decimal("3333.33"),
    ]


def test_a_thousand_over_six_tickets_is_a_thousand():
    assert sum(split_evenly(Decimal("1000.00"), 6)) == Decimal("1000.00")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "₹0"),
        ("999", "₹999"),
        ("1000", "₹1,000"),
        ("100000", "₹1,00,000"),
        ("12345678.90", "₹1,23,45,678.90"),
        ("-1500.5", "-₹1,500.50"),
    ],
)
def test_amounts_are_written_in_lakhs_and_crores(amount, text):
    assert format_inr(Decimal(amount)) == text


def test_a_float_is_never_money():
    with pytest.raises(TypeError):
        rupees(0.1)  # type: ignore[arg-type]


def test_a_fraction_of_a_paisa_is_refused():
    with pytest.raises(ValueError, match="fraction"):
        rupees("1.001")
    with pytest.raises(ValueError, match="fraction"):
        split_evenly(Decimal("1.001"), 2)


def test_rates_round_half_up_and_shares_round_down():
    assert round_paise(Decimal("0.005")) == Decimal("0.01")
    assert percent_of(Decimal(18), Decimal("0.25")) == Decimal("0.05")  # 0.045
    assert floor_to(Decimal("1556.67"), Decimal("1.00")) == 1556
