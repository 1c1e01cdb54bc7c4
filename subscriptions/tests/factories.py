"""Tickets for tests."""

from __future__ import annotations

from typing import Any

import factory

from accounts.tests.factories import UserFactory
from chitfund.business_date import business_date
from schemes.models import Scheme
from schemes.tests.factories import SchemeFactory
from subscriptions.models import HOLDING, Subscription


def next_free_number(scheme: Scheme) -> int:
    taken = set(
        Subscription.objects.filter(scheme=scheme, status__in=HOLDING).values_list(
            "ticket_number", flat=True
        )
    )
    first = 1 + scheme.reserved_tickets
    return next(n for n in range(first, scheme.max_subscribers + 1) if n not in taken)


class SubscriptionFactory(factory.django.DjangoModelFactory[Subscription]):
    """The next ticket of a scheme that is open for enrolment, counted as a service would."""

    class Meta:
        model = Subscription
        skip_postgeneration_save = True

    scheme = factory.SubFactory(SchemeFactory, active=True)
    subscriber = factory.SubFactory(UserFactory, kyc_verified=True)
    ticket_number = factory.LazyAttribute(lambda o: next_free_number(o.scheme))
    join_date = factory.LazyFunction(business_date)
    enrolled_by = factory.SelfAttribute("subscriber")

    @factory.post_generation
    def counted(self: Subscription, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Keep the scheme's count, on the object at hand too."""
        if not create or self.status not in HOLDING:
            return
        held = Subscription.objects.filter(scheme=self.scheme, status__in=HOLDING).count()
        self.scheme.current_subscribers = held
        Scheme.objects.filter(pk=self.scheme_id).update(current_subscribers=held)
