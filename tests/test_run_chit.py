"""The main job on real input: worked examples, played over HTTP, reproduced to the paisa."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from chitfund.rehearsal.cases import Case, UnknownKeyError, load_cases, read_case

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "chit_cases.json"
REFUSED = {
    "taxflora_25pct_commission10": "section 21",
    "ksfe_kuri_1972_lot_and_auction": "unsupported convention",
    "mym_payout_slip": "unsupported convention",
}


def run_chit(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the test run's server, with a scratch database of its own."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "run_chit", *arguments],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def edited(tmp_path: Path, case_id: str, **expected: Any) -> Path:
    """Write a file with one case of the real one, with other expectations."""
    raw = next(row for row in json.loads(CASES.read_text())["cases"] if row["id"] == case_id)
    raw["expected"] |= expected
    path = tmp_path / "edited.json"
    path.write_text(json.dumps({"cases": [raw]}))
    return path


@pytest.mark.slow
def test_every_worked_example_is_reproduced_to_the_paisa(django_db_setup: None):
    result = run_chit(str(CASES), "--json")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    played = {row["id"]: row for row in json.loads(result.stdout)}
    assert len(played) == 16
    assert {case_id for case_id, row in played.items() if row["refused"]} == set(REFUSED)
    for case_id, reason in REFUSED.items():
        assert reason in played[case_id]["refused"]
    for row in played.values():
        assert row["ok"], row
    book = played["derived_full_20_month"]
    assert [month["net_installment"] for month in book["months"]][-1] == "4905.00"
    assert (book["ledger"]["chit"], book["ledger"]["residue"]) == ("0.00", "0.00")
    assert book["ledger"]["debits"] == book["ledger"]["credits"]


@pytest.mark.slow
def test_the_fifty_ticket_chit_runs_its_fifty_months_to_closed_books(django_db_setup: None):
    """Three minutes are the promise on two idle cores; a busy machine gets some more."""
    began = time.monotonic()
    result = run_chit(str(CASES), "--json", "--case", "margadarsi_faq_40pct", "--to-the-end")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    (row,) = json.loads(result.stdout)
    assert len(row["months"]) == 50
    assert row["ledger"]["chit"] == row["ledger"]["residue"] == "0.00"
    print(f"fifty months in {time.monotonic() - began:.0f} s")


@pytest.mark.slow
def test_a_figure_that_differs_by_a_paisa_fails_the_command(django_db_setup: None, tmp_path: Path):
    path = edited(tmp_path, "margadarsi_faq_40pct", prize="60000.01")
    result = run_chit(str(path), "--json")
    assert result.returncode != 0
    (row,) = json.loads(result.stdout)
    assert row["ok"] is False
    assert row["differences"] == ["month 1, prize: expected 60000.01, played 60000.00"]


def test_a_key_that_is_not_known_fails_its_case(tmp_path: Path):
    path = edited(tmp_path, "margadarsi_faq_40pct", bonus=5)
    ((case_id, found),) = load_cases(path)
    assert case_id == "margadarsi_faq_40pct"
    assert isinstance(found, UnknownKeyError)
    assert "bonus" in str(found)


@pytest.mark.parametrize("place", ["case", "input", "month"])
def test_an_unknown_key_is_found_wherever_it_stands(place: str):
    raw = next(row for row in json.loads(CASES.read_text())["series"] if "totals" in row)
    target = {"case": raw, "input": raw["input"], "month": raw["months"][0]}[place]
    target["surprise"] = 1
    with pytest.raises(UnknownKeyError, match="surprise"):
        read_case(raw)


def test_both_spellings_of_installment_are_read():
    cases = dict(load_cases(CASES))
    raw = json.loads(CASES.read_text())["cases"][0]
    spelled = json.loads(json.dumps(raw).replace("instalment", "installment"))
    assert read_case(spelled) == cases[raw["id"]]


def test_the_terms_of_each_convention():
    cases = {key: case for key, case in load_cases(CASES) if isinstance(case, Case)}
    assert cases["chetana_20pct_on_top"].terms["commission_mode"] == "ON_TOP"
    assert cases["nagashiva_30pct"].terms["commission_mode"] == "IN_INSTALLMENT"
    excluded = cases["vidivelli_30pct_winner_excluded"].terms
    assert excluded["dividend_policy"] == "EXCLUDE_WINNER"
    assert excluded["rounding_unit"] == "0.01"
    assert cases["derived_rounding_carry_30"].terms["rounding_unit"] == "1.00"
    assert cases["shanthala_20x1000"].terms["dividend_timing"] == "SAME"
    assert cases["margadarsi_faq_40pct"].terms["max_discount_percent"] == "40.00"
    assert cases["derived_full_20_month"].tax_percent == Decimal(18)


def test_months_that_a_series_leaves_out_are_played_and_not_compared():
    cases = {key: case for key, case in load_cases(CASES) if isinstance(case, Case)}
    months = {month.number: month for month in cases["shanthala_20x1000"].months}
    assert len(months) == 20
    assert (months[3].discount, months[3].is_compared) == (Decimal(3600), False)
    assert months[5].expected["net_installment"] == 850
    carry = {month.number: month for month in cases["derived_rounding_carry_30"].months}
    assert carry[2].expected["dividend_exact"] == Fraction(4670, 3)
