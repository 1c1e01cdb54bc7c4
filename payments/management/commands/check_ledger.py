"""Proves the ledger, or says where it does not hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.audit import QUESTIONS, check_ledger


class Command(BaseCommand):
    help = "Checks every invariant of the ledger; exits non-zero and names what does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scheme", type=UUID, help="only the scheme of this id")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = check_ledger(options["scheme"])
        for finding in findings:
            self.stderr.write(
                f"scheme {finding.scheme_id}: {finding.rule}: {finding.where}: {finding.found}"
            )
        if findings:
            raise CommandError(f"{len(findings)} findings; the ledger does not hold.")
        self.stdout.write(f"The ledger holds: {len(QUESTIONS)} rules, no finding.")
