"""Things that people were told, for tests."""

from __future__ import annotations

import factory
from django.utils import timezone

from accounts.tests.factories import UserFactory
from notifications.models import Channel, Delivery, Notification, NotificationEvent


class NotificationFactory(factory.django.DjangoModelFactory[Notification]):
    """One thing that somebody was told in the app."""

    class Meta:
        model = Notification

    recipient = factory.SubFactory(UserFactory)
    event = NotificationEvent.ACCOUNT
    title = factory.Sequence(lambda n: f"News {n}")
    body = "Something happened."
    trace_id = "trace-of-a-test"


class DeliveryFactory(factory.django.DjangoModelFactory[Delivery]):
    """A mail that is due."""

    class Meta:
        model = Delivery

    notification = factory.SubFactory(NotificationFactory)
    channel = Channel.EMAIL
    next_attempt_at = factory.LazyFunction(timezone.now)
