"""Dividing a chit value to the paisa, and naming what would divide."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chitfund.exceptions import InvalidInput
from schemes.amounts import (
    is_commission_whole,
    nearest_installments,
    nearest_percents,
    settle_amounts,
)


def amount(text: str) -> Decimal:
    return Decimal(text)


def test_the_total_follows_from_the_installment():
    assert settle_amounts(tickets=15, installment=amount("33333.33"), total=None) == (
        amount("33333.33"),
        amount("499999.95"),
    )


def test_the_installment_follows_from_the_total():
    assert settle_amounts(tickets=20, installment=None, total=amount("300000")) == (
        amount("15000.00"),
        amount("300000.00"),
    )


def test_a_total_that_does_not_divide_is_refused_with_the_nearest_that_do():
    with pytest.raises(InvalidInput) as refusal:
        settle_amounts(tickets=15, installment=None, total=amount("500000"))
    assert "₹4,99,999.95 (₹33,333.33 a month)" in refusal.value.message
    assert "₹5,00,000.10 (₹33,333.34 a month)" in refusal.value.message
    assert refusal.value.errors[0].field == "total_amount"


def test_a_rounded_installment_beside_such_a_total_is_refused_the_same_way():
    # The portal: Math.round(500000 / 15), which loses five rupees.
    with pytest.raises(InvalidInput, match=re.escape("4,99,999.95")):
        settle_amounts(tickets=15, installment=amount("33333"), total=amount("500000"))


def test_amounts_that_disagree_are_refused_with_what_the_total_would_need():
    with pytest.raises(InvalidInput, match="₹15,000 a month, not 14000"):
        settle_amounts(tickets=20, installment=amount("14000"), total=amount("300000"))


def test_an_installment_with_a_fraction_of_a_paisa_is_refused_with_its_neighbours():
    with pytest.raises(InvalidInput, match=re.escape("₹33,333.33 and ₹33,333.34")):
        settle_amounts(tickets=15, installment=amount("33333.3333333333"), total=None)


def test_one_of_the_two_amounts_is_needed():
    with pytest.raises(InvalidInput, match="Give monthly_installment"):
        settle_amounts(tickets=15, installment=None, total=None)


def test_a_total_below_a_paisa_a_ticket_names_only_the_one_above():
    with pytest.raises(InvalidInput) as refusal:
        settle_amounts(tickets=50, installment=None, total=amount("0.20"))
    assert "₹0.50 (₹0.01 a month)" in refusal.value.message
    assert " and " not in refusal.value.message.split("do: ")[1]


def test_a_total_too_large_for_the_column_is_refused():
    with pytest.raises(InvalidInput, match=re.escape("at most ₹9,99,99,99,999.99")):
        settle_amounts(tickets=500, installment=amount("99999999.99"), total=None)


@given(
    tickets=st.integers(2, 500),
    total=st.decimals(min_value="0.01", max_value="99999999", places=2, allow_nan=False),
)
def test_what_is_settled_multiplies_back_and_what_is_named_divides(tickets, total):
    try:
        installment, settled = settle_amounts(tickets=tickets, installment=None, total=total)
    except InvalidInput:
        assert total * 100 % tickets != 0
        return
    assert settled == total
    assert installment * tickets == total
    assert installment == installment.quantize(Decimal("0.01"))


@given(percent=st.integers(1, 700), paise=st.integers(1, 10_000_000))
def test_the_nearest_ways_to_whole_paise_are_ways_and_are_nearest(percent, paise):
    percent, installment = Decimal(percent) / 100, Decimal(paise) / 100
    around = nearest_installments(percent=percent, installment=installment)
    assert all(is_commission_whole(percent=percent, installment=value) for value in around)
    below, above = ([Decimal(0), *around][-2:]) if len(around) < 2 else around
    assert below <= installment < above
    between = range(int(below * 100) + 1, int(above * 100))
    assert not any(
        is_commission_whole(percent=percent, installment=Decimal(p) / 100) for p in between
    )
    for value in nearest_percents(percent=percent, installment=installment, most=Decimal(7)):
        assert 0 < value <= 7
        assert is_commission_whole(percent=value, installment=installment)


def test_a_commission_divides_when_each_ticket_bears_whole_paise():
    assert is_commission_whole(percent=Decimal(5), installment=Decimal("5000"))
    assert not is_commission_whole(percent=Decimal(5), installment=Decimal("33333.33"))
