"""Reads about people that span tables."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When

from accounts.completeness import Completeness, ProfileParts, completeness_of
from accounts.models import (
    Address,
    AddressKind,
    BankAccount,
    Consent,
    ForemanProfile,
    ForemanProfileStatus,
    Nominee,
    User,
    UserProfile,
)

EXPIRY_NOTICE = timedelta(days=60)


def profile_completeness(user: User) -> Completeness:
    """Return how complete a person's profile is, in one query."""
    found = (
        User.objects.filter(pk=user.pk)
        .annotate(
            has_address=Exists(
                Address.objects.filter(user=OuterRef("pk"), kind=AddressKind.PERMANENT)
            ),
            has_occupation=Exists(
                UserProfile.objects.filter(user=OuterRef("pk"))
                .exclude(occupation="")
                .exclude(annual_income="")
                .exclude(income_source="")
            ),
            has_nominees=Exists(Nominee.objects.filter(user=OuterRef("pk"))),
            has_account=Exists(BankAccount.objects.filter(user=OuterRef("pk"), is_primary=True)),
        )
        .values("has_address", "has_occupation", "has_nominees", "has_account")
        .get()
    )
    return completeness_of(
        ProfileParts(
            contact=user.email_verified_at is not None and user.date_of_birth is not None,
            address=found["has_address"],
            occupation=found["has_occupation"],
            nominees=found["has_nominees"],
            bank_account=found["has_account"],
        )
    )


def with_place(people: QuerySet[User]) -> QuerySet[User]:
    """Add the city and State where each person lives: the current address, else the permanent."""
    nearest = Case(When(kind=AddressKind.CURRENT, then=0), default=1)
    home = (
        Address.objects.filter(user=OuterRef("pk"))
        .exclude(kind=AddressKind.DELIVERY)
        .order_by(nearest)
    )
    return people.annotate(
        city=Subquery(home.values("city")[:1]), state=Subquery(home.values("state")[:1])
    )


def standing_consents(user: User) -> QuerySet[Consent]:
    """Return a person's latest word on each purpose."""
    latest = Consent.objects.filter(user=user).order_by("purpose", "-id").distinct("purpose")
    return Consent.objects.filter(pk__in=latest.values("pk"))


def expiring_licences(
    *, as_of: date, within: timedelta = EXPIRY_NOTICE
) -> QuerySet[ForemanProfile]:
    """Return approved foremen's profiles whose licence has ended or soon will, earliest first."""
    return (
        ForemanProfile.objects.filter(user__foreman_approved_at__isnull=False)
        .filter(Q(licence_expires_on__lte=as_of + within))
        .exclude(status=ForemanProfileStatus.DRAFT)
        .select_related("user")
        .order_by("licence_expires_on", "id")
    )
