"""The table guards terms and status by itself: no service, no admin, no shell gets around it."""

from datetime import date, time, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.tests.factories import ForemanFactory
from chitfund.business_date import business_date
from schemes.models import TERMS, Scheme, SchemeStatus
from schemes.tests.factories import SchemeFactory

pytestmark = pytest.mark.django_db

# Another value of each term; those that hang together change together.
OTHER = {
    "name": "Other",
    "monthly_installment": Decimal(2000),
    "max_subscribers": 6,
    "duration_months": 6,
    "total_amount": Decimal(10000),
    "start_date": date(2031, 1, 1),
    "commission_percent": Decimal(6),
    "commission_base": "DISCOUNT",
    "commission_mode": "ON_TOP",
    "max_discount_percent": Decimal(40),
    "min_discount_percent": Decimal(6),
    "bid_step": Decimal(50),
    "auction_day": 3,
    "auction_time": time(11),
    "auction_minutes": 30,
    "dividend_policy": "NON_PRIZED",
    "dividend_timing": "SAME",
    "rounding_unit": Decimal("0.01"),
    "base_dividend_cap_percent": Decimal(20),
    "foreman_installment": 2,
    "late_interest_percent": Decimal(18),
    "grace_days": 5,
    "late_dividend": "FORFEIT",
}
FROZEN = [*TERMS, "end_date", "foreman_id"]


def refusal_of(scheme: Scheme, **changes: object) -> str:
    """Return what the table says to an update, bare of every service."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Scheme.objects.filter(pk=scheme.pk).update(**changes)
    return str(refusal.value)


@pytest.mark.parametrize("state", ["submitted", "active", "commenced"])
@pytest.mark.parametrize("term", FROZEN)
def test_a_term_does_not_change_after_submission(term, state):
    scheme = SchemeFactory.create(**{state: True})
    other = {
        **OTHER,
        "end_date": F("end_date") + timedelta(days=1),
        "foreman_id": ForemanFactory.create().pk if term == "foreman_id" else None,
    }
    assert "terms of a scheme are frozen" in refusal_of(scheme, **{term: other[term]})


@pytest.mark.parametrize("term", [name for name in TERMS if name not in {
    "monthly_installment", "max_subscribers", "duration_months", "total_amount"
}])  # fmt: skip
def test_a_term_of_a_draft_does_change(term):
    scheme = SchemeFactory.create(end_date=date(2040, 1, 1))
    assert Scheme.objects.filter(pk=scheme.pk).update(**{term: OTHER[term]}) == 1


def test_commencement_alone_moves_the_term():
    scheme = SchemeFactory.create(active=True)
    Scheme.objects.filter(pk=scheme.pk).update(
        commenced_on=business_date(),
        start_date=F("start_date") + timedelta(days=5),
        end_date=F("end_date") + timedelta(days=5),
    )
    assert "frozen" in refusal_of(scheme, start_date=F("start_date") + timedelta(days=1))


def test_commencement_moves_nothing_but_the_term():
    scheme = SchemeFactory.create(active=True)
    assert "frozen" in refusal_of(scheme, commenced_on=business_date(), bid_step=Decimal(50))


def test_a_scheme_commences_once_and_only_when_sanctioned():
    commenced = SchemeFactory.create(commenced=True)
    for value in (None, business_date() + timedelta(days=1)):
        assert "commences once" in refusal_of(commenced, commenced_on=value)
    waiting = SchemeFactory.create(submitted=True)
    assert "commences once" in refusal_of(waiting, commenced_on=business_date())


@pytest.mark.parametrize(("before", "after"), list(product(SchemeStatus, SchemeStatus)))
def test_a_status_moves_along_its_way_only(before, after):
    facts = {"approved_by": None, "approved_at": None}
    if before not in (SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL):
        facts = {}
    scheme = SchemeFactory.create(
        active=True,
        status=before,
        commenced_on=business_date() if before == SchemeStatus.COMPLETED else None,
        completed_at=timezone.now(),
        sanction=None,
        **facts,
    )
    changes: dict[str, object] = {"status": after}
    if after not in (SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL):
        changes |= {"approved_by": SchemeFactory.create(active=True).approved_by}
        changes |= {"approved_at": timezone.now()}
    if after == SchemeStatus.COMPLETED and before == SchemeStatus.ACTIVE:
        Scheme.objects.filter(pk=scheme.pk).update(commenced_on=business_date())
    if before == after or after in Scheme.MOVES[before]:
        assert Scheme.objects.filter(pk=scheme.pk).update(**changes) == 1
    else:
        assert "does not go from" in refusal_of(scheme, **changes)


@pytest.mark.parametrize("state", ["submitted", "active", "commenced"])
def test_only_a_draft_is_removed(state):
    scheme = SchemeFactory.create(**{state: True})
    with (
        pytest.raises(IntegrityError, match="only a draft"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM schemes WHERE id = %s", [scheme.pk])


def test_what_is_no_term_changes_on():
    scheme = SchemeFactory.create(active=True)
    Scheme.objects.filter(pk=scheme.pk).update(next_auction_at=timezone.now())
