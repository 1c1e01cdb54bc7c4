"""Draws that open, close and move by themselves, and reminders of what is due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.models import JobRun, JobStatus
from accounts.tasks import run_job
from auctions.models import Auction, AuctionStatus, Method
from auctions.services import open_auction
from chitfund.beat import CELERY_BEAT_SCHEDULE
from chitfund.business_date import business_now
from notifications.models import Notification, NotificationEvent
from payments.models import Installment, PaymentMethod
from payments.services import reminders
from payments.services.reminders import remind_due_installments
from payments.tasks import hold_auctions_on_time
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

DUE = date(2026, 1, 10)


def set_times(chit: Chit, month: int = 1, *, opens_in: int, closes_in: int) -> None:
    """Set the hours of a draw, in minutes from now."""
    now = business_now()
    Auction.objects.filter(pk=chit.auction(month).pk).update(
        opens_at=now + timedelta(minutes=opens_in), closes_at=now + timedelta(minutes=closes_in)
    )


def due_to_open(**terms) -> Chit:
    chit = running_chit(**terms)
    move_to(chit.draw_day(1))
    set_times(chit, opens_in=-1, closes_in=59)
    return chit


def ended() -> Chit:
    """Return a chit whose draw is open, has a bid, and ended a minute ago."""
    chit = due_to_open()
    chit.open(1)
    chit.bid(1, 2, 600)
    set_times(chit, opens_in=-60, closes_in=-1)
    return chit


# -- draws -----------------------------------------------------------------------------


def test_beat_holds_the_draws_every_minute():
    entry = CELERY_BEAT_SCHEDULE["hold_auctions_on_time"]
    assert (entry["task"], entry["schedule"]) == (hold_auctions_on_time.name, 60.0)


def test_a_draw_opens_at_its_hour():
    chit = due_to_open()
    assert hold_auctions_on_time() == {"opened": 1, "closed": 0}
    auction = chit.auction(1)
    assert (auction.status, auction.closed_by) == (AuctionStatus.OPEN, None)
    assert len(auction.seed_hash) == 64


@pytest.fixture
def touched(monkeypatch) -> list[str]:
    """Note which draws are tried, and let none be: a chit that is not due is not even locked."""
    tried: list[str] = []
    for name in ("open_auction", "close_auction"):
        monkeypatch.setattr(
            f"payments.tasks.{name}", lambda *, auction_id, actor, name=name: tried.append(name)
        )
    return tried


def test_nothing_happens_before_the_hour(touched):
    chit = due_to_open()
    set_times(chit, opens_in=1, closes_in=61)
    before = everything()
    assert hold_auctions_on_time() == {"opened": 0, "closed": 0}
    assert everything() == before
    assert touched == []


def test_a_draw_is_settled_when_its_time_is_over():
    chit = ended()
    assert hold_auctions_on_time() == {"opened": 0, "closed": 1}
    auction = chit.auction(1)
    assert (auction.status, auction.winner, auction.closed_by) == (
        AuctionStatus.SETTLED,
        chit.ticket(2),
        None,
    )


def test_an_open_draw_is_left_alone_until_its_end(touched):
    chit = due_to_open()
    chit.open(1)
    assert hold_auctions_on_time() == {"opened": 0, "closed": 0}
    assert chit.auction(1).status == AuctionStatus.OPEN
    assert touched == []


@pytest.mark.parametrize("make", [due_to_open, ended])
def test_running_again_does_nothing_more(make):
    make()
    hold_auctions_on_time()
    before = everything()
    assert hold_auctions_on_time() == {"opened": 0, "closed": 0}
    assert everything() == before


def test_the_foremans_month_is_settled_at_its_hour():
    chit = due_to_open(foreman_installment=1)
    assert hold_auctions_on_time() == {"opened": 1, "closed": 0}
    assert chit.auction(1).method == Method.FOREMAN
    assert chit.scheme.next_auction_at == chit.auction(2).opens_at


def test_a_draw_that_missed_its_day_is_postponed_and_everybody_told():
    chit = running_chit()
    move_to(day_after(chit.draw_day(1)))
    assert hold_auctions_on_time() == {"opened": 1, "closed": 0}
    auction = chit.auction(1)
    assert auction.status == AuctionStatus.POSTPONED
    assert "did not hold" in auction.postponement_reason
    told = Notification.objects.filter(event=NotificationEvent.AUCTION_POSTPONED)
    assert {row.recipient for row in told} == {chit.foreman, *chit.members}
    assert hold_auctions_on_time() == {"opened": 0, "closed": 0}
    assert told.count() == 5


def test_a_foremans_month_that_missed_its_day_is_settled_all_the_same():
    chit = running_chit(foreman_installment=1)
    move_to(day_after(chit.draw_day(1), 3))
    hold_auctions_on_time()
    assert chit.auction(1).status == AuctionStatus.SETTLED


def test_a_draw_with_nobody_eligible_is_postponed_at_its_end():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    move_to(chit.draw_day(2))
    chit.open(2)
    set_times(chit, 2, opens_in=-60, closes_in=-1)
    assert hold_auctions_on_time() == {"opened": 0, "closed": 1}
    assert chit.auction(2).status == AuctionStatus.POSTPONED


def test_a_draw_that_has_to_wait_does_not_hold_up_the_others():
    waits = running_chit(2)
    waits.postpone(1)
    ready = running_chit(2, today=date(2026, 2, 5))
    move_to(date(2026, 2, 10))
    set_times(waits, 2, opens_in=-2, closes_in=59)
    set_times(ready, 1, opens_in=-1, closes_in=59)
    assert hold_auctions_on_time() == {"opened": 1, "closed": 0}
    assert waits.auction(2).status == AuctionStatus.SCHEDULED
    assert ready.auction(1).status == AuctionStatus.OPEN


def test_a_draw_that_breaks_is_logged_and_does_not_stop_the_others(monkeypatch, caplog):
    broken, sound = due_to_open(tickets=2), due_to_open(tickets=2)

    def open_or_break(*, auction_id, actor):
        if auction_id == broken.auction(1).pk:
            raise ZeroDivisionError
        return open_auction(auction_id=auction_id, actor=actor)

    monkeypatch.setattr("payments.tasks.open_auction", open_or_break)
    assert hold_auctions_on_time() == {"opened": 1, "closed": 0}
    assert sound.auction(1).status == AuctionStatus.OPEN
    assert [record.action for record in caplog.records] == ["auction.failed"]


def test_a_whole_life_is_held_by_the_clock():
    chit = running_chit(2, foreman_installment=1)
    for month in chit.months:
        move_to(chit.draw_day(month))
        chit.pay_all()
        set_times(chit, month, opens_in=-1, closes_in=59)
        hold_auctions_on_time()
        if month == 2:
            set_times(chit, month, opens_in=-60, closes_in=-1)
            hold_auctions_on_time()
    assert [chit.auction(month).method for month in chit.months] == [
        Method.FOREMAN,
        Method.SOLE_TICKET,
    ]
    assert chit.scheme.next_auction_at is None


# -- reminders -------------------------------------------------------------------------


def reminded() -> list[Notification]:
    return list(Notification.objects.filter(event=NotificationEvent.PAYMENT_DUE).order_by("id"))


def test_a_due_is_reminded_of_three_days_before_and_not_sooner():
    chit = running_chit()
    assert remind_due_installments(as_of=day_after(DUE, -4)) == 0
    assert remind_due_installments(as_of=day_after(DUE, -3)) == 4
    assert {row.recipient for row in reminded()} == set(chit.members)
    assert reminded()[0].context["due_on"] == "2026-01-10"


def test_a_due_is_reminded_of_once(django_assert_num_queries):
    running_chit()
    remind_due_installments(as_of=day_after(DUE, -3))
    for day in (day_after(DUE, -3), DUE, day_after(DUE, 30)):
        with django_assert_num_queries(1):
            assert remind_due_installments(as_of=day) == 0
    assert len(reminded()) == 4


def test_what_is_paid_is_not_even_looked_at(django_assert_num_queries):
    running_chit().pay_all()
    with django_assert_num_queries(1):
        assert remind_due_installments(as_of=DUE) == 0


def test_a_day_that_was_missed_is_caught_up():
    running_chit()
    assert remind_due_installments(as_of=day_after(DUE, 10)) == 4


def test_a_paid_due_is_never_reminded_of_and_a_part_asks_for_the_rest():
    chit = running_chit()
    chit.pay(1, 1000)
    chit.pay(2, 400)
    chit.pay(3, 1000, method=PaymentMethod.CHEQUE)
    assert remind_due_installments(as_of=DUE) == 3
    asked = {row.recipient: row.context["amount"] for row in reminded()}
    assert asked == {
        chit.members[1]: "600.00",
        chit.members[2]: "1000.00",
        chit.members[3]: "1000.00",
    }


def test_a_due_that_is_paid_or_reminded_of_meanwhile_is_left_alone():
    chit = running_chit()
    paid, told = chit.due(1, 1), chit.due(2, 1)
    chit.pay(1, 1000)
    Installment.objects.filter(pk=told.pk).update(reminded_at=business_now())
    assert [reminders._remind(due.pk) for due in (paid, told)] == [False, False]
    assert reminded() == []


def test_a_chit_that_is_completed_reminds_nobody():
    chit = running_chit(2)
    chit.play_to_the_end()
    assert remind_due_installments(as_of=date(2027, 1, 1)) == 0


def test_the_daily_job_reminds_and_keeps_how_many():
    running_chit()
    move_to(DUE)
    run_job("remind_due_installments")
    run_job("remind_due_installments")
    run = JobRun.objects.get(job="remind_due_installments", business_date=DUE)
    assert (run.status, run.result) == (JobStatus.DONE, {"reminded": 4})
    assert len(reminded()) == 4
