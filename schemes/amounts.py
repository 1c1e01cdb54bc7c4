"""How a chit value divides among its tickets, to the paisa. Plain numbers, no Django.

Every amount is rupees; a refusal names the nearest values that would do.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from math import gcd

from chitfund.exceptions import InvalidInput
from chitfund.money import MAX_AMOUNT, PAISA, format_inr

PAISE = 100
HUNDREDTHS = 100  # of a percent: the finest that a term can say
_WHOLE = 10_000  # hundredths of a percent x paise of the installment, that make one paisa


def settle_amounts(
    *, tickets: int, installment: Decimal | None, total: Decimal | None
) -> tuple[Decimal, Decimal]:
    """Return the monthly installment and the chit value, in rupees, from one or both of them.

    Raises InvalidInput when they disagree or do not divide to the paisa (design.md 9), naming
    the nearest values that do.
    """
    if total is not None:
        return _from_total(tickets, installment, total)
    if installment is None:
        raise InvalidInput.on(
            "monthly_installment",
            "Give monthly_installment, or total_amount to have it divided.",
            code="required",
        )
    if not _is_whole_paise(installment):
        below = installment.quantize(PAISA, rounding=ROUND_FLOOR)
        raise InvalidInput.on(
            "monthly_installment",
            f"{installment.normalize():f} has a fraction of a paisa. The nearest installments "
            f"without one are {_either(below, below + PAISA)}.",
        )
    return _within_the_column(installment, installment * tickets)


def _from_total(
    tickets: int, installment: Decimal | None, total: Decimal
) -> tuple[Decimal, Decimal]:
    if not _is_whole_paise(total) or total * PAISE % tickets != 0:
        raise InvalidInput.on("total_amount", _does_not_divide(total, tickets), code="indivisible")
    each = total / tickets
    if installment is not None and installment != each:
        raise InvalidInput.on(
            "total_amount",
            f"The chit value must be the installment times the subscribers: {format_inr(total)} "
            f"among {tickets} is {format_inr(each)} a month, not "
            f"{installment.normalize():f}. Correct one of the two, or leave one out.",
            code="amounts_disagree",
        )
    return _within_the_column(each, total)


def _does_not_divide(total: Decimal, tickets: int) -> str:
    below = (total * PAISE // tickets) / PAISE
    choices = [each for each in (below, below + PAISA) if each > 0]
    told = [
        f"{format_inr(each * tickets)} ({format_inr(each)} a month)"
        for each in choices
        if each * tickets <= MAX_AMOUNT
    ]
    return (
        f"{total.normalize():f} rupees do not divide among {tickets} subscribers to the paisa. "
        f"The nearest chit values that do: {' and '.join(told)}."
    )


def _within_the_column(installment: Decimal, total: Decimal) -> tuple[Decimal, Decimal]:
    if installment < PAISA:
        raise InvalidInput.on("monthly_installment", "An installment is at least one paisa.")
    if total > MAX_AMOUNT:
        raise InvalidInput.on(
            "total_amount",
            f"A chit value is at most {format_inr(MAX_AMOUNT)}. Take a smaller installment.",
        )
    return installment.quantize(PAISA), total.quantize(PAISA)


def _is_whole_paise(amount: Decimal) -> bool:
    return amount == amount.quantize(PAISA)


def _either(first: Decimal, second: Decimal) -> str:
    return " and ".join(format_inr(value) for value in (first, second) if value > 0)


def is_commission_whole(*, percent: Decimal, installment: Decimal) -> bool:
    """Tell whether a ticket's share of the commission is a whole number of paise."""
    return percent * installment % 1 == 0


def nearest_installments(*, percent: Decimal, installment: Decimal) -> list[Decimal]:
    """Return the installments around one, of which `percent` % is a whole number of paise."""
    step = Decimal(_WHOLE // gcd(_WHOLE, int(percent * HUNDREDTHS))) / PAISE
    below = installment // step * step
    return [value for value in (below, below + step) if value > 0]


def nearest_percents(*, percent: Decimal, installment: Decimal, most: Decimal) -> list[Decimal]:
    """Return the commissions around one, up to `most` %, that make whole paise of a share."""
    step = Decimal(_WHOLE // gcd(_WHOLE, int(installment * PAISE))) / HUNDREDTHS
    below = percent // step * step
    return [value for value in (below, below + step) if 0 < value <= most]
