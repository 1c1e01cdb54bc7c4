"""What each event says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from notifications.messages import message_for
from notifications.models import NotificationEvent

SAMPLES = {
    "scheme": "Lakshmi 50",
    "ticket": "7",
    "amount": "125000.50",
    "discount": "30000.00",
    "dividend": "1250",
    "due_on": "2026-07-05",
    "first_auction_on": date(2026, 7, 5),
    "opens_at": datetime(2026, 7, 5, 4, 30, tzinfo=UTC),
    "installment_number": 3,
    "winning_ticket": "12",
    "receipt_number": "R/2026-27/000123",
    "reference": "UTR1",
    "reason": "Agreement is missing.",
    "document": "PAN",
    "sanction_number": "PSO-2026-000001",
    "title": "A title",
    "text": "A text.",
}
KEYS = {
    NotificationEvent.SCHEME_APPROVED: "scheme sanction_number",
    NotificationEvent.SCHEME_RETURNED: "scheme reason",
    NotificationEvent.SCHEME_COMMENCED: "scheme first_auction_on ticket",
    NotificationEvent.SCHEME_COMPLETED: "scheme",
    NotificationEvent.KYC_VERIFIED: "document",
    NotificationEvent.KYC_REJECTED: "document reason",
    NotificationEvent.PAYMENT_RECEIVED: "scheme ticket amount receipt_number",
    NotificationEvent.PAYMENT_REVERSED: "scheme ticket amount reason",
    NotificationEvent.PAYMENT_DUE: "scheme ticket amount due_on",
    NotificationEvent.AUCTION_REMINDER: "scheme installment_number opens_at",
    NotificationEvent.AUCTION_POSTPONED: "scheme installment_number reason",
    NotificationEvent.AUCTION_MOVED: "scheme installment_number opens_at reason",
    NotificationEvent.AUCTION_RESULT: "scheme installment_number winning_ticket discount dividend",
    NotificationEvent.PRIZE_READY: "scheme ticket amount",
    NotificationEvent.PRIZE_PAID: "scheme ticket amount reference",
    NotificationEvent.TICKET_TAKEN: "scheme ticket",
    NotificationEvent.TICKET_WITHDRAWN: "scheme ticket reason",
    NotificationEvent.ACCOUNT: "title text",
}


def sample(event):
    return {key: SAMPLES[key] for key in KEYS[event].split()}


@pytest.mark.parametrize("event", NotificationEvent)
def test_every_event_says_everything_it_was_given(event):
    message = message_for(event, sample(event))
    said = message.title + message.body

    assert "{" not in said
    for key, value in sample(event).items():
        if key not in ("amount", "discount", "dividend", "due_on", "first_auction_on", "opens_at"):
            assert str(value) in said


@pytest.mark.parametrize("event", NotificationEvent)
def test_a_missing_and_an_unknown_key_fail_loudly(event):
    context = sample(event)
    with pytest.raises(ValueError, match="needs"):
        message_for(event, context | {"surprise": "x"})
    context.popitem()
    with pytest.raises(ValueError, match="needs"):
        message_for(event, context)


def test_money_days_and_moments_are_written_as_people_in_india_read_them():
    due = message_for(NotificationEvent.PAYMENT_DUE, sample(NotificationEvent.PAYMENT_DUE))
    soon = message_for(
        NotificationEvent.AUCTION_REMINDER, sample(NotificationEvent.AUCTION_REMINDER)
    )

    assert due.title == "₹1,25,000.50 is due on 5 July 2026"
    assert "opens on 5 July 2026 at 10:00." in soon.body


def test_an_amount_that_is_none_fails_loudly():
    context = sample(NotificationEvent.PRIZE_READY) | {"amount": "plenty"}
    with pytest.raises(ValueError, match="decimal"):
        message_for(NotificationEvent.PRIZE_READY, context)


def test_a_long_name_is_cut_in_the_title_and_whole_in_the_body():
    name = "L" * 255
    message = message_for(NotificationEvent.SCHEME_COMPLETED, {"scheme": name})

    assert len(message.title) == 160
    assert name in message.body


def test_braces_of_a_name_are_only_braces():
    message = message_for(NotificationEvent.SCHEME_COMPLETED, {"scheme": "{0} {scheme.x}"})

    assert "{0} {scheme.x}" in message.title
