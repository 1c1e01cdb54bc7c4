"""`manage.py run_job`: do a daily job now, with the days it missed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.jobs import run_daily
from accounts.models import JobStatus
from chitfund.business_date import business_date
from chitfund.exceptions import NotFound
from chitfund.jobs import JOBS, find_job


class Command(BaseCommand):
    """Starts a job; a day that is done is not done again."""

    help = f"Do a daily job for each business date that it owes. Jobs: {', '.join(sorted(JOBS))}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, metavar="DATE", help="default: the business date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, as_of = options["name"], options["as_of"] or business_date()
        try:
            work = find_job(name)
        except NotFound as exc:
            raise CommandError(exc.message) from exc
        runs = run_daily(name, work, as_of=as_of)
        for run in runs:
            told = json.dumps(run.result) if run.status == JobStatus.DONE else run.error
            self.stdout.write(f"{name} {run.business_date} {run.status} {told}")
        if not runs:
            self.stdout.write(f"{name} {as_of}: nothing to do.")
        elif runs[-1].status == JobStatus.FAILED:
            raise CommandError(f"{name} failed on {runs[-1].business_date}.")
