"""People for tests."""

from __future__ import annotations

from datetime import date
from functools import cache

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import (
    ForemanProfile,
    ForemanProfileStatus,
    KycStatus,
    Role,
    User,
    UserStatus,
)
from accounts.places import State
from accounts.sealing import blind_index, sealed_value
from accounts.services.foremen import PAN_COLUMN
from chitfund.db import new_id
from chitfund.masking import masked

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


class ForemanProfileFactory(factory.django.DjangoModelFactory[ForemanProfile]):
    """The business of a foreman, handed in and waiting; its PAN is made up."""

    class Meta:
        model = ForemanProfile
        exclude = ("pan",)

    user = factory.SubFactory("accounts.tests.factories.ForemanFactory")
    company_name = factory.Sequence(lambda n: f"Chits {n} Private Limited")
    licence_number = factory.Sequence(lambda n: f"CF/TN/{n:05d}")
    licence_expires_on = date(2099, 12, 31)
    pan = factory.Sequence(lambda n: f"ZZZPK{n % 9999 + 1:04d}{chr(65 + n // 9999 % 26)}")
    pan_index = factory.LazyAttribute(lambda row: blind_index(row.pan, column=PAN_COLUMN))
    pan_sealed = factory.LazyAttribute(
        lambda row: sealed_value(row.pan, cell=f"{PAN_COLUMN}.{row.id}")
    )
    pan_masked = factory.LazyAttribute(lambda row: masked(row.pan))
    id = factory.LazyFunction(new_id)
    state_of_registration = State.TN
    line1 = "12 Mount Road"
    city = "Chennai"
    state = State.TN
    pin_code = "600002"
    designation = "Managing director"
    status = ForemanProfileStatus.SUBMITTED
    submitted_at = factory.LazyFunction(timezone.now)


class ForemanFactory(UserFactory):
    """An approved foreman; `unapproved=True` for one who waits with a profile handed in."""

    class Meta:
        skip_postgeneration_save = True

    class Params:
        unapproved = factory.Trait(
            status=UserStatus.PENDING,
            foreman_approved_at=None,
            business=factory.RelatedFactory(ForemanProfileFactory, factory_related_name="user"),
        )

    role = Role.FOREMAN
    foreman_approved_at = factory.LazyFunction(timezone.now)


class AdminFactory(UserFactory):
    """An administrator with every permission; `is_superuser=False` for one with none."""

    role = Role.ADMIN
    is_superuser = True
