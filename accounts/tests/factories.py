"""People for tests."""

from __future__ import annotations

from datetime import date
from functools import cache

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import KycStatus, Role, User, UserStatus

PASSWORD = "correct horse battery"


@cache
def _hashed(password: str) -> str:
    return make_password(password)


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An active subscriber with a verified address, whose password is PASSWORD."""

    class Meta:
        model = User

    class Params:
        kyc_verified = factory.Trait(kyc_status=KycStatus.VERIFIED)
        pending = factory.Trait(status=UserStatus.PENDING, email_verified_at=None)
        suspended = factory.Trait(status=UserStatus.SUSPENDED)

    ucfsin = factory.Sequence(lambda n: f"UCFSIN-2020-{n + 1:06d}")
    email = factory.Sequence(lambda n: f"person{n}@example.com")
    phone_number = factory.Sequence(lambda n: f"+9198{n:08d}")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    date_of_birth = date(1990, 1, 15)
    role = Role.USER
    status = UserStatus.ACTIVE
    email_verified_at = factory.LazyFunction(timezone.now)
    password = factory.LazyFunction(lambda: _hashed(PASSWORD))


class ForemanFactory(UserFactory):
    """An approved foreman; `unapproved=True` for one who waits."""

    class Params:
        unapproved = factory.Trait(status=UserStatus.PENDING, foreman_approved_at=None)

    role = Role.FOREMAN
    foreman_approved_at = factory.LazyFunction(timezone.now)


class AdminFactory(UserFactory):
    """An administrator with every permission; `is_superuser=False` for one with none."""

    role = Role.ADMIN
    is_superuser = True
