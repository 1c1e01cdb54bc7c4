"""Fills an empty office with people and schemes to look at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from chitfund.demo.chits import History
from chitfund.demo.people import demo_file, hire_everybody


class Command(BaseCommand):
    help = "Fills an empty office with demo people and schemes; a filled one stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.APP_ENV == "production":
            raise CommandError("There is no demo office in production.")
        if User.objects.exists():
            self.stdout.write("The office has people already; nothing was changed.")
            return
        with transaction.atomic():
            people = hire_everybody()
            History(people).play()
        self.stdout.write(f"The demo office is set up; sign-ins are in {demo_file()}.")
