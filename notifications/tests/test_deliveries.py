"""Sending: claimed first, sent once, tried again, given up (reliability.md row 33)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory
from chitfund.exceptions import InvalidTransition
from chitfund.testing import in_own_connection
from notifications import deliveries
from notifications.deliveries import deliver, send_again
from notifications.models import Delivery, DeliveryStatus
from notifications.outbox import LEASE, MOST_ATTEMPTS
from notifications.tests.factories import DeliveryFactory


@pytest.fixture
def broken_mail(monkeypatch):
    def refuse(*args, **kwargs):
        raise SMTPResponseException(451, b"come back later, person0@example.com")

    monkeypatch.setattr(deliveries, "send_letter", refuse)


def due_now(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())


@pytest.mark.django_db
def test_a_due_delivery_is_sent_once():
    delivery = DeliveryFactory.create()

    assert (deliver(), deliver()) == (1, 0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 1)
    assert delivery.sent_at is not None
    (letter,) = mail.outbox
    assert letter.subject == delivery.notification.title
    assert delivery.notification.body in letter.body
    assert letter.extra_headers["Message-ID"].startswith(f"<{delivery.pk}@")


@pytest.mark.django_db
def test_only_what_was_rung_for_is_sent():
    first, second = DeliveryFactory.create_batch(2)

    assert deliver([str(second.pk)]) == 1
    first.refresh_from_db()
    assert first.status == DeliveryStatus.PENDING


@pytest.mark.django_db
def test_what_is_not_due_waits():
    DeliveryFactory.create(next_attempt_at=timezone.now() + timedelta(seconds=5))

    assert deliver() == 0


@pytest.mark.django_db
def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends(monkeypatch):
    delivery = DeliveryFactory.create()
    sent_meanwhile = []

    def die(*args, **kwargs):
        sent_meanwhile.append(deliver())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "send_letter", die)
        with pytest.raises(KeyboardInterrupt):
            deliver()

    assert sent_meanwhile == [0]
    assert deliver() == 0
    delivery.refresh_from_db()
    assert timezone.now() < delivery.next_attempt_at <= timezone.now() + LEASE
    due_now(delivery)
    assert deliver() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_senders_at_once_send_each_delivery_once():
    DeliveryFactory.create_batch(30)
    gate = threading.Barrier(8, timeout=10)

    def send(_):
        gate.wait()
        return deliver()

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(in_own_connection(send), range(8)))

    assert sum(sent) == 30
    assert len({letter.subject for letter in mail.outbox}) == len(mail.outbox) == 30


@pytest.mark.django_db
def test_a_failed_delivery_is_tried_again_later_and_later(broken_mail):
    delivery = DeliveryFactory.create()
    waits = []
    for _ in range(3):
        due_now(delivery)
        deliver()
        delivery.refresh_from_db()
        waits.append(round((delivery.next_attempt_at - timezone.now()).total_seconds() / 60))

    assert waits == [1, 2, 4]
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 3)
    assert delivery.error == "SMTPResponseException 451"


@pytest.mark.django_db
def test_a_delivery_that_keeps_failing_is_given_up_with_the_reason(broken_mail):
    delivery = DeliveryFactory.create(attempts=MOST_ATTEMPTS - 1)
    deliver()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.error) == (DeliveryStatus.DEAD, "SMTPResponseException 451")
    due_now(delivery)
    assert deliver() == 0


@pytest.mark.django_db
def test_one_that_fails_does_not_keep_the_others(monkeypatch):
    DeliveryFactory.create_batch(3)
    bad = Delivery.objects.earliest("next_attempt_at")
    send = deliveries.send_letter

    def refuse_one(letter, *, to, mail_id):
        if mail_id == bad.pk:
            raise SMTPRecipientsRefused({to: (550, b"unknown")})
        send(letter, to=to, mail_id=mail_id)

    monkeypatch.setattr(deliveries, "send_letter", refuse_one)

    assert deliver() == 2


@pytest.mark.django_db
def test_a_mail_is_logged_under_the_trace_of_its_cause_and_without_an_address(
    broken_mail, caplog, monkeypatch
):
    seen = []
    monkeypatch.setattr(deliveries, "reason_of", lambda exc: seen.append(trace()) or "broken")
    from chitfund.observability.trace import current_trace_id as trace

    DeliveryFactory.create()
    deliver()

    assert seen == ["trace-of-a-test"]
    assert "@example.com" not in caplog.text


@pytest.mark.django_db
def test_a_late_sender_does_not_overwrite_what_happened_since(monkeypatch):
    delivery = DeliveryFactory.create()

    def slow(*args, **kwargs):
        Delivery.objects.filter(pk=delivery.pk).update(attempts=2, error="of the other")

    monkeypatch.setattr(deliveries, "send_letter", slow)
    deliver()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.error) == (DeliveryStatus.PENDING, "of the other")


@pytest.mark.django_db
def test_a_notification_has_one_delivery_a_channel():
    delivery = DeliveryFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryFactory.create(notification=delivery.notification)


@pytest.mark.django_db
def test_a_delivery_that_was_given_up_can_be_sent_again_by_the_office(
    client, django_capture_on_commit_callbacks
):
    dead = DeliveryFactory.create(
        status=DeliveryStatus.DEAD, attempts=MOST_ATTEMPTS, error="SMTPResponseException 451"
    )
    sent = DeliveryFactory.create(status=DeliveryStatus.SENT)
    admin = AdminFactory.create()
    client.force_login(admin)
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(
            reverse("admin:notifications_delivery_changelist"),
            {"action": "send_again_selected", "_selected_action": [dead.pk, sent.pk]},
            follow=True,
        )

    dead.refresh_from_db()
    assert (dead.status, dead.attempts, dead.error) == (DeliveryStatus.SENT, 1, "")
    assert "it cannot become pending" in page.content.decode()
    assert len(mail.outbox) == 1
    event = AuditEvent.objects.get(verb="delivery.sent_again")
    assert (event.actor, event.target_id) == (admin, dead.pk)


@pytest.mark.django_db
def test_sending_again_needs_its_permission(client):
    dead = DeliveryFactory.create(status=DeliveryStatus.DEAD)
    admin = AdminFactory.create(is_superuser=False)
    from django.contrib.auth.models import Permission

    admin.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(admin)
    client.post(
        reverse("admin:notifications_delivery_changelist"),
        {"action": "send_again_selected", "_selected_action": [dead.pk]},
    )

    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.DEAD


@pytest.mark.django_db
def test_what_is_on_its_way_is_not_sent_again():
    with pytest.raises(InvalidTransition):
        send_again(delivery_id=DeliveryFactory.create().pk, actor=AdminFactory.create())


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["notification", "delivery"])
def test_the_lists_of_the_desk_open_and_are_read_only(client, model):
    delivery = DeliveryFactory.create()
    row = delivery if model == "delivery" else delivery.notification
    client.force_login(AdminFactory.create())
    path = reverse(f"admin:notifications_{model}_changelist")

    assert client.get(path, {"q": "News"}).status_code == 200
    assert client.get(reverse(f"admin:notifications_{model}_add")).status_code == 403
    change = reverse(f"admin:notifications_{model}_change", args=[row.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403
