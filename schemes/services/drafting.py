"""Drafting a scheme: its terms are free until it is submitted, and frozen from then on."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import Role, User
from accounts.services.sessions import lock_user
from chitfund.business_date import end_date
from chitfund.exceptions import InvalidInput, NotAllowed, WrongState
from schemes.amounts import settle_amounts
from schemes.models import TERMS, Scheme, SchemeStatus, StatutoryRecord
from schemes.services.locking import lock_own_scheme
from schemes.terms import check_size, check_start, check_terms

DERIVED = frozenset({"monthly_installment", "total_amount", "duration_months", "auction_day"})


class SchemeTerms(TypedDict, total=False):
    """What a foreman decides about a chit; `schemes.models.TERMS` with their types."""

    name: str
    monthly_installment: Decimal
    max_subscribers: int
    duration_months: int
    total_amount: Decimal
    start_date: datetime.date
    commission_percent: Decimal
    commission_base: str
    commission_mode: str
    max_discount_percent: Decimal
    min_discount_percent: Decimal | None
    bid_step: Decimal
    auction_day: int | None
    auction_time: datetime.time
    auction_minutes: int
    dividend_policy: str
    dividend_timing: str
    rounding_unit: Decimal
    base_dividend_cap_percent: Decimal | None
    foreman_installment: int | None
    late_interest_percent: Decimal
    grace_days: int
    late_dividend: str


@transaction.atomic
def create_scheme(*, foreman: User, **terms: Unpack[SchemeTerms]) -> Scheme:
    """Draft a scheme of an approved foreman.

    Amounts are rupees; of monthly_installment and total_amount one is enough. Raises
    InvalidInput with every rule that the terms break (ss. 6, 21; design.md 4 and 9). The
    foreman's row is locked, so that their role does not change meanwhile.
    """
    foreman = lock_user(foreman.pk)
    check_may_run_schemes(foreman)
    missing = [name for name in ("name", "start_date", "max_subscribers") if name not in terms]
    if missing:
        raise InvalidInput.on(missing[0], f"Give {', '.join(missing)}.", code="required")
    scheme = Scheme(foreman=foreman)
    _apply(scheme, terms)
    scheme.save()
    record_audit_event(
        actor=foreman, verb="scheme.created", target=scheme, total_amount=scheme.total_amount
    )
    return scheme


@transaction.atomic
def update_scheme(*, scheme_id: UUID, actor: User, **changes: Unpack[SchemeTerms]) -> Scheme:
    """Change terms of a draft; what is not given stays, and what follows from it is redone."""
    scheme = lock_own_scheme(scheme_id, actor)
    _check_is_draft(scheme, "Terms are frozen once a scheme is submitted")
    before = {name: getattr(scheme, name) for name in TERMS}
    _apply(scheme, changes)
    scheme.save()
    changed = sorted(name for name in TERMS if getattr(scheme, name) != before[name])
    if changed:
        record_audit_event(actor=actor, verb="scheme.changed", target=scheme, fields=changed)
    return scheme


@transaction.atomic
def delete_scheme(*, scheme_id: UUID, actor: User) -> None:
    """Remove a draft with what was recorded for it; only its audit trail stays."""
    scheme = lock_own_scheme(scheme_id, actor)
    _check_is_draft(scheme, "Only a draft can be deleted")
    record_audit_event(actor=actor, verb="scheme.deleted", target=scheme)
    StatutoryRecord.objects.filter(scheme=scheme).delete()
    scheme.delete()


def check_may_run_schemes(foreman: User) -> None:
    """Raise NotAllowed unless the person is a foreman whom the office approved."""
    if foreman.role != Role.FOREMAN:
        raise NotAllowed("Only a foreman runs schemes.")
    if not foreman.is_active or foreman.foreman_approved_at is None:
        raise NotAllowed("The office has to approve you as a foreman before you draft schemes.")


def _check_is_draft(scheme: Scheme, rule: str) -> None:
    if scheme.status == SchemeStatus.DRAFT:
        return
    hint = (
        " Ask an administrator to return it to you."
        if scheme.status == SchemeStatus.PENDING_APPROVAL
        else ""
    )
    raise WrongState(f"{rule}; this one is {scheme.get_status_display().lower()}.{hint}")


def _apply(scheme: Scheme, given: SchemeTerms) -> None:
    """Set terms and all that follows from them on a scheme, checked. Does not save."""
    follows_start = scheme.start_date is None or scheme.auction_day == scheme.start_date.day
    for name in given.keys() - DERIVED:
        setattr(scheme, name, given[name])  # type: ignore[literal-required]
    scheme.duration_months = _months(scheme, given)
    check_size(scheme)
    scheme.monthly_installment, scheme.total_amount = settle_amounts(
        tickets=scheme.max_subscribers,
        installment=_installment(scheme, given),
        total=given.get("total_amount"),
    )
    check_start(scheme)
    scheme.end_date = end_date(scheme.start_date, scheme.duration_months)
    wished_day = given.get("auction_day")
    if wished_day is not None:
        scheme.auction_day = wished_day
    elif follows_start or "auction_day" in given:
        scheme.auction_day = scheme.start_date.day
    check_terms(scheme)


def _months(scheme: Scheme, given: SchemeTerms) -> int:
    if "duration_months" in given:
        return given["duration_months"]
    if "max_subscribers" in given:
        return scheme.max_subscribers
    return scheme.duration_months


def _installment(scheme: Scheme, given: SchemeTerms) -> Decimal | None:
    """A new total alone brings its own installment; without either, the old one stays."""
    if "monthly_installment" in given:
        return given["monthly_installment"]
    return None if "total_amount" in given else scheme.monthly_installment
