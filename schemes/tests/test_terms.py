"""The rules of the terms: refused with a sentence by the service, and by the table."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tests.factories import ForemanFactory
from auctions.terms import terms_of
from chitfund.exceptions import InvalidInput
from schemes.models import (
    TERMS,
    CommissionBase,
    CommissionMode,
    DividendPolicy,
    DividendTiming,
    LateDividend,
    Scheme,
)
from schemes.services import create_scheme
from schemes.services.drafting import SchemeTerms
from schemes.terms import check_terms, highest_bid, lowest_bid
from schemes.tests.factories import SchemeFactory, a_draft

INSIDE, ON_TOP, IN_INSTALLMENT = CommissionMode
CHIT_VALUE, DISCOUNT = CommissionBase

# field that the refusal names, what it says, and the terms that are refused
REFUSED = [
    ("max_subscribers", "from 2 to 500", {"max_subscribers": 1, "duration_months": 1}),
    ("max_subscribers", "from 2 to 500", {"max_subscribers": 501, "duration_months": 501}),
    ("duration_months", "need 5 months", {"duration_months": 4}),
    ("auction_day", "1 to 31", {"auction_day": 32}),
    ("auction_minutes", "1 to 480", {"auction_minutes": 481}),
    ("commission_percent", "section 21", {"commission_percent": Decimal("7.01")}),
    ("commission_percent", "section 21", {"commission_percent": Decimal(10)}),
    (
        "commission_base",
        "CHIT_VALUE",
        {"commission_base": DISCOUNT, "commission_mode": IN_INSTALLMENT},
    ),
    (
        "commission_percent",
        "₹333.20, an installment of ₹333.40",
        {"monthly_installment": Decimal("333.33"), "commission_mode": IN_INSTALLMENT},
    ),
    ("max_discount_percent", "at most 40 %", {"max_discount_percent": Decimal("40.01")}),
    ("max_discount_percent", "above 0", {"max_discount_percent": Decimal(0)}),
    ("min_discount_percent", "at least 5", {"min_discount_percent": Decimal("4.99")}),
    ("max_discount_percent", "above the highest", {"max_discount_percent": Decimal("4.99")}),
    ("max_discount_percent", "above the highest", {"min_discount_percent": Decimal("30.01")}),
    (
        "max_discount_percent",
        "above the highest",
        {"commission_mode": ON_TOP, "max_discount_percent": Decimal("4.99")},
    ),
    (
        "max_discount_percent",
        "above the highest",
        {"commission_mode": ON_TOP, "min_discount_percent": Decimal("25.01")},
    ),
    (
        "max_discount_percent",
        "above the highest",
        {
            "commission_mode": ON_TOP,
            "commission_base": DISCOUNT,
            "min_discount_percent": Decimal("28.58"),
        },
    ),
    ("bid_step", "₹250 to ₹1,500", {"bid_step": Decimal("1250.01")}),
    ("bid_step", "above 0", {"bid_step": Decimal(0)}),
    ("rounding_unit", "1.00 or to 0.01", {"rounding_unit": Decimal("0.50")}),
    ("base_dividend_cap_percent", "at most 100", {"base_dividend_cap_percent": Decimal("100.01")}),
    ("base_dividend_cap_percent", "above 0", {"base_dividend_cap_percent": Decimal(0)}),
    ("foreman_installment", "1 to 5", {"foreman_installment": 6}),
    ("foreman_installment", "1 to 5", {"foreman_installment": 0}),
    ("late_interest_percent", "0 to 24", {"late_interest_percent": Decimal("24.01")}),
    ("grace_days", "0 to 60", {"grace_days": 61}),
    ("start_date", "2000 to 2099", {"start_date": date(9999, 12, 1)}),
]

ALLOWED = [
    {},
    {"commission_percent": Decimal(7), "max_discount_percent": Decimal(40)},
    {"commission_percent": Decimal(0)},
    {"commission_base": DISCOUNT, "commission_percent": Decimal(100)},
    {"commission_mode": IN_INSTALLMENT, "max_discount_percent": Decimal(3)},
    {"commission_mode": ON_TOP, "min_discount_percent": Decimal(25)},
    {
        "commission_mode": ON_TOP,
        "commission_base": DISCOUNT,
        "min_discount_percent": Decimal("28.57"),
        "bid_step": Decimal("0.07"),
    },
    # One bid only is possible, so no step is too large for it but one above the cap.
    {"max_discount_percent": Decimal(5), "bid_step": Decimal(250)},
    {"bid_step": Decimal(1250)},
    {"foreman_installment": None},
    {"foreman_installment": 5},
    {"monthly_installment": Decimal("333.40"), "commission_mode": IN_INSTALLMENT},
    {"auction_day": 31, "start_date": date(2030, 2, 28)},
]


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "sentence", "changes"), REFUSED)
def test_terms_that_break_a_rule_are_refused_with_what_to_do(field, sentence, changes):
    with pytest.raises(InvalidInput) as refusal:
        create_scheme(foreman=ForemanFactory.create(), **a_draft(**changes))
    told = {error.field: error.message for error in refusal.value.errors}
    assert sentence in told[field]
    assert not Scheme.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("changes", ALLOWED)
def test_terms_within_the_rules_are_taken(changes):
    scheme = create_scheme(foreman=ForemanFactory.create(), **a_draft(**changes))
    scheme.refresh_from_db()
    assert {name: getattr(scheme, name) for name in changes} == changes


def test_every_broken_rule_is_told_at_once():
    scheme = SchemeFactory.build(
        commission_percent=Decimal(9), max_discount_percent=Decimal(50), grace_days=99
    )
    with pytest.raises(InvalidInput) as refusal:
        check_terms(scheme)
    assert [error.field for error in refusal.value.errors] == [
        "commission_percent",
        "max_discount_percent",
        "grace_days",
    ]


# What the table itself refuses, whoever writes: the service's rules once more.
BEHIND = [
    {"max_subscribers": 1, "duration_months": 1, "total_amount": Decimal(1000)},
    {"duration_months": 4},
    {"total_amount": Decimal("4999.99")},
    {"monthly_installment": Decimal(0), "total_amount": Decimal(0), "bid_step": Decimal(1)},
    {"auction_day": 32},
    {"auction_minutes": 0},
    {"commission_percent": Decimal("7.01")},
    {"commission_percent": Decimal("100.01"), "commission_base": DISCOUNT},
    {"commission_base": DISCOUNT, "commission_mode": IN_INSTALLMENT},
    {
        "monthly_installment": Decimal("333.33"),
        "total_amount": Decimal("1666.65"),
        "commission_mode": IN_INSTALLMENT,
    },
    {"max_discount_percent": Decimal("40.01")},
    {"max_discount_percent": Decimal(0)},
    {"max_discount_percent": Decimal("4.99")},
    {"max_discount_percent": Decimal("4.99"), "commission_mode": ON_TOP},
    {"min_discount_percent": Decimal("4.99")},
    {"min_discount_percent": Decimal("30.01")},
    {"min_discount_percent": Decimal("25.01"), "commission_mode": ON_TOP},
    {
        "min_discount_percent": Decimal("28.58"),
        "commission_mode": ON_TOP,
        "commission_base": DISCOUNT,
    },
    {"bid_step": Decimal(0)},
    {"bid_step": Decimal("1500.01")},
    {"rounding_unit": Decimal("0.50")},
    {"base_dividend_cap_percent": Decimal(0)},
    {"foreman_installment": 6},
    {"foreman_installment": 0},
    {"late_interest_percent": Decimal("24.01")},
    {"grace_days": 61},
    {"dividend_policy": "NOBODY"},
    {"end_date": date(2020, 1, 1)},
    {"current_subscribers": 6},
]


@pytest.mark.django_db
@pytest.mark.parametrize("changes", BEHIND)
def test_the_table_refuses_what_the_service_would(changes):
    foreman = ForemanFactory.create()
    with pytest.raises(IntegrityError, match="check constraint"), transaction.atomic():
        SchemeFactory.create(foreman=foreman, **changes)
    SchemeFactory.create(foreman=foreman)


def test_the_drafting_services_take_exactly_the_terms():
    assert set(SchemeTerms.__annotations__) == set(TERMS)


percents = st.integers(0, 4000).map(lambda cents: Decimal(cents) / 100)
anything = st.fixed_dictionaries(
    {
        "commission_percent": st.integers(0, 700).map(lambda cents: Decimal(cents) / 100),
        "commission_base": st.sampled_from(CommissionBase),
        "commission_mode": st.sampled_from(CommissionMode),
        "max_discount_percent": percents,
        "min_discount_percent": st.none() | percents,
        "bid_step": st.integers(1, 100_000).map(lambda paise: Decimal(paise) / 100),
        "max_subscribers": st.integers(2, 60),
        "monthly_installment": st.integers(1, 500_000).map(lambda paise: Decimal(paise) / 100),
        "foreman_installment": st.none() | st.integers(0, 61),
        "auction_time": st.just(time(10)),
        "dividend_policy": st.sampled_from(DividendPolicy),
        "dividend_timing": st.sampled_from(DividendTiming),
        "late_dividend": st.sampled_from(LateDividend),
    }
)


def _keeps_the_rules(scheme: Scheme) -> bool:
    try:
        check_terms(scheme)
    except InvalidInput:
        return False
    return True


@pytest.mark.django_db
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # nothing is kept by an example
)
@given(terms=anything)
def test_what_passes_the_rules_passes_the_table_and_divides_as_auctions_do(foreman, terms):
    scheme = SchemeFactory.build(foreman=foreman, **terms)
    if not _keeps_the_rules(scheme):
        return
    with transaction.atomic():
        scheme.save()
        transaction.set_rollback(True)
    rules = terms_of(scheme)
    assert (lowest_bid(scheme), highest_bid(scheme)) == (rules.min_discount, rules.max_discount)
    assert rules.min_discount <= rules.max_discount
    assert rules.gross_installment(is_foremans=False) >= scheme.monthly_installment


@pytest.fixture
def foreman():
    return ForemanFactory.create()
