"""Tickets for tests."""

from __future__ import annotations

from typing import Any

import factory
from django.db import transaction

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

    scheme = factory.SubFactory(SchemeFactory, active=True)
    subscriber = factory.SubFactory(UserFactory, kyc_verified=True)
    ticket_number = factory.LazyAttribute(lambda o: next_free_number(o.scheme))
    join_date = factory.LazyFunction(business_date)
    enrolled_by = factory.SelfAttribute("subscriber")

    @classmethod
    def _create(cls, model_class: type[Subscription], *args: Any, **kwargs: Any) -> Subscription:
        """Write ticket and count in one transaction: the commit looks whether they agree."""
        with transaction.atomic():
            ticket: Subscription = super()._create(model_class, *args, **kwargs)
            held = Subscription.objects.filter(scheme=ticket.scheme, status__in=HOLDING).count()
            Scheme.objects.filter(pk=ticket.scheme_id).update(current_subscribers=held)
        ticket.scheme.current_subscribers = held
        return ticket
