"""The stage: the property and the filter agree over every combination of facts."""

from itertools import product

import pytest
from django.utils import timezone

from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.business_date import business_date
from schemes.models import (
    OPEN_FOR_ENROLMENT,
    RecordKind,
    Scheme,
    SchemeStatus,
    Stage,
    StatutoryRecord,
)
from schemes.stage import in_stage, stage_of
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory
from subscriptions.models import Subscription

TICKETS = 3


def every_combination() -> list[dict[str, object]]:
    """Return schemes over status, return, commencement, foreman's ticket and seats taken."""
    return [
        {
            "status": status,
            "returned_at": timezone.now() if is_returned else None,
            "commenced_on": business_date() if has_commenced else None,
            "foreman_installment": 1 if has_foreman_ticket else None,
            "current_subscribers": taken,
        }
        for status, is_returned, has_commenced, has_foreman_ticket, taken in product(
            SchemeStatus, (True, False), (True, False), (True, False), range(TICKETS + 1)
        )
    ]


@pytest.fixture
def schemes(db):
    """Write every combination, with and without an agreement, its tickets behind its count."""
    foreman, admin, holder = (
        ForemanFactory.create(),
        AdminFactory.create(),
        UserFactory.create(),
    )
    made = [
        SchemeFactory.build(
            foreman=foreman,
            approved_by=admin,
            approved_at=timezone.now(),
            completed_at=timezone.now(),
            max_subscribers=TICKETS,
            **facts,
        )
        for facts in [*every_combination(), *every_combination()]
        # A completed scheme had commenced: the table says so.
        if facts["status"] != SchemeStatus.COMPLETED or facts["commenced_on"]
    ]
    Scheme.objects.bulk_create(made)
    Subscription.objects.bulk_create(
        Subscription(
            scheme=scheme,
            subscriber=holder,
            ticket_number=number + 1,
            join_date=business_date(),
            enrolled_by=holder,
        )
        for scheme in made
        for number in range(scheme.current_subscribers)
    )
    StatutoryRecord.objects.bulk_create(
        StatutoryRecordFactory.build(scheme=scheme, kind=RecordKind.AGREEMENT, recorded_by=admin)
        for scheme in made[: len(made) // 2]
    )
    return made


def test_property_and_filter_agree_over_every_combination(schemes):
    by_filter = {
        pk: stage
        for stage in Stage
        for pk in Scheme.objects.filter(in_stage(stage)).values_list("pk", flat=True)
    }
    by_property = {
        scheme.pk: stage_of(scheme, {record.kind for record in scheme.records.all()})
        for scheme in Scheme.objects.prefetch_related("records")
    }
    assert len(by_property) == len(schemes)
    assert by_filter == by_property
    assert set(by_property.values()) == set(Stage)


def test_each_scheme_is_in_one_stage_only(schemes):
    counted = sum(Scheme.objects.filter(in_stage(stage)).count() for stage in Stage)
    assert counted == len(schemes)


def test_open_for_enrolment_is_the_same_for_a_row_and_for_the_database(schemes):
    by_filter = set(Scheme.objects.filter(OPEN_FOR_ENROLMENT).values_list("pk", flat=True))
    by_property = {scheme.pk for scheme in Scheme.objects.all() if scheme.is_open_for_enrolment}
    assert by_filter == by_property
    assert 0 < len(by_filter) < len(schemes)


def test_the_foremans_seat_is_not_for_sale_before_commencement():
    scheme = SchemeFactory.build(max_subscribers=3, current_subscribers=2)
    assert scheme.seats_left == 0
    scheme.foreman_installment = None
    assert scheme.seats_left == 1
