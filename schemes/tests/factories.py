"""Schemes for tests, in any state of their life."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from accounts.tests.factories import AdminFactory, ForemanFactory
from chitfund.business_date import business_date, end_date
from schemes.models import RecordKind, Scheme, SchemeStatus, StatutoryRecord


class StatutoryRecordFactory(factory.django.DjangoModelFactory[StatutoryRecord]):
    """A prior sanction of a draft; say `scheme` and `kind`."""

    class Meta:
        model = StatutoryRecord

    scheme = factory.SubFactory("schemes.tests.factories.SchemeFactory")
    kind = RecordKind.PRIOR_SANCTION
    number = factory.Sequence(lambda n: f"TEST/{n:06d}")
    issued_on = factory.LazyFunction(business_date)
    recorded_by = factory.SubFactory(AdminFactory)


class SchemeFactory(factory.django.DjangoModelFactory[Scheme]):
    """A draft of five tickets at 1,000 rupees; `submitted`, `returned`, `active` or `commenced`.

    An active one has its sanction on record. A commenced one is only marked so: books and
    auctions come from payments.commence_scheme.
    """

    class Meta:
        model = Scheme
        skip_postgeneration_save = True

    class Params:
        submitted = factory.Trait(
            status=SchemeStatus.PENDING_APPROVAL, submitted_at=factory.LazyFunction(timezone.now)
        )
        returned = factory.Trait(
            returned_at=factory.LazyFunction(timezone.now), return_reason="Name the bank."
        )
        active = factory.Trait(
            submitted=True,
            status=SchemeStatus.ACTIVE,
            approved_at=factory.LazyFunction(timezone.now),
            approved_by=factory.SubFactory(AdminFactory),
        )
        commenced = factory.Trait(active=True, commenced_on=factory.LazyFunction(business_date))

    foreman = factory.SubFactory(ForemanFactory)
    name = factory.Sequence(lambda n: f"Lakshmi {n}")
    max_subscribers = 5
    monthly_installment = Decimal("1000.00")
    duration_months = factory.SelfAttribute("max_subscribers")
    total_amount = factory.LazyAttribute(lambda o: o.monthly_installment * o.max_subscribers)
    start_date = factory.LazyFunction(lambda: business_date() + timedelta(days=10))
    end_date = factory.LazyAttribute(lambda o: end_date(o.start_date, o.duration_months))
    auction_day = factory.LazyAttribute(lambda o: o.start_date.day)

    @factory.post_generation
    def sanction(self: Scheme, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Put the records that its state needs beside it."""
        if not create or self.status in (SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL):
            return
        StatutoryRecordFactory.create(scheme=self, recorded_by=self.approved_by)
        if self.commenced_on is not None:
            StatutoryRecordFactory.create(
                scheme=self, recorded_by=self.approved_by, kind=RecordKind.COMMENCEMENT
            )


def a_draft(**changes: Any) -> dict[str, Any]:
    """Return what a foreman gives to draft a scheme."""
    start: date = business_date() + timedelta(days=10)
    return {
        "name": "Lakshmi",
        "monthly_installment": Decimal("1000.00"),
        "max_subscribers": 5,
        "duration_months": 5,
        "start_date": start,
        **changes,
    }
