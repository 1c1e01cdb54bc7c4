"""`manage.py create_admin`: the first administrator, who can then invite the others."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Role
from accounts.phones import to_e164
from accounts.services import create_user_account
from chitfund.exceptions import DomainError


class Command(BaseCommand):
    """Creates an active administrator with every permission."""

    help = "Create an administrator with every permission."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--full-name", default="Administrator")
        parser.add_argument("--phone", required=True, type=_phone, help="for example 9876543210")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = create_user_account(
                full_name=options["full_name"],
                email=options["email"],
                phone_number=options["phone"],
                password=options["password"],
                role=Role.ADMIN,
                is_active=True,
                is_superuser=True,
            )
        except DomainError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{user.email} is an administrator ({user.ucfsin}).")


def _phone(text: str) -> str:
    number = to_e164(text)
    if number is None:
        raise argparse.ArgumentTypeError("not a phone number")
    return number
