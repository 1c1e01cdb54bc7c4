"""The day that every rule and job goes by: Asia/Kolkata, and movable outside production.

The override is one row of `business_clock`. Production never reads it, so nobody can move
the office's calendar there. Tokens, limits, idempotency and logs go by the real clock.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

IST = ZoneInfo("Asia/Kolkata")
FIRST_MONTH_OF_THE_YEAR = 4  # the financial year of India begins on the first of April


def business_date() -> date:
    """Return today's date of the office."""
    return _moved_to() or datetime.now(IST).date()


def business_now() -> datetime:
    """Return the business date at the real time of day in India.

    The database's clock, so that deadlines are the same for every process; asked after a lock
    was taken it is the time at which the lock was had.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0].astimezone(IST)
    moved_to = _moved_to()
    return now if moved_to is None else datetime.combine(moved_to, now.timetz())


def _moved_to() -> date | None:
    if settings.APP_ENV == "production":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT moved_to FROM business_clock")
        row = cursor.fetchone()
    return row[0] if row else None


def add_months(start: date, months: int, *, day: int | None = None) -> date:
    """Return the same day of a later month, or that month's last day if it is shorter.

    `day` keeps the wished day of the month: the 31st gives 31 Oct, 30 Nov, 31 Dec, 31 Jan,
    28 or 29 Feb, 31 Mar.
    """
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day or start.day, last))


def end_date(start: date, months: int) -> date:
    """Return the last day of a term of whole months that begins on `start`.

    A term from 31 January ends with a month that has no 31st on that month's last day.
    """
    following = add_months(start, months)
    is_shortened = following.day < start.day
    return following if is_shortened else following - timedelta(days=1)


def financial_year(on: date) -> str:
    """Return the April to March year as receipts write it: 2026-27."""
    first = on.year if on.month >= FIRST_MONTH_OF_THE_YEAR else on.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def age_on(day: date, *, born: date) -> int:
    """Return the full years of a person on a day; a birthday counts from its morning on."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
