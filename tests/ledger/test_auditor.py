"""The auditor itself: it knows nothing of the product, reckons as published, and notices."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.db import IntegrityError

from tests.ledger.arithmetic import Terms, gst_percent, shares_of
from tests.ledger.auditor import Auditor, Refused
from tests.ledger.office import nothing_is_kept
from tests.ledger.play import Play

SECOND_BOOKS = ("arithmetic.py", "passbook.py", "auditor.py")
STANDARD = {
    "__future__",
    "calendar",
    "collections",
    "dataclasses",
    "datetime",
    "fractions",
    "hashlib",
    "itertools",
}
TODAY = date(2026, 1, 5)


# -- independence --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECOND_BOOKS)
def test_the_auditor_imports_nothing_of_the_product(name: str):
    tree = ast.parse((Path(__file__).parent / name).read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    own = {f"tests.ledger.{Path(file).stem}" for file in SECOND_BOOKS}
    assert {module for module in imported - own if module.split(".")[0] not in STANDARD} == set()


# -- published figures (domain.md 2 and 3, docs of the companies named there) ---------------


def divided(discount: int, **terms: object) -> tuple[int, int, int, int]:
    """Return prize, commission, tax and pool of a draw, in whole rupees."""
    usual = {"installment": 200_000, "tickets": 50, "cap_percent": Fraction(40)}
    parts = Terms(**{**usual, **terms}).divide(discount * 100, TODAY)  # type: ignore[arg-type]
    return tuple(amount // 100 for amount in (parts.prize, parts.commission, parts.tax, parts.pool))


def test_margadarsi_of_1_00_000_by_50_at_40_000():
    assert divided(40_000) == (60_000, 5_000, 900, 35_000)
    assert 35_000 // 50 == 700


def test_nagashiva_with_the_commission_in_the_installment():
    terms = {"installment": 500_000, "tickets": 20, "commission_percent": Fraction(6)}
    assert divided(30_000, commission_mode="IN_INSTALLMENT", **terms)[::3] == (70_000, 30_000)
    chit = Terms(**terms, commission_mode="IN_INSTALLMENT", foreman_month=1)  # type: ignore[arg-type]
    assert (chit.gross(1), chit.gross(2)) == (500_000, 530_000)


def test_chetana_with_the_commission_on_top():
    prize, commission, _, pool = divided(100_000, installment=1_000_000, commission_mode="ON_TOP")
    assert (prize, commission, pool) == (375_000, 25_000, 100_000)


def test_interest_of_25_days_at_18_percent_on_2_000():
    terms = Terms(interest_percent=Fraction(18))
    assert terms.interest([(200_000, 25)]) == 2_466
    assert terms.interest([(200_000, 3)]) == 0, "within the grace"


def test_the_cap_covers_all_that_the_winner_forgoes():
    usual = Terms(installment=200_000, tickets=50, cap_percent=Fraction(40))
    assert usual.cap == 4_000_000
    on_top = Terms(
        installment=200_000, tickets=50, cap_percent=Fraction(40), commission_mode="ON_TOP"
    )
    assert on_top.cap == 3_500_000


def test_odd_paise_go_to_the_first():
    assert shares_of(1_000_000, 3) == [333_334, 333_333, 333_333]
    assert sum(shares_of(100_000, 6)) == 100_000


def test_gst_rose_on_18_july_2022():
    assert [gst_percent(date(2022, 7, day)) for day in (17, 18)] == [12, 18]


# -- by hand -------------------------------------------------------------------------------


def test_a_small_chit_by_hand():
    """Two tickets of 1,000, no foreman's ticket: each figure below was reckoned on paper."""
    auditor = Auditor(Terms(tickets=2, foreman_month=None), start=TODAY, today=TODAY)
    auditor.enrol(1, "member 1")
    auditor.enrol(2, "member 2")
    auditor.commence()
    auditor.pay(["a", "b"], {1: 100_000, 2: 100_000}, actor="foreman")
    auditor.today = date(2026, 1, 10)
    auditor.open(1)
    auditor.bid(1, 2, 40_000)
    expected = auditor.expect_close(1)
    assert expected is not None
    auditor.settle(1, 2, expected, by_order=False)
    assert auditor.heads() == {
        "cash": 200_000,
        "ticket 1": 100_000 - 15_000,  # half of the discount of 400 less a commission of 100
        "ticket 2": 100_000 - 15_000,
        "chit": -200_000,
        "prize_payable": -(200_000 - 40_000 - 1_800),
        "commission": -10_000,
        "gst_payable": -1_800,
    }
    auditor.today = auditor.draws[2].day
    with pytest.raises(Refused, match="prized"):
        auditor.expect_record(2, 2, 10_000, "BID", 2)


# -- it notices ----------------------------------------------------------------------------


def live_a_little() -> None:
    """Three tickets, a bid, somebody who pays late, and an end."""
    terms = Terms(tickets=3, foreman_month=None, late_dividend="FORFEIT", unit=1)
    with nothing_is_kept():
        play = Play(terms, today=TODAY)
        play.enrol_all()
        play.do("commence")
        play.pay({1: 100_000, 2: 90_000, 3: 150_000})
        for month, late in ((1, {2: 20_000}), (2, {2: 120_000})):
            play.wait_for_the_draw()
            play.do("open", month)
            if month == 1:
                play.do("bid", 1, 3, 50_000)
            play.close(month)
            play.pass_days(20)
            play.pay(late)
        play.finish()


@pytest.mark.django_db
def test_a_small_life_agrees():
    live_a_little()


def without(amount: Decimal, unit: Decimal) -> Decimal:
    return amount - amount % unit - unit


BROKEN: dict[str, tuple[str, Callable[..., object]]] = {
    "a dividend is a paisa short": ("auctions.outcome.floor_to", without),
    "late interest is forgotten": (
        "payments.services.passbook.late_interest",
        lambda parts, **terms: Decimal(0),
    ),
    "a late dividend is kept": (
        "payments.services.passbook.Passbook.forfeit",
        lambda page, due: None,
    ),
    "tax is forgotten": ("payments.services.settlement.tax_percent_on", lambda day: Decimal(0)),
    "nobody closes the books": (
        "payments.services.cash.close_books_if_done",
        lambda scheme, *, actor: False,
    ),
    "dividends are not kept to their month": (
        "payments.services.dividends._pin",
        lambda page, dividend, due: None,
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BROKEN)
def test_the_comparison_notices_when(name: str, monkeypatch: pytest.MonkeyPatch):
    target, broken = BROKEN[name]
    monkeypatch.setattr(target, broken)
    with pytest.raises((AssertionError, IntegrityError)):
        live_a_little()
