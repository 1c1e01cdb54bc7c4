"""Interest on late installments. Plain numbers, no Django."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chitfund.money import ZERO, round_paise

DAYS_A_YEAR = 365


@dataclass(frozen=True)
class Part:
    """Rupees that were applied to an installment, and the day they count from."""

    amount: Decimal
    applied_on: date


def late_interest(
    parts: Iterable[Part], *, due_on: date, percent: Decimal, grace_days: int
) -> Decimal:
    """Return simple interest in rupees on what was paid after the due day (s.6(1)(c)).

    Each part bears interest for its own days, counted from the day after the due day; within
    the days of grace it bears none. Rounded once, half up to the paisa, so a payer of many
    small parts does not gain or lose by the rounding.
    """
    weighted = ZERO
    for part in parts:
        days = (part.applied_on - due_on).days
        if days > grace_days:
            weighted += part.amount * days
    return round_paise(weighted * percent / (100 * DAYS_A_YEAR))
