"""Closes Django's `changepassword`, which would leave no trace and every session open."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Refuses, and says what does the same and leaves a trace."""

    help = "Closed. Passwords are set by their owners; see create_admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?")
        parser.add_argument("--database")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "Nobody sets somebody else's password here. Its owner asks for a new one "
            "(POST /api/auth/forgot-password) or changes it at the desk; a new person gets an "
            "invitation (POST /api/users). If no administrator can sign in any more, make one: "
            "manage.py create_admin --email … --password …"
        )
