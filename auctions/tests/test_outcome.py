"""The arithmetic of a draw, with plain numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auctions.outcome import (
    CHIT_VALUE,
    DISCOUNT,
    IN_INSTALLMENT,
    INSIDE_DISCOUNT,
    ON_TOP,
    Terms,
    auction_outcome,
    foreman_outcome,
)
from chitfund.exceptions import InvalidInput
from chitfund.money import PAISA, split_evenly


def terms(**changes: object) -> Terms:
    """The published 50-ticket chit, with what a test changes."""
    usual: dict[str, object] = {
        "total_amount": Decimal(100000),
        "tickets": 50,
        "commission_percent": Decimal(5),
        "commission_base": CHIT_VALUE,
        "commission_mode": INSIDE_DISCOUNT,
        "max_discount_percent": Decimal(40),
        "min_discount_percent": None,
        "rounding_unit": Decimal("1.00"),
        "base_dividend_cap_percent": None,
    }
    return Terms(**{**usual, **changes})  # type: ignore[arg-type]


def test_the_published_example_divides_as_its_source_says():
    outcome = auction_outcome(terms(), discount=Decimal(40000), recipients=50)
    assert outcome.prize_amount == 60000
    assert outcome.commission == 5000
    assert outcome.dividend_per_ticket == 700
    assert outcome.residue == 0


def test_commission_on_top_is_charged_to_the_winner_beside_the_discount():
    outcome = auction_outcome(
        terms(total_amount=Decimal(500000), commission_mode=ON_TOP),
        discount=Decimal(100000),
        recipients=50,
    )
    assert (outcome.prize_amount, outcome.dividend_per_ticket) == (375000, 2000)


def test_commission_in_the_installment_leaves_the_whole_discount_to_the_pool():
    chit = terms(tickets=20, commission_percent=Decimal(6), commission_mode=IN_INSTALLMENT)
    outcome = auction_outcome(chit, discount=Decimal(30000), recipients=20)
    assert (outcome.prize_amount, outcome.dividend_per_ticket) == (70000, 1500)
    assert chit.gross_installment(is_foremans=False) == 5300
    assert chit.gross_installment(is_foremans=True) == 5000


def test_commission_in_the_installment_must_divide_to_whole_paise():
    chit = terms(
        total_amount=Decimal(300),
        tickets=3,
        commission_percent=Decimal("5.01"),
        commission_mode=IN_INSTALLMENT,
    )
    assert chit.gross_installment(is_foremans=False) == Decimal("105.01")
    with pytest.raises(InvalidInput, match="does not divide"):
        terms(
            total_amount=Decimal(100), tickets=3, commission_mode=IN_INSTALLMENT
        ).gross_installment(is_foremans=False)


def test_the_residue_is_carried_and_not_lost():
    chit = terms(total_amount=Decimal(300000), tickets=30)
    first = auction_outcome(chit, discount=Decimal(61700), recipients=30)
    assert (first.dividend_per_ticket, first.residue) == (1556, 20)
    second = auction_outcome(chit, discount=Decimal(58300), recipients=30, carry_in=first.residue)
    assert (second.dividend_per_ticket, second.residue) == (1444, 0)


def test_the_cap_covers_all_that_the_winner_forgoes():
    assert terms().max_discount == 40000
    assert terms(commission_mode=ON_TOP).max_discount == 35000
    on_bid = terms(commission_mode=ON_TOP, commission_base=DISCOUNT)
    cap = on_bid.max_discount
    assert cap + on_bid.commission(cap) <= 40000 < cap + on_bid.commission(cap) + Decimal("0.02")


@pytest.mark.parametrize(
    ("changes", "lowest"),
    [
        ({}, 5000),
        ({"commission_base": DISCOUNT}, 0),
        ({"commission_mode": ON_TOP}, 0),
        ({"commission_mode": IN_INSTALLMENT}, 0),
        ({"min_discount_percent": Decimal(10)}, 10000),
        ({"min_discount_percent": Decimal(1)}, 5000),
    ],
)
def test_the_lowest_bid_is_the_modes_own_or_what_the_scheme_sets_above_it(changes, lowest):
    assert terms(**changes).min_discount == lowest


def test_a_discount_outside_the_terms_is_refused_with_the_bound():
    with pytest.raises(InvalidInput, match="lowest bid is ₹5,000"):
        auction_outcome(terms(), discount=Decimal(4999), recipients=50)
    with pytest.raises(InvalidInput, match="highest bid is ₹40,000"):
        auction_outcome(terms(), discount=Decimal("40000.01"), recipients=50)


def test_commission_on_the_discount_above_seven_percent_of_the_chit_is_refused():
    chit = terms(commission_base=DISCOUNT, commission_percent=Decimal(20))
    assert auction_outcome(chit, discount=Decimal(35000), recipients=50).commission == 7000
    with pytest.raises(InvalidInput, match="section 21"):
        auction_outcome(chit, discount=Decimal(35100), recipients=50)


def test_the_foreman_takes_the_whole_amount_without_discount_commission_or_tax():
    outcome = foreman_outcome(terms(), recipients=50)
    assert outcome.prize_amount == outcome.prize_after_tax == 100000
    assert (outcome.discount, outcome.commission, outcome.tax) == (0, 0, 0)


def test_the_portals_sheet_splits_the_dividend_at_the_base_cap():
    chit = terms(total_amount=Decimal(300000), tickets=20, base_dividend_cap_percent=Decimal(20))
    outcome = auction_outcome(chit, discount=Decimal(86500), recipients=20)
    assert (outcome.base_dividend, outcome.golden_dividend) == (60000, 11500)


@settings(max_examples=20_000, deadline=None)
@given(
    tickets=st.integers(2, 100),
    installment=st.integers(1, 10**10 // 100),
    mode=st.sampled_from([INSIDE_DISCOUNT, ON_TOP]),
    base=st.sampled_from([CHIT_VALUE, DISCOUNT]),
    percent=st.decimals(0, 7, places=2),
    unit=st.sampled_from([Decimal("1.00"), PAISA]),
    share=st.integers(0, 10**6),
    fewer=st.integers(0, 1),
    carry=st.decimals(0, 1000, places=2),
)
def test_every_paisa_of_a_draw_has_an_owner(
    tickets, installment, mode, base, percent, unit, share, fewer, carry
):
    chit = terms(
        total_amount=installment * PAISA * tickets,
        tickets=tickets,
        commission_percent=percent,
        commission_mode=mode,
        commission_base=base,
        rounding_unit=unit,
    )
    low, high = chit.min_discount, chit.max_discount
    if low > high:
        return
    discount = (low + (high - low) * share / 10**6).quantize(PAISA)
    recipients = max(1, tickets - fewer)
    outcome = auction_outcome(
        chit, discount=discount, recipients=recipients, tax_percent=Decimal(18), carry_in=carry
    )
    raised = chit.gross_installment(is_foremans=False) * tickets
    assert outcome.prize_amount + outcome.commission + outcome.new_pool == raised
    assert outcome.distributed + outcome.residue == outcome.new_pool + carry
    assert 0 <= outcome.residue < recipients * unit
    assert outcome.base_dividend + outcome.golden_dividend == outcome.dividend_pool
    assert min(outcome.prize_amount, outcome.commission, outcome.dividend_per_ticket) >= 0
    assert chit.total_amount - outcome.prize_amount <= chit.total_amount * 40 / 100 + PAISA


@settings(max_examples=20_000, deadline=None)
@given(paise=st.integers(0, 10**12), parts=st.integers(1, 100))
def test_an_even_split_is_exact_fair_and_in_order(paise, parts):
    amount = paise * PAISA
    shares = split_evenly(amount, parts)
    assert sum(shares) == amount
    assert max(shares) - min(shares) <= PAISA
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0
