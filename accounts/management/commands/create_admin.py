"""`manage.py create_admin`: the first administrator, who can then invite the others."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

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
        parser.add_argument(
            "--phone",
            type=_phone,
            help="for example 9876543210; without one the account gets a number that nobody has",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
            user = create_user_account(
                full_name=options["full_name"],
                email=options["email"],
                phone_number=options["phone"] or _no_number(),
                password=options["password"],
                role=Role.ADMIN,
                is_active=True,
                is_superuser=True,
            )
        except (DomainError, ValidationError) as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{user.email} is an administrator ({user.ucfsin}).")


def _no_number() -> str:
    """Return a number of +999, which the ITU gives to nobody, for the column that needs one."""
    return f"+999{secrets.randbelow(10**10):010d}"


def _phone(text: str) -> str:
    number = to_e164(text)
    if number is None:
        raise argparse.ArgumentTypeError("not a phone number")
    return number
