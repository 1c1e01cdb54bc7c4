"""Rupees to the paisa. Every amount is a `Decimal` with two places; floats are refused."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

PAISA = Decimal("0.01")
ZERO = Decimal("0.00")
RUPEE = Decimal("1.00")
MAX_AMOUNT = Decimal("9999999999.99")  # DECIMAL(12,2), the guide's column


def rupees(value: Decimal | int | str) -> Decimal:
    """Return an exact amount in rupees with two places.

    Raises TypeError for a float (its paise are not what was typed) and ValueError for a
    fraction of a paisa.
    """
    if isinstance(value, float):
        raise TypeError("money is never a float")
    amount = Decimal(value)
    exact = amount.quantize(PAISA)
    if exact != amount:
        raise ValueError(f"{value} has a fraction of a paisa")
    return exact


def round_paise(value: Decimal) -> Decimal:
    """Round to the nearest paisa, halves up: for a rate times an amount (tax, interest)."""
    with localcontext() as exact:
        exact.prec = 50
        return value.quantize(PAISA, rounding=ROUND_HALF_UP)


def percent_of(percent: Decimal, amount: Decimal) -> Decimal:
    """Return `percent` % of an amount in rupees, rounded half up to the paisa."""
    return round_paise(percent * amount / 100)


def floor_to(amount: Decimal, unit: Decimal) -> Decimal:
    """Round down to a whole number of units (rupees, or paise). The rest stays behind."""
    return (amount / unit).to_integral_value(rounding=ROUND_FLOOR) * unit


def split_evenly(amount: Decimal, parts: int) -> list[Decimal]:
    """Split an amount into equal shares that sum to it exactly.

    Paise that do not divide go one each to the first shares, so the caller's ordering
    (ticket number) decides who gets them.

    >>> split_evenly(Decimal("100.00"), 3)
    [Decimal('33.34'), Decimal('33.33'), Decimal('33.33')]
    """
    if parts < 1:
        raise ValueError("parts must be at least 1")
    if amount != amount.quantize(PAISA):
        raise ValueError(f"{amount} has a fraction of a paisa")
    paise, remainder = divmod(int(amount / PAISA), parts)
    return [(paise + (i < remainder)) * PAISA for i in range(parts)]


def format_inr(amount: Decimal) -> str:
    """Write an amount as people in India read it: ₹12,34,567.80, paise only when there are any."""
    sign = "-" if amount < 0 else ""
    whole, _, paise = f"{abs(amount):.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    grouped = ",".join([*groups, tail])
    return f"{sign}₹{grouped}" + ("" if paise == "00" else f".{paise}")
