"""The terms of a scheme in the form that the arithmetic takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from auctions.outcome import Terms
from chitfund.exceptions import WrongState
from schemes.models import TERMS, DividendPolicy, Scheme


def terms_of(scheme: Scheme) -> Terms:
    """Return what a draw of this scheme divides by."""
    return Terms(
        total_amount=scheme.total_amount,
        tickets=scheme.max_subscribers,
        commission_percent=scheme.commission_percent,
        commission_base=scheme.commission_base,
        commission_mode=scheme.commission_mode,
        max_discount_percent=scheme.max_discount_percent,
        min_discount_percent=scheme.min_discount_percent,
        rounding_unit=scheme.rounding_unit,
        base_dividend_cap_percent=scheme.base_dividend_cap_percent,
    )


def recipient_count(policy: str, *, tickets: int, non_prized_after: int) -> int:
    """Return how many tickets share a dividend (design.md 5.1).

    With NON_PRIZED it is shared among the tickets unprized after the draw, among all where
    there are none left.
    """
    if policy == DividendPolicy.EXCLUDE_WINNER:
        return tickets - 1
    if policy == DividendPolicy.NON_PRIZED:
        return non_prized_after or tickets
    if policy == DividendPolicy.ALL_TICKETS:
        return tickets
    raise WrongState(f"The dividend policy {policy} is not known.")


def snapshot(scheme: Scheme, *, tax_percent: Decimal) -> dict[str, Any]:
    """Return the rules that a draw used, as text, to be kept with it."""
    rules = {name: getattr(scheme, name) for name in TERMS}
    return {name: None if value is None else str(value) for name, value in rules.items()} | {
        "tax_percent": str(tax_percent),
        "discount_cap_law": "40 % at most, 30 % in s.6(3) as enacted",
        "commission_cap_law": "7 % of the gross chit amount, s.21(1)(b) as amended in 2019",
    }
