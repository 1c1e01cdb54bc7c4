"""The people of a scratch office. They are put there; all that they do goes over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import KycStatus, Role, User, UserStatus
from chitfund.db import next_number
from chitfund.rehearsal.client import Client

PASSWORD = "rehearsal-of-a-chit"  # noqa: S105 - of people who live for one command


@dataclass
class Cast:
    """Administrator, foreman and as many members as the largest chit needs."""

    url: str
    admin: Client
    foreman: Client
    members: list[User]
    _clients: dict[Any, Client] = field(default_factory=dict)

    def member(self, user_id: Any) -> Client:
        """Return a member's client, signed in when first needed."""
        if user_id not in self._clients:
            user = next(member for member in self.members if str(member.pk) == str(user_id))
            self._clients[user_id] = Client(self.url).sign_in(user.email, PASSWORD)
        return self._clients[user_id]

    def close(self) -> None:
        for client in (self.admin, self.foreman, *self._clients.values()):
            client.close()


def hire(url: str, *, members: int) -> Cast:
    """Create the people on this process's database and sign the staff in."""
    password = make_password(PASSWORD)
    admin = _person("admin", Role.ADMIN, password, is_superuser=True)
    foreman = _person("foreman", Role.FOREMAN, password)
    foreman.foreman_approved_at = timezone.now()
    foreman.foreman_approved_by = admin
    crowd = [_person(f"member{number}", Role.USER, password) for number in range(1, members + 1)]
    User.objects.bulk_create([admin, foreman, *crowd])
    return Cast(
        url=url,
        admin=Client(url).sign_in(admin.email, PASSWORD),
        foreman=Client(url).sign_in(foreman.email, PASSWORD),
        members=crowd,
    )


def _person(name: str, role: Role, password: str, *, is_superuser: bool = False) -> User:
    number = next_number("UCFSIN-2000")
    return User(
        ucfsin=f"UCFSIN-2000-{number:06d}",
        role=role,
        email=f"{name}@rehearsal.invalid",
        phone_number=f"+9199999{number:05d}",
        password=password,
        full_name=name.capitalize(),
        date_of_birth=date(1990, 1, 1),
        status=UserStatus.ACTIVE,
        kyc_status=KycStatus.VERIFIED,
        email_verified_at=timezone.now(),
        is_superuser=is_superuser,
    )
