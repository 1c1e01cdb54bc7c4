"""Closes Django's `createsuperuser`, which knows neither UCFSIN nor audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Refuses, and names the command that does it."""

    help = "Closed. Use create_admin."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "Use manage.py create_admin --email … --password …; it gives the administrator a "
            "UCFSIN and an entry in the audit trail."
        )
