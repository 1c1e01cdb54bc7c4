"""Reads worked examples in the form of `tests/cases/chit_cases.json`.

Both spellings are read, instalment and installment. A key that is not known here fails its
case: nothing is skipped silently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

UNSUPPORTED = "unsupported convention"
CONVENTIONS = {
    "A_INSIDE": {"commission_mode": "INSIDE_DISCOUNT", "dividend_policy": "ALL_TICKETS"},
    "B_ON_TOP": {"commission_mode": "ON_TOP"},
    "C_IN_INSTALMENT": {"commission_mode": "IN_INSTALLMENT"},
    "D_WINNER_EXCLUDED": {
        "commission_mode": "INSIDE_DISCOUNT",
        "dividend_policy": "EXCLUDE_WINNER",
    },
}
TIMINGS = {"next_month": "NEXT", "same_month": "SAME"}

# What a case may say of itself without asking anything of us.
ABOUT = frozenset(
    {
        "id", "source_url", "source_kind", "origin", "stated_by_source", "stated_complete", "check",
        "numbers_consistent", "prose_consistent", "internally_consistent", "flags", "notes",
    }
)  # fmt: skip
PLAYED = frozenset({"convention", "input", "expected", "months", "totals"})
INPUTS = frozenset(
    {
        "chit_value", "members", "duration_months", "installment", "commission_pct",
        "commission_base", "bid_discount", "bid_discount_pct", "tax_pct", "tax_name",
        "gst_pct_on_commission", "dividend_applied", "cap_pct", "base_dividend_cap_pct",
        "foreman_chit_month", "foreman_month_commission", "bid_rule",
    }
)  # fmt: skip
# What a case calls a figure, and what we call it.
FIGURES = {
    "prize": "prize",
    "prize_after_tax": "prize_after_tax",
    "prize_after_gst": "prize_after_tax",
    "commission": "commission",
    "tax": "tax",
    "gst": "tax",
    "dividend_pool": "dividend_pool",
    "pool": "dividend_pool",
    "dividend": "dividend",
    "dividend_floor_rupee": "dividend",
    "dividend_exact": "dividend_exact",
    "distributed": "distributed",
    "net_installment": "net_installment",
    "installment_payable": "net_installment",
    "base_dividend": "base_dividend",
    "golden_dividend": "golden_dividend",
    "bid_amount": "bid_amount",
    "carry_in": "carry_in",
    "carry_out": "residue",
}
MONTH_ABOUT = frozenset({"month", "event", "discount", "mismatches", "cash_identity_holds"})
TOTALS = frozenset(
    {
        "total_paid_in",
        "total_prizes_plus_commission",
        "total_paid_per_member",
        "total_dividend_per_member",
    }
)


class UnknownKeyError(Exception):
    """A case asks something that this reader does not know."""


@dataclass(frozen=True)
class MonthPlan:
    """One draw as the case has it: its discount, and the figures it expects."""

    number: int
    discount: Decimal
    expected: Mapping[str, Decimal | Fraction]
    nobody_bids: bool = False
    is_compared: bool = True


@dataclass(frozen=True)
class Case:
    """One worked example, ready to be played."""

    id: str
    refused: str | None
    terms: dict[str, Any] = field(default_factory=dict)
    members: int = 0
    tax_percent: Decimal = Decimal(0)
    months: tuple[MonthPlan, ...] = ()
    is_series: bool = False
    asked_installment: Decimal | None = None
    totals: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether the plan reaches the chit's last draw, which closes the books."""
        return self.months[-1].number == self.members


def load_cases(path: Path) -> Iterator[tuple[str, Case | UnknownKeyError]]:
    """Yield the id of each case with the case, or with what is not understood in it."""
    data = json.loads(path.read_text(), parse_float=Decimal)
    for raw in [*data.get("cases", ()), *data.get("series", ())]:
        try:
            yield raw["id"], read_case(raw)
        except UnknownKeyError as exc:
            yield raw["id"], exc


def read_case(raw: dict[str, Any]) -> Case:
    """Return one case as a plan. Raises UnknownKeyError."""
    raw = _spelled(raw)
    convention = str(raw.get("convention", "")).split(" ", 1)[0]
    has_bids = "months" in raw or "bid_discount" in raw.get("input", {})
    if convention not in CONVENTIONS or not has_bids:
        return Case(id=raw["id"], refused=UNSUPPORTED)
    _refuse_unknown(raw.keys() - ABOUT - PLAYED)
    given = raw["input"]
    _refuse_unknown(given.keys() - INPUTS)
    if given.get("foreman_month_commission", 0) != 0:
        raise UnknownKeyError("a commission in the foreman's month")
    members = int(given["members"])
    months = tuple(_series(raw["months"], given) if "months" in raw else [_single(raw)])
    _refuse_unknown(raw.get("totals", {}).keys() - TOTALS)
    return Case(
        id=raw["id"],
        refused=None,
        terms=_terms(raw, convention, months),
        members=members,
        tax_percent=Decimal(given.get("tax_pct") or given.get("gst_pct_on_commission") or 0),
        months=months,
        is_series="months" in raw,
        asked_installment=_amount(given["installment"]) if "installment" in given else None,
        totals={key: _amount(value) for key, value in raw.get("totals", {}).items()},
    )


def _spelled(value: Any) -> Any:
    """Spell installment one way throughout."""
    if isinstance(value, dict):
        return {
            key.replace("instalment", "installment"): _spelled(item) for key, item in value.items()
        }
    return [_spelled(item) for item in value] if isinstance(value, list) else value


def _refuse_unknown(keys: Any) -> None:
    if keys:
        raise UnknownKeyError(f"unknown key: {', '.join(sorted(keys))}")


def _amount(value: Any) -> Decimal:
    return Decimal(str(value))


def _terms(raw: dict[str, Any], convention: str, months: tuple[MonthPlan, ...]) -> dict[str, Any]:
    given = raw["input"]
    value = _amount(given["chit_value"])
    highest = max(month.discount for month in months) * 100 / value
    cap = given.get("cap_pct", max(Decimal(30), _up_to_cents(highest)))
    terms = {
        **CONVENTIONS[convention],
        "total_amount": str(value),
        "max_subscribers": int(given["members"]),
        "duration_months": int(given.get("duration_months", given["members"])),
        "commission_percent": str(given["commission_pct"]),
        "commission_base": str(given.get("commission_base", "chit_value")).upper(),
        "dividend_timing": TIMINGS[given.get("dividend_applied", "next_month")],
        "max_discount_percent": str(cap),
        "foreman_installment": given.get("foreman_chit_month"),
        "rounding_unit": _unit(months),
        "bid_step": "1.00",
    }
    terms["monthly_installment"] = str(value / terms["max_subscribers"])
    if "base_dividend_cap_pct" in given:
        terms["base_dividend_cap_percent"] = str(given["base_dividend_cap_pct"])
    return terms


def _up_to_cents(percent: Decimal) -> Decimal:
    rounded = percent.quantize(Decimal("0.01"))
    return rounded if rounded >= percent else rounded + Decimal("0.01")


def _unit(months: tuple[MonthPlan, ...]) -> str:
    """Whole rupees where all expected dividends are whole, else paise (design.md 5.1)."""
    dividends = [
        month.expected.get("dividend", month.expected.get("dividend_exact")) for month in months
    ]
    is_whole = all(value is None or Fraction(value).denominator == 1 for value in dividends)
    return "1.00" if is_whole else "0.01"


def _single(raw: dict[str, Any]) -> MonthPlan:
    return MonthPlan(
        number=1,
        discount=_amount(raw["input"]["bid_discount"]),
        expected=_figures(raw.get("expected", {})),
    )


def _series(listed: list[dict[str, Any]], given: dict[str, Any]) -> Iterator[MonthPlan]:
    """Yield every month up to the last listed one.

    A month that is left out is played at the discount of the listed month before it, or at
    the commission where there is none, and is not compared.
    """
    by_number = {int(row["month"]): row for row in listed}
    floor = _amount(given["chit_value"]) * _amount(given["commission_pct"]) / 100
    discount = floor
    for number in range(1, max(by_number) + 1):
        row = by_number.get(number)
        if row is None:
            yield MonthPlan(number, discount, {}, is_compared=False)
            continue
        discount = _amount(row["discount"])
        figures = {key: value for key, value in row.items() if key not in MONTH_ABOUT}
        nested = figures.pop("expected", {})
        yield MonthPlan(
            number,
            discount,
            _figures({**figures, **nested}),
            nobody_bids="no bidder" in row.get("event", ""),
        )


def _figures(given: Mapping[str, Any]) -> dict[str, Decimal | Fraction]:
    _refuse_unknown(given.keys() - FIGURES.keys())
    return {FIGURES[key]: _figure(key, value) for key, value in given.items()}


def _figure(key: str, value: Any) -> Decimal | Fraction:
    """Read a figure; `2000/11 = 181.8181...` is an exact fraction."""
    if key == "dividend_exact":
        return Fraction(str(value).split("=", 1)[0].strip())
    try:
        return _amount(value)
    except InvalidOperation as exc:
        raise UnknownKeyError(f"{key} is not a figure: {value}") from exc
