"""The people of the demo office. All of them are made up; their addresses reach nobody."""

from __future__ import annotations

import json
import os
import secrets
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts import services
from accounts.audit import record_audit_event
from accounts.models import KycStatus, Role, User, UserStatus
from accounts.places import State
from chitfund.business_date import IST, add_months, business_date, business_now
from chitfund.db import next_number

ADMIN = "admin@demo.chitfund.example"
SECOND_ADMIN = "cashier@demo.chitfund.example"
FOREMAN = "foreman@demo.chitfund.example"
SUBSCRIBER = "subscriber@demo.chitfund.example"

STAFF = (
    ("Padmavathi Rao", ADMIN, Role.ADMIN),
    ("Harpreet Singh", SECOND_ADMIN, Role.ADMIN),
    ("K. Venkata Ramana", FOREMAN, Role.FOREMAN),
    ("Bindu Thomas", "bindu@demo.chitfund.example", Role.FOREMAN),
    ("Basavaraj Patil", "basavaraj@demo.chitfund.example", Role.FOREMAN),
)
LICENCE_MONTHS = 30
BUSINESSES = (
    ("Sri Venkateswara Chits", State.AP, "Tirupati", "517501"),
    ("Malabar Kuries", State.KL, "Thrissur", "680001"),
    ("Kaveri Chit Funds", State.KA, "Mysuru", "570001"),
)
SUBSCRIBERS = (
    "R. Meenakshi",
    "S. Karthikeyan",
    "M. Senthil Kumar",
    "P. Lakshmi",
    "A. Mohamed Rafi",
    "J. Mary Stella",
    "B. Sujatha",
    "N. Srinivasa Rao",
    "G. Padmavathi",
    "H. N. Manjunath",
    "Shobha Gowda",
    "Ramya Shetty",
    "Anil Kumar T. K.",
    "Abdul Nazar",
    "Sreeja Nair",
    "Ramesh Gupta",
    "Sunita Yadav",
    "Farzana Begum",
    "Amit Deshmukh",
    "Kavita Patel",
    "Rohan D'Souza",
    "Meera",
)


def demo_file() -> Path:
    """Return where the demo's sign-ins are written down."""
    return Path(settings.DATA_DIR) / "demo.json"


@transaction.atomic
def hire_everybody() -> dict[str, User]:
    """Create the demo's people, write their sign-ins down, and return them by address."""
    passwords = {name: _password() for name in ("admin", "foreman", "subscriber")}
    hashes = {name: make_password(password) for name, password in passwords.items()}
    people: dict[str, User] = {}
    for full_name, email, role in STAFF:
        password = hashes["admin" if role == Role.ADMIN else "foreman"]
        people[email] = _person(full_name, email, role, password)
    for number, full_name in enumerate(SUBSCRIBERS):
        email = SUBSCRIBER if number == 0 else f"subscriber{number}@demo.chitfund.example"
        people[email] = _person(full_name, email, Role.USER, hashes["subscriber"])
    _approve_foremen(people)
    _write_down(passwords)
    return people


def _password() -> str:
    """A password for this office alone: none that could be known from the source."""
    return "-".join(secrets.token_hex(2) for _ in range(3))


def _person(full_name: str, email: str, role: Role, password: str) -> User:
    year = business_now().astimezone(IST).year
    number = next_number(f"UCFSIN-{year}")
    user = User.objects.create(
        ucfsin=f"UCFSIN-{year}-{number:06d}",
        role=role,
        email=email,
        phone_number=f"+9199999{number:05d}",
        password=password,
        full_name=full_name,
        date_of_birth=date(1970 + number % 30, 1 + number % 12, 1 + number % 28),
        status=UserStatus.PENDING if role == Role.FOREMAN else UserStatus.ACTIVE,
        kyc_status=KycStatus.VERIFIED if role == Role.USER else KycStatus.NONE,
        email_verified_at=timezone.now(),
        is_superuser=role == Role.ADMIN,
    )
    record_audit_event(actor=None, verb="user.created", target=user, demo=True)
    return user


def _approve_foremen(people: dict[str, User]) -> None:
    """Let every foreman hand their business in; the last one waits at the desk."""
    foremen = [people[email] for _name, email, role in STAFF if role == Role.FOREMAN]
    for number, foreman in enumerate(foremen):
        _hand_in_business(foreman, BUSINESSES[number])
    for foreman in foremen[:-1]:
        services.approve_foreman(
            user_id=foreman.pk, actor=people[ADMIN], reason="Papers compared with the originals."
        )
        foreman.refresh_from_db()


def _hand_in_business(foreman: User, business: tuple[str, State, str, str]) -> None:
    company, state, city, pin_code = business
    number = int(foreman.phone_number[-4:])
    services.save_foreman_profile(
        user_id=foreman.pk,
        actor=foreman,
        company_name=company,
        licence_number=f"CF/{state}/{number:05d}",
        licence_expires_on=add_months(business_date(), LICENCE_MONTHS),
        pan=f"ZZZPK{number:04d}Z",
        state_of_registration=state,
        line1=f"{number + 10} Main Road",
        line2="",
        city=city,
        state=state,
        pin_code=pin_code,
        designation="Proprietor",
    )
    services.submit_foreman_profile(user_id=foreman.pk, actor=foreman)


def _write_down(passwords: dict[str, str]) -> None:
    entries: dict[str, Any] = {
        "admin": {"email": ADMIN, "password": passwords["admin"]},
        "foreman": {"email": FOREMAN, "password": passwords["foreman"]},
        "subscriber": {"email": SUBSCRIBER, "password": passwords["subscriber"]},
        # The second pair of eyes, for whoever wants to see two people at work.
        "second_admin": {"email": SECOND_ADMIN, "password": passwords["admin"]},
    }
    path = demo_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1)
