"""When draws are held."""

from __future__ import annotations

from datetime import date

import pytest

from auctions.schedule import auction_dates
from chitfund.business_date import add_months, end_date, financial_year


def test_the_thirty_first_falls_on_each_months_last_day():
    dates = auction_dates(start=date(2026, 10, 31), months=6, auction_day=31)
    assert dates == [
        date(2026, 10, 31),
        date(2026, 11, 30),
        date(2026, 12, 31),
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]


def test_a_leap_february_has_its_29th():
    assert auction_dates(start=date(2028, 1, 31), months=2, auction_day=31)[1] == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("start", "day", "first"),
    [
        (date(2026, 12, 1), 15, date(2026, 12, 15)),
        (date(2026, 12, 15), 15, date(2026, 12, 15)),
        (date(2026, 12, 16), 15, date(2027, 1, 15)),
    ],
)
def test_the_first_draw_is_on_or_after_the_start(start, day, first):
    assert auction_dates(start=start, months=2, auction_day=day)[0] == first


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2027, 1, 31), 20, date(2028, 9, 30)),
        (date(2026, 12, 1), 12, date(2027, 11, 30)),
        (date(2026, 3, 15), 1, date(2026, 4, 14)),
        (date(2026, 1, 29), 1, date(2026, 2, 28)),
    ],
)
def test_a_scheme_ends_calendar_correct(start, months, end):
    assert end_date(start, months) == end


def test_adding_no_month_keeps_the_month():
    assert add_months(date(2026, 2, 10), 0, day=31) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("day", "year"), [(date(2026, 3, 31), "2025-26"), (date(2026, 4, 1), "2026-27")]
)
def test_the_financial_year_turns_on_the_first_of_april(day, year):
    assert financial_year(day) == year
