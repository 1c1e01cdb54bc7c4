"""What people say about where they live and what they do."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import Address, AddressKind, User, UserProfile
from accounts.services.sessions import lock_user

DETAILS = (
    "occupation", "annual_income", "income_source", "employer", "designation",
    "experience_years",
)  # fmt: skip
ADDRESS_FIELDS = ("line1", "line2", "landmark", "city", "district", "state", "pin_code")


@transaction.atomic
def change_profile(
    *,
    user_id: UUID,
    actor: User,
    details: Mapping[str, object],
    addresses: Mapping[AddressKind, Mapping[str, str] | None],
) -> UserProfile:
    """Change what is given and leave the rest; an address that is None is removed."""
    user = lock_user(user_id)
    profile = UserProfile.objects.filter(user=user).first() or UserProfile(user=user)
    changed = [name for name in DETAILS if name in details and _set(profile, name, details[name])]
    changed += [
        f"{kind.lower()}_address"
        for kind, address in addresses.items()
        if _write_address(user, kind, address)
    ]
    if changed or profile._state.adding:
        profile.save()
    if changed:
        record_audit_event(actor=actor, verb="profile.changed", target=user, fields=sorted(changed))
    return profile


def _set(row: UserProfile | Address, name: str, value: object) -> bool:
    """Set one attribute and tell whether that changed it."""
    before = getattr(row, name)
    setattr(row, name, value)
    return bool(before != value)


def _write_address(user: User, kind: AddressKind, address: Mapping[str, str] | None) -> bool:
    row = Address.objects.filter(user=user, kind=kind).first()
    if address is None:
        return bool(row is not None and row.delete())
    row = row or Address(user=user, kind=kind)
    changed = [name for name in ADDRESS_FIELDS if _set(row, name, address.get(name, ""))]
    if changed:
        row.save()
    return bool(changed)
