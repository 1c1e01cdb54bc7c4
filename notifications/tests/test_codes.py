"""One-time codes on their way: made at the last moment, tried again, given up in time."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.clients import Client
from accounts.models import CodeChannel, CodePurpose, OneTimeCode
from accounts.services.one_time_codes import LIFETIME, send_code
from chitfund.celery import app
from notifications.codes import USES, send_one_time_codes, text_of
from notifications.senders import sender_for
from notifications.senders.local import SmsOutbox
from notifications.tasks import send_one_time_codes as task


class Broken:
    """A carrier that is down."""

    def send(self, *, to, text, message_id):
        raise ConnectionRefusedError


@pytest.fixture(autouse=True)
def outbox(settings, tmp_path):
    settings.OUTBOX_DIR = tmp_path
    return tmp_path / "sms"


def queued(channel=CodeChannel.SMS):
    return send_code(
        address="+919876543210",
        purpose=CodePurpose.REGISTRATION,
        channel=channel,
        client=Client(ip="198.51.100.1", user_agent=""),
    )


@pytest.mark.django_db
def test_a_code_is_sent_once_under_the_name_of_its_row(outbox):
    code = queued()

    assert (send_one_time_codes(), send_one_time_codes()) == (1, 0)
    (file,) = outbox.iterdir()
    assert file.name == f"{code.pk}.json"
    code.refresh_from_db()
    assert code.sent_at is not None


@pytest.mark.django_db
def test_a_carrier_that_is_down_is_tried_again_with_other_digits(settings, outbox):
    code = queued()
    path = f"{__name__}.Broken"
    settings.CODE_SENDERS = {"SMS": path}
    assert send_one_time_codes() == 0
    code.refresh_from_db()
    first = code.code_hash
    assert (code.error, code.sent_at) == ("ConnectionRefusedError", None)

    settings.CODE_SENDERS = {"SMS": "notifications.senders.local.SmsOutbox"}
    assert send_one_time_codes() == 0  # not yet
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert send_one_time_codes() == 1
    code.refresh_from_db()
    assert code.code_hash != first


@pytest.mark.django_db
def test_a_code_whose_time_is_over_is_not_sent_any_more(outbox):
    code = queued()
    with time_machine.travel(timezone.now() + LIFETIME + timedelta(seconds=1)):
        assert send_one_time_codes() == 0

    code.refresh_from_db()
    assert code.given_up_at is not None
    assert not outbox.exists()


@pytest.mark.django_db
def test_a_sweep_finds_what_no_bell_rang_for(outbox):
    queued()

    assert task() == 1
    assert "send_one_time_codes" in app.conf.beat_schedule


def test_each_purpose_says_what_the_code_is_for():
    assert USES.keys() == set(CodePurpose)
    texts = {text_of(purpose, "012345") for purpose in CodePurpose}
    assert len(texts) == len(CodePurpose)
    # One GSM message, which is what a carrier's template is priced for.
    assert all(len(text) <= 160 for text in texts)
    assert all(text.isascii() for text in texts)


def test_a_sender_is_a_class_that_the_settings_name(settings):
    settings.CODE_SENDERS = {"SMS": "notifications.senders.local.SmsOutbox", "WHATSAPP": "no.such"}

    assert isinstance(sender_for("SMS"), SmsOutbox)
    for channel in ("WHATSAPP", "EMAIL"):
        with pytest.raises(ImproperlyConfigured, match=f"{channel}_SENDER"):
            sender_for(channel)


@pytest.mark.django_db
def test_a_sender_that_cannot_be_found_leaves_the_row_for_later(settings):
    code = queued()
    settings.CODE_SENDERS = {"SMS": "no.such.Class"}

    assert send_one_time_codes() == 0
    assert OneTimeCode.objects.get(pk=code.pk).error == "ImproperlyConfigured"


@pytest.mark.django_db
def test_a_second_attempt_at_one_row_replaces_the_first_message(outbox):
    code = queued()
    for text in ("first", "second"):
        SmsOutbox().send(to=code.address, text=text, message_id=code.pk)

    (file,) = outbox.iterdir()
    assert json.loads(file.read_text())["text"] == "second"


@pytest.mark.django_db
def test_a_code_that_a_newer_one_replaced_is_not_sent_late(outbox):
    first = queued()
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        second = queued()
        assert send_one_time_codes() == 1

    assert [file.stem for file in outbox.iterdir()] == [str(second.pk)]
    assert OneTimeCode.objects.get(pk=first.pk).given_up_at is not None
