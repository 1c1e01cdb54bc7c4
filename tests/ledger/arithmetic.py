"""The arithmetic of a chit, written a second time from design.md 5.1 and domain.md 2.

Whole paise and exact fractions, and nothing of the product: what the office calculates is
compared with what is calculated here.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256

LEGAL_COMMISSION = Fraction(7, 100)  # of the gross chit amount, s.21(1)(b)
# From which day which GST is due on a foreman's commission, in percent.
GST = ((date(2022, 7, 18), 18), (date(2017, 7, 1), 12))


def half_up(value: Fraction) -> int:
    """Round to the nearest whole, halves up; for amounts that are not negative."""
    return int(value + Fraction(1, 2))


def gst_percent(day: date) -> int:
    return next((percent for since, percent in GST if day >= since), 0)


def month_after(day: date, months: int, wished: int) -> date:
    """Return the wished day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(wished, monthrange(year, month + 1)[1]))


def shares_of(amount: int, parts: int) -> list[int]:
    """Split an amount evenly, odd paise to the first."""
    return [amount // parts + (place < amount % parts) for place in range(parts)]


def drawn(seed: str, auction_id: str, tickets: list[int]) -> int:
    """Draw the lot again as the minutes describe it."""
    largest = 2**256 // len(tickets) * len(tickets)
    counter = 0
    while (number := int(sha256(f"{seed}:{auction_id}:{counter}".encode()).hexdigest(), 16)) >= (
        largest
    ):
        counter += 1
    return sorted(tickets)[number % len(tickets)]


@dataclass(frozen=True)
class Division:
    """What becomes of one month's collection, in paise."""

    prize: int
    commission: int
    tax: int
    pool: int


@dataclass(frozen=True)
class Terms:
    """The terms of one chit; amounts in paise, percentages as fractions of a hundred."""

    installment: int = 100_000
    tickets: int = 4
    commission_percent: Fraction = Fraction(5)
    commission_base: str = "CHIT_VALUE"
    commission_mode: str = "INSIDE_DISCOUNT"
    cap_percent: Fraction = Fraction(30)
    lowest_percent: Fraction | None = None
    bid_step: int = 10_000
    policy: str = "ALL_TICKETS"
    timing: str = "NEXT"
    unit: int = 100
    foreman_month: int | None = 1
    interest_percent: Fraction = Fraction(12)
    grace_days: int = 3
    late_dividend: str = "KEEP"
    auction_day: int = 10

    @property
    def value(self) -> int:
        """The gross chit amount."""
        return self.installment * self.tickets

    def commission(self, discount: int) -> int:
        base = discount if self.commission_base == "DISCOUNT" else self.value
        return half_up(self.commission_percent * base / 100)

    @property
    def cap(self) -> int:
        """The highest bid; with commission on top, what the winner forgoes stays below it."""
        cap = half_up(self.cap_percent * self.value / 100)
        if self.commission_mode != "ON_TOP":
            return cap
        if self.commission_base == "CHIT_VALUE":
            return cap - self.commission(0)
        return int(cap / (1 + self.commission_percent / 100))

    @property
    def uncontested(self) -> int:
        """What a winner forgoes when nobody bids."""
        is_inside = self.commission_mode == "INSIDE_DISCOUNT"
        return self.commission(0) if is_inside and self.commission_base == "CHIT_VALUE" else 0

    @property
    def lowest(self) -> int:
        own = 0 if self.lowest_percent is None else half_up(self.lowest_percent * self.value / 100)
        return max(own, self.uncontested)

    @property
    def are_possible(self) -> bool:
        """Whether a scheme may have these terms."""
        divides = self.commission_mode != "IN_INSTALLMENT" or (
            self.commission_base == "CHIT_VALUE"
            and (self.commission_percent * self.installment / 100).denominator == 1
        )
        return divides and self.lowest <= self.cap

    def gross(self, month: int) -> int:
        """What one ticket is asked for a month before its dividend."""
        if self.commission_mode != "IN_INSTALLMENT" or month == self.foreman_month:
            return self.installment
        return self.installment + self.commission(0) // self.tickets

    def allows(self, discount: int) -> bool:
        """Whether a draw may be won at this discount."""
        if discount == self.uncontested:
            return True
        return self.lowest <= discount <= self.cap and self.is_lawful(discount)

    def is_lawful(self, discount: int) -> bool:
        return self.commission(discount) <= half_up(LEGAL_COMMISSION * self.value)

    def is_figure(self, discount: int) -> bool:
        return discount % self.bid_step == 0 or discount in (self.lowest, self.cap)

    def divide(self, discount: int, day: date) -> Division:
        """Divide a month's collection at a discount: prize, commission and pool make it up."""
        commission = self.commission(discount)
        forgone_on_top = commission if self.commission_mode == "ON_TOP" else 0
        out_of_the_discount = commission if self.commission_mode == "INSIDE_DISCOUNT" else 0
        return Division(
            prize=self.value - discount - forgone_on_top,
            commission=commission,
            tax=half_up(Fraction(commission * gst_percent(day), 100)),
            pool=discount - out_of_the_discount,
        )

    def interest(self, pieces: list[tuple[int, int]]) -> int:
        """Interest on amounts that came some days after the due day; none within the grace."""
        late = sum(amount * days for amount, days in pieces if days > self.grace_days)
        return half_up(late * self.interest_percent / (100 * 365))

    def draw_days(self, start: date) -> list[date]:
        first = month_after(start, 0, self.auction_day)
        skipped = 0 if first >= start else 1
        return [
            month_after(start, skipped + month, self.auction_day) for month in range(self.tickets)
        ]
