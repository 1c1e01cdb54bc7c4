"""Plays worked examples through the HTTP API on a scratch database (api.md, "Commands")."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chitfund.money import format_inr
from chitfund.rehearsal.cases import Case, UnknownKeyError, load_cases
from chitfund.rehearsal.client import RefusedError
from chitfund.rehearsal.compare import differences
from chitfund.rehearsal.people import Cast, hire
from chitfund.rehearsal.play import Played, play
from chitfund.rehearsal.scratch import scratch_environment, server_log, web_server

ON_SCRATCH = "CHITFUND_ON_SCRATCH"
MONTH_FIGURES = (
    "installment_number",
    "discount",
    "commission",
    "tax",
    "prize",
    "prize_after_tax",
    "dividend",
    "net_installment",
)


class Command(BaseCommand):
    help = (
        "Plays chits month by month through the HTTP API and compares every figure with what the "
        "file expects; exits non-zero where one differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--case", action="append", help="only the case of this id")
        parser.add_argument(
            "--to-the-end",
            action="store_true",
            help="play on at the last discount until the books are closed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        if os.environ.get(ON_SCRATCH):
            self._perform(options)
        else:
            self._perform_on_scratch(options)

    def _perform_on_scratch(self, options: dict[str, Any]) -> None:
        """Run this command again on a database that exists for it alone."""
        with scratch_environment() as environment:
            result = subprocess.run(  # noqa: S603 - our own program, no shell
                [sys.executable, str(settings.BASE_DIR / "manage.py"), *sys.argv[1:]],
                env={**environment, ON_SCRATCH: "1"},
                check=False,
            )
        sys.exit(result.returncode)

    def _perform(self, options: dict[str, Any]) -> None:
        wanted = options["case"]
        cases = [row for row in load_cases(options["file"]) if not wanted or row[0] in wanted]
        if missing := set(wanted or ()) - {case_id for case_id, _ in cases}:
            raise CommandError(f"The file has no case {', '.join(sorted(missing))}.")
        with web_server() as url:
            members = max((c.members for _, c in cases if isinstance(c, Case)), default=0)
            cast = hire(url, members=members)
            results = [self._result(case_id, case, cast, options) for case_id, case in cases]
            cast.close()
        if options["json"]:
            self.stdout.write(json.dumps(results, indent=1))
        failed = [result["id"] for result in results if not result["ok"]]
        if failed:
            raise CommandError(f"{len(failed)} of {len(results)} differ: {', '.join(failed)}")

    def _result(
        self, case_id: str, case: Case | UnknownKeyError, cast: Cast, options: dict[str, Any]
    ) -> dict[str, Any]:
        tell = (lambda line: None) if options["json"] else self.stdout.write
        tell(f"\n{case_id}")
        if isinstance(case, UnknownKeyError):
            tell(f"  FAILED  {case}")
            return {**_blank(case_id), "ok": False, "differences": [str(case)]}
        if case.refused:
            tell(f"  refused: {case.refused}")
            return {**_blank(case_id), "refused": case.refused}
        try:
            played = play(case, cast, to_the_end=options["to_the_end"], tell=tell)
        except RefusedError as exc:
            tell(f"  refused by the office: {exc.message}")
            is_law = exc.status == HTTPStatus.BAD_REQUEST
            if exc.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self.stderr.write(server_log()[-2000:])
            return {**_blank(case_id), "ok": is_law, "refused": exc.message}
        found = differences(case, played)
        _show(played, found, tell)
        return {
            "id": case_id,
            "ok": not found,
            "refused": None,
            "months": [
                {name: _text(month[name]) for name in MONTH_FIGURES} for month in played.months
            ],
            "ledger": {name: _text(amount) for name, amount in played.ledger.items()},
            "differences": found,
        }


def _blank(case_id: str) -> dict[str, Any]:
    return {"id": case_id, "ok": True, "refused": None, "months": [], "ledger": {}}


def _text(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def _show(played: Played, found: list[str], tell: Any) -> None:
    titles = ("month", "discount", "commission", "tax", "prize", "after tax", "dividend", "net")
    tell("  " + "".join(f"{title:>13}" for title in titles))
    for month in played.months:
        cells = [f"{month['installment_number']:>13}"]
        cells += [f"{format_inr(month[name]):>13}" for name in MONTH_FIGURES[1:]]
        tell("  " + "".join(cells))
    ledger = played.ledger
    tell(
        f"  ledger: debits {format_inr(ledger['debits'])} = credits "
        f"{format_inr(ledger['credits'])}; pot {format_inr(ledger['chit'])}, residue "
        f"{format_inr(ledger['residue'])}; scheme {played.status}"
    )
    for line in found:
        tell(f"  DIFFERS  {line}")
    tell("  ok" if not found else "  NOT ok")
