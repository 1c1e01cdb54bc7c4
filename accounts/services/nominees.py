"""Who a person names for the case of their death. The set is written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import Nominee, User
from accounts.services.registration import GROWN_UP
from accounts.services.sessions import lock_user
from chitfund.business_date import age_on, business_date
from chitfund.exceptions import FieldError, InvalidInput

WHOLE = Decimal(100)


@transaction.atomic
def replace_nominees(
    *, user_id: UUID, actor: User, nominees: Sequence[Mapping[str, Any]]
) -> list[Nominee]:
    """Put these in the place of all nominees of a person; none at all is allowed.

    One by one they could never change: every set between would not make 100.
    """
    user = lock_user(user_id)
    rows = [Nominee(user=user, **nominee) for nominee in nominees]
    _check(rows, today=business_date())
    Nominee.objects.filter(user=user).delete()
    Nominee.objects.bulk_create(rows)
    record_audit_event(actor=actor, verb="nominees.replaced", target=user, count=len(rows))
    return rows


def _check(rows: Sequence[Nominee], *, today: date) -> None:
    errors = [
        error for position, row in enumerate(rows) for error in _errors_of(row, position, today)
    ]
    total = sum((row.share for row in rows), start=Decimal(0))
    if rows and total != WHOLE:
        errors.append(
            FieldError(
                "nominees",
                f"The shares make {total}; they have to make exactly {WHOLE}.",
                "shares_do_not_make_100",
            )
        )
    if errors:
        raise InvalidInput(errors[0].message, code=errors[0].code, errors=errors)


def _errors_of(row: Nominee, position: int, today: date) -> list[FieldError]:
    place = f"nominees.{position}"
    if row.date_of_birth > today:
        return [FieldError(f"{place}.date_of_birth", "A birth date is not in the future.")]
    is_minor = age_on(today, born=row.date_of_birth) < GROWN_UP
    if is_minor and not (row.guardian_name and row.guardian_relation):
        return [
            FieldError(
                f"{place}.guardian_name",
                f"A nominee under {GROWN_UP} needs a guardian: give their name and relation.",
                "guardian_needed",
            )
        ]
    if bool(row.guardian_name) != bool(row.guardian_relation):
        return [
            FieldError(f"{place}.guardian_name", "Give the guardian's name and relation, or none.")
        ]
    return []
