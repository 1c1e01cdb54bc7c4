"""The tasks: rung with ids, swept without, and one line in the log for what they sent."""

from __future__ import annotations

import logging

import pytest
from django.core import mail

from accounts.models import MailPurpose
from accounts.services.mails import ask_for_mail
from accounts.tests.factories import UserFactory
from notifications.tasks import deliver, send_account_mails
from notifications.tests.factories import DeliveryFactory


@pytest.mark.django_db
def test_a_sweep_finds_what_nobody_rang_for(caplog):
    caplog.set_level(logging.INFO, logger="chitfund.notifications")
    DeliveryFactory.create_batch(2)
    ask_for_mail(user=UserFactory.create(), purpose=MailPurpose.VERIFY_EMAIL)
    deliver.apply()
    send_account_mails.apply()

    assert len(mail.outbox) == 3
    assert [(line.action, line.count) for line in caplog.records] == [
        ("deliveries.sent", 2),
        ("account_mails.sent", 1),
    ]


@pytest.mark.django_db
def test_a_sweep_that_finds_nothing_says_nothing(caplog):
    caplog.set_level(logging.INFO, logger="chitfund.notifications")
    deliver.apply()
    send_account_mails.apply()

    assert caplog.records == []
