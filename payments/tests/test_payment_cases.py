"""Every case of `tests/cases/payment_cases.json`, under its id.

Where two people do something at once, the race is forced: one holds the lock, the other is
seen waiting for it, and only then does the first one commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction

from accounts.jobs import run_daily
from accounts.models import JobRun, JobStatus
from accounts.tests.api import client_for
from auctions.models import Auction
from chitfund.business_date import IST
from chitfund.exceptions import Conflict
from chitfund.money import split_evenly
from chitfund.testing import in_own_connection, wait_for_blocked_query
from notifications.models import Notification, NotificationEvent
from payments.audit import check_ledger
from payments.jobs import remind_due
from payments.models import Installment, Payment, PaymentType, Transfer, TransferKind
from payments.tests.chits import TODAY, Chit, move_to, running_chit

CASES = Path(settings.BASE_DIR) / "tests" / "cases" / "payment_cases.json"
WITHOUT_LATE_FEES: dict[str, Any] = {"late_interest_percent": Decimal(0), "grace_days": 60}


def case_ids() -> list[str]:
    return [case["id"] for case in json.loads(CASES.read_text(encoding="utf-8"))["cases"]]


@pytest.mark.parametrize("case_id", case_ids())
def test_the_case_has_its_test(case_id: str):
    assert callable(globals().get(f"test_{case_id}")), f"Write test_{case_id}."


# -- what pays what ------------------------------------------------------------------------


def chit_with_dues(months: int) -> Chit:
    """Return a chit whose ticket 5 has paid nothing for so many months of 1,000 each."""
    chit = running_chit(5, **WITHOUT_LATE_FEES)
    while chit.next_month < months:
        for number in range(1, 5):
            chit.pay(number)
        chit.hold_draw()
    assert chit.ticket(5).outstanding == 1000 * months
    return chit


def dues_of(chit: Chit, number: int) -> list[tuple[Decimal, bool]]:
    """Return what is paid of each due of a ticket, and whether that is all of it."""
    dues = Installment.objects.filter(subscription=chit.ticket(number)).order_by("number")
    return [(due.paid, due.paid_on is not None) for due in dues]


@pytest.mark.django_db
def test_oldest_first_partial(ledger_holds: None):
    chit = chit_with_dues(3)
    chit.pay(5, 2500)
    assert dues_of(chit, 5) == [(1000, True), (1000, True), (500, False)]
    assert chit.ticket(5).outstanding == 500


@pytest.mark.django_db
def test_overpay_is_advance(ledger_holds: None):
    chit = running_chit(6)
    payment = chit.pay(2, 5000)
    assert dues_of(chit, 2) == [(1000, True)]
    assert chit.ticket(2).advance == 4000
    assert Payment.objects.get(pk=payment.pk).unallocated == 4000


@pytest.mark.django_db
def test_advance_then_cash(ledger_holds: None):
    chit = running_chit(3)
    chit.pay_all()
    chit.pay(2, 400)
    chit.hold_draw()
    assert chit.ticket(2).outstanding == 600
    chit.pay(2, 600)
    due = chit.due(2, 2)
    assert (due.paid, due.due, due.paid_on is not None) == (1000, 0, True)
    assert chit.ticket(2).advance == 0


@pytest.mark.django_db
def test_multi_share_member(ledger_holds: None):
    chit = Chit.sanctioned(
        tickets=16,
        monthly_installment=Decimal(6250),
        commission_percent=Decimal(4),
        rounding_unit=Decimal("0.01"),
        bid_step=Decimal(500),
    )
    holder = chit.members[0]
    for number in range(1, 17):
        chit.enrol(number, holder if number <= 2 else None)
    chit.commence()
    chit.pay_all()
    draw = chit.hold_draw(winner=16, discount=19000)
    assert (draw.commission, draw.prize_amount) == (4000, 81000)
    assert draw.dividend_per_ticket == Decimal("937.50")
    dividends = Payment.objects.filter(subscriber=holder, payment_type=PaymentType.DIVIDEND)
    assert [row.amount for row in dividends] == [Decimal("937.50")] * 2
    assert sum(row.amount for row in dividends) == Decimal("1875.00")


# -- the same key --------------------------------------------------------------------------


def post_payment(chit: Chit, key: str, amount: str) -> Any:
    body = {"subscription": str(chit.ticket(2).pk), "amount": amount, "method": "CASH"}
    client = client_for(chit.foreman)
    return client.post("/api/payments", body, format="json", headers={"Idempotency-Key": key})


def amounts_taken_in(chit: Chit) -> list[Decimal]:
    return [payment.amount for payment in Payment.objects.filter(scheme=chit.pk)]


@pytest.mark.django_db
def test_key_replay(ledger_holds: None):
    chit, key = running_chit(3), uuid4().hex
    first, again = (post_payment(chit, key, "600.00") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert amounts_taken_in(chit) == [600]
    assert chit.ticket(2).outstanding == 400


@pytest.mark.django_db
def test_key_other_amount(ledger_holds: None):
    chit, key = running_chit(3), uuid4().hex
    post_payment(chit, key, "600.00")
    refused = post_payment(chit, key, "700.00")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch")
    assert amounts_taken_in(chit) == [600]
    assert chit.cash == 600


# -- sharing to the paisa ------------------------------------------------------------------


def last_dividends(chit: Chit, discount: int) -> list[Decimal]:
    """Play a chit in which nobody bids to its last draw; return who gets what of its discount."""
    while (month := chit.next_month) < chit.scheme.duration_months:
        chit.pay_all()
        chit.hold_draw()
    chit.pay_all()
    move_to(chit.draw_day(month))
    (winner,) = [ticket for ticket in chit.tickets() if not ticket.is_prized]
    chit.record(month, winner.ticket_number, discount)
    dividends = Payment.objects.filter(
        scheme=chit.pk, payment_type=PaymentType.DIVIDEND, installment_number=month
    )
    return [row.amount for row in dividends.order_by("subscription__ticket_number")]


@pytest.mark.django_db
def test_share_3(ledger_holds: None):
    shares = [Decimal("3333.34"), Decimal("3333.33"), Decimal("3333.33")]
    assert split_evenly(Decimal("10000.00"), 3) == shares
    chit = running_chit(3, monthly_installment=Decimal(20000))
    assert last_dividends(chit, 13000) == shares  # 13,000 less a commission of 3,000


@pytest.mark.django_db
def test_share_tickets(ledger_holds: None):
    chit = Chit.sanctioned(tickets=6, monthly_installment=Decimal(2000))
    for number in range(1, 7):
        chit.enrol(number, chit.members[(number - 1) // 2])
    chit.commence()
    shares = last_dividends(chit, 1600)  # less a commission of 600
    assert sum(shares) == Decimal("1000.00")
    assert shares == [Decimal("166.67")] * 4 + [Decimal("166.66")] * 2


# -- taking back ---------------------------------------------------------------------------


def everything_owed(chit: Chit, number: int) -> tuple[Any, ...]:
    ticket = chit.ticket(number)
    dues = Installment.objects.filter(subscription=ticket).order_by("number")
    return (
        [(due.dividend, due.paid, due.paid_on, due.late_interest) for due in dues],
        (ticket.outstanding, ticket.advance, ticket.oldest_unpaid_due_on, ticket.next_due_amount),
    )


@pytest.mark.django_db
def test_reverse_restores(ledger_holds: None):
    chit = chit_with_dues(2)
    chit.pay(5, 300)
    before = everything_owed(chit, 5)
    payment = chit.pay(5, 2000)
    assert chit.ticket(5).advance == 300
    chit.reverse(payment)
    assert everything_owed(chit, 5) == before


@pytest.mark.django_db
def test_reverse_restores_an_advance_that_was_there_before(ledger_holds: None):
    chit = running_chit(4)
    chit.pay(2, 1500)
    before = everything_owed(chit, 2)
    chit.reverse(chit.pay(2, 700))
    assert everything_owed(chit, 2) == before
    assert chit.ticket(2).advance == 500


# -- at the same moment --------------------------------------------------------------------


def while_the_first_one_waits(first: Callable[[], Any], rival: Callable[[], Any]) -> Any:
    """Do the first under its lock, start the rival, see it wait, commit; return what it got."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(in_own_connection(rival))
            wait_for_blocked_query()
        return waiting.result(timeout=20)


@pytest.mark.django_db(transaction=True)
def test_two_at_once(ledger_holds: None):
    chit = running_chit(3)
    while_the_first_one_waits(lambda: chit.pay(2, 600), lambda: chit.pay(2, 600))
    due, ticket = chit.due(2, 1), chit.ticket(2)
    assert (due.paid, due.due) == (1000, 0)
    assert (ticket.outstanding, ticket.advance) == (0, 200)
    assert sorted(amounts_taken_in(chit)) == [600, 600]
    assert check_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_reverse_twice(ledger_holds: None):
    chit = running_chit(3)
    payment = chit.pay(2, 700)

    def rival() -> str:
        with pytest.raises(Conflict) as refused:
            chit.reverse(payment)
        return refused.value.code

    assert while_the_first_one_waits(lambda: chit.reverse(payment), rival) == "already_reversed"
    assert Payment.objects.filter(reverses=payment).count() == 1
    assert Transfer.objects.filter(scheme=chit.pk, kind=TransferKind.REVERSAL).count() == 1
    assert chit.ticket(2).outstanding == 1000
    assert check_ledger() == []


# -- days ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "last_of_february"),
    [(date(2026, 10, 1), date(2027, 2, 28)), (date(2027, 10, 1), date(2028, 2, 29))],
)
def test_month_end(start: date, last_of_february: date, ledger_holds: None):
    year = start.year
    days = [
        date(year, 10, 31),
        date(year, 11, 30),
        date(year, 12, 31),
        date(year + 1, 1, 31),
        last_of_february,
    ]
    chit = running_chit(5, today=start, auction_day=31)
    scheduled = Auction.objects.filter(scheme=chit.pk).order_by("installment_number")
    assert [draw.scheduled_at.astimezone(IST).date() for draw in scheduled] == days
    for _ in chit.months[:-1]:
        chit.pay_all()
        chit.hold_draw()
    dues = Installment.objects.filter(subscription=chit.ticket(1)).order_by("number")
    assert [due.due_on for due in dues] == days


@pytest.mark.django_db
def test_missed_days(ledger_holds: None):
    """The daily reminder misses three days; each of them is made up for, once and in order."""
    running_chit(3, today=TODAY - timedelta(days=10), auction_day=6)
    processed: list[date] = []

    def work(day: date) -> dict[str, int]:
        processed.append(day)
        return remind_due(day)

    run_daily("remind_due_installments", work, as_of=date(2025, 12, 31))
    run_daily("remind_due_installments", work, as_of=date(2026, 1, 4))
    run_daily("remind_due_installments", work, as_of=date(2026, 1, 4))
    assert processed == [date(2025, 12, 31), *(date(2026, 1, day) for day in (1, 2, 3, 4))]
    assert JobRun.objects.filter(status=JobStatus.DONE).count() == len(processed)
    reminders = Notification.objects.filter(event=NotificationEvent.PAYMENT_DUE)
    assert reminders.count() == 3  # one a ticket: due on the 6th, so told on the missed 3rd
