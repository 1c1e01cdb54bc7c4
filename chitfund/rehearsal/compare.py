"""Holds what was played against what a case expects, to the paisa."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from chitfund.rehearsal.cases import Case, MonthPlan
from chitfund.rehearsal.play import Played


def differences(case: Case, played: Played) -> list[str]:
    """Return a sentence for every figure that is not what the case expects."""
    plans = {month.number: month for month in case.months}
    found = [
        line
        for figures in played.months
        if (plan := plans.get(figures["installment_number"])) and plan.is_compared
        for line in _month(plan, figures)
    ]
    found += [
        f"{name}: expected {expected}, played {played.totals.get(name)}"
        for name, expected in case.totals.items()
        if played.totals.get(name) != expected
    ]
    return found + _ledger(case, played)


def _month(plan: MonthPlan, figures: dict[str, Any]) -> list[str]:
    expected = {"discount": plan.discount, **plan.expected}
    return [
        f"month {plan.number}, {name}: expected {value}, played {_shown(figures[name])}"
        for name, value in expected.items()
        if not _is_equal(value, figures[name])
    ]


def _is_equal(expected: Decimal | Fraction, found: Any) -> bool:
    """Compare an amount, or a fraction with the pool and the tickets that share it."""
    if isinstance(found, tuple):
        pool, recipients = found
        return Fraction(expected) * recipients == Fraction(pool)
    return Decimal(expected) == found  # type: ignore[arg-type]


def _shown(found: Any) -> str:
    return f"{found[0]} over {found[1]}" if isinstance(found, tuple) else str(found)


def _ledger(case: Case, played: Played) -> list[str]:
    ledger = played.ledger
    found = []
    if ledger["debits"] != ledger["credits"]:
        found.append(f"ledger: debits {ledger['debits']}, credits {ledger['credits']}")
    is_over = bool(played.months) and played.months[-1]["installment_number"] == case.members
    if is_over and played.status != "COMPLETED":
        found.append(f"the books did not close: the scheme is {played.status}")
    if is_over and (ledger["chit"] != 0 or ledger["residue"] != 0):
        found.append(f"ledger: chit {ledger['chit']}, residue {ledger['residue']} at the end")
    return found
