"""When the draws of a chit are held. Plain dates, no Django."""

from __future__ import annotations

from datetime import date

from chitfund.business_date import add_months


def auction_dates(*, start: date, months: int, auction_day: int) -> list[date]:
    """Return one date a month, the first on or after `start`.

    A month that has no such day holds its draw on its last day: the 31st gives 31 Oct,
    30 Nov, 31 Dec, 31 Jan, 28 or 29 Feb.
    """
    first = add_months(start, 0, day=auction_day)
    offset = 0 if first >= start else 1
    return [add_months(start, offset + month, day=auction_day) for month in range(months)]
