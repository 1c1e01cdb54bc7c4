"""Telling people in the transaction of its cause."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.tests.factories import UserFactory
from chitfund.observability.trace import traced
from notifications.models import Channel, Delivery, DeliveryStatus, Notification, NotificationEvent
from notifications.services import notify, notify_many

DONE = NotificationEvent.SCHEME_COMPLETED


@pytest.mark.django_db
def test_a_person_is_told_in_the_app_at_once_and_by_mail_soon():
    user = UserFactory.create()
    with traced("trace-of-the-request"):
        told = notify(recipient_id=user.pk, event=DONE, scheme="Lakshmi")

    assert (told.recipient, told.event, told.context) == (user, DONE, {"scheme": "Lakshmi"})
    assert told.trace_id == "trace-of-the-request"
    assert {d.channel: d.status for d in told.deliveries.all()} == {
        Channel.IN_APP: DeliveryStatus.SENT,
        Channel.EMAIL: DeliveryStatus.PENDING,
    }


@pytest.mark.django_db
def test_a_wrong_context_tells_nobody_anything():
    with pytest.raises(ValueError, match="needs"):
        notify(recipient_id=UserFactory.create().pk, event=DONE, plan="Lakshmi")

    assert not Notification.objects.exists()


@pytest.mark.django_db
def test_many_are_told_each_once_in_a_few_statements(django_assert_num_queries):
    few = [user.pk for user in UserFactory.create_batch(2)]
    many = [user.pk for user in UserFactory.create_batch(50)]
    with django_assert_num_queries(4):  # two inserts between a savepoint and its release
        notify_many(recipients=few, event=DONE, scheme="Lakshmi")
    with django_assert_num_queries(4):
        notify_many(recipients=[*many, *many], event=DONE, scheme="Lakshmi")

    assert Notification.objects.count() == 52
    assert Delivery.objects.count() == 104


@pytest.mark.django_db
def test_nobody_is_told_nothing():
    assert notify_many(recipients=[], event=DONE, scheme="Lakshmi") == []


@pytest.mark.django_db(transaction=True)
def test_mail_leaves_after_the_commit_and_not_before(mailoutbox):
    user = UserFactory.create()
    with transaction.atomic():
        notify(recipient_id=user.pk, event=DONE, scheme="Lakshmi")
        assert mailoutbox == []

    assert [letter.to for letter in mailoutbox] == [[user.email]]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_tells_nobody(mailoutbox):
    user = UserFactory.create()
    with transaction.atomic():
        notify(recipient_id=user.pk, event=DONE, scheme="Lakshmi")
        transaction.set_rollback(True)

    assert mailoutbox == []
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_fifty_people_are_one_message_to_the_broker(monkeypatch):
    rung = []
    monkeypatch.setattr("chitfund.doorbell._Bell.__call__", lambda self: rung.append(self.args))
    with transaction.atomic():
        for user in UserFactory.create_batch(50):
            notify(recipient_id=user.pk, event=DONE, scheme="Lakshmi")

    assert [len(args) for args in rung] == [50]
