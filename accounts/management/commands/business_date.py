"""`manage.py business_date`: the day that every rule and job goes by."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import BusinessClock
from chitfund.business_date import business_date


class Command(BaseCommand):
    """Shows the business date; outside production it also moves it."""

    help = "Show the business date; outside production, move it or let it follow the calendar."

    def add_arguments(self, parser: CommandParser) -> None:
        move = parser.add_mutually_exclusive_group()
        move.add_argument("--set", dest="day", type=date.fromisoformat, metavar="DATE")
        move.add_argument("--clear", action="store_true", help="follow the calendar again")

    def handle(self, *args: Any, **options: Any) -> None:
        day = options["day"]
        if (day or options["clear"]) and settings.APP_ENV == "production":
            raise CommandError("In production the business date follows the calendar.")
        if day or options["clear"]:
            _move(day)
        self.stdout.write(business_date().isoformat())


@transaction.atomic
def _move(day: date | None) -> None:
    before = business_date()
    BusinessClock.objects.all().delete()
    clock = BusinessClock(moved_to=day)
    if day is not None:
        clock.save()
    record_audit_event(
        actor=None, verb="business_date.moved", target=clock, before=before, after=business_date()
    )
