"""Moving a draw to another day: dues move with it, and nobody is late before the draw."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from accounts.models import AuditEvent
from auctions.models import AuctionStatus
from chitfund.business_date import IST, business_now
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import AccountKind
from payments.services.postponement import postpone_auction
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

USUAL, NEW = date(2026, 1, 10), date(2026, 1, 20)


def postpone(chit: Chit, month: int, at: datetime | None = None) -> None:
    postpone_auction(
        auction_id=chit.auction(month).pk, actor=chit.foreman, reason="Pongal", scheduled_at=at
    )


def test_a_draw_gets_a_new_day_with_its_usual_length():
    chit = running_chit(auction_minutes=45)
    postpone(chit, 1, datetime.combine(NEW, time(17), tzinfo=IST))
    auction = chit.auction(1)
    assert auction.status == AuctionStatus.SCHEDULED
    assert auction.scheduled_at == auction.opens_at == datetime.combine(NEW, time(17), tzinfo=IST)
    assert auction.closes_at - auction.opens_at == timedelta(minutes=45)
    assert auction.postponement_reason == "Pongal"
    assert chit.scheme.next_auction_at == auction.opens_at


def test_its_installment_becomes_due_on_the_new_day():
    chit = running_chit()
    chit.postpone(1, NEW)
    ticket = chit.ticket(2)
    assert chit.due(2, 1).due_on == NEW
    assert (ticket.oldest_unpaid_due_on, ticket.next_due_on) == (NEW, NEW)
    move_to(NEW)
    chit.open(1)
    assert chit.bid(1, 2, 300).discount == 300, "nobody is in arrears"
    move_to(day_after(NEW, 3))
    chit.pay(2, 1000)
    assert chit.due(2, 1).late_interest == 0


def test_other_months_stay_where_they_are():
    chit = running_chit()
    second = chit.draw_day(2)
    chit.postpone(1, NEW)
    assert chit.draw_day(2) == second
    chit.hold_draw(1, winner=2, discount=600)
    assert chit.due(2, 2).due_on == second


def test_an_installment_that_is_not_raised_yet_is_due_on_the_new_day_too():
    chit = running_chit()
    chit.postpone(2, date(2026, 2, 16))
    chit.hold_draw(1, winner=1, discount=200)
    assert chit.due(2, 2).due_on == date(2026, 2, 16)


def test_a_day_that_is_earlier_again_makes_nothing_due_sooner():
    chit = running_chit()
    chit.postpone(1, NEW)
    chit.postpone(1, date(2026, 1, 15))
    assert chit.draw_day(1) == date(2026, 1, 15)
    assert chit.due(2, 1).due_on == NEW


def test_everybody_is_told_once_the_foreman_too():
    chit = running_chit()
    chit.postpone(1, NEW)
    told = Notification.objects.filter(event=NotificationEvent.AUCTION_MOVED)
    assert {row.recipient for row in told} == {chit.foreman, *chit.members}
    assert told.count() == 5
    assert told[0].context["reason"] == "A holiday"
    assert told[0].context["opens_at"].startswith("2026-01-20 10:00")
    event = AuditEvent.objects.get(verb="auction.postponed")
    assert (event.actor, event.target_id) == (chit.foreman, chit.auction(1).pk)
    assert event.details["scheduled_at"].startswith("2026-01-20T10:00")


def test_a_draw_may_wait_without_a_day_and_get_one_later():
    chit = running_chit()
    chit.postpone(1)
    assert chit.auction(1).status == AuctionStatus.POSTPONED
    assert chit.due(2, 1).due_on == USUAL, "dues stay where they are until there is a day"
    told = Notification.objects.filter(event=NotificationEvent.AUCTION_POSTPONED)
    assert {row.recipient for row in told} == {chit.foreman, *chit.members}
    assert told.count() == 5
    with refused("invalid_transition"):
        chit.postpone(1)
    chit.postpone(1, NEW)
    assert chit.auction(1).status == AuctionStatus.SCHEDULED
    assert chit.hold_draw(1, winner=2, discount=600).status == AuctionStatus.SETTLED


def test_an_open_draw_without_bids_is_moved_and_its_seed_is_void():
    chit = running_chit()
    move_to(USUAL)
    chit.open(1)
    chit.postpone(1, NEW)
    auction = chit.auction(1)
    assert (auction.status, auction.seed, auction.seed_hash) == (AuctionStatus.SCHEDULED, "", "")
    assert auction.opened_at is None


def test_a_draw_with_bids_is_not_moved():
    chit = running_chit()
    move_to(USUAL)
    chit.open(1)
    chit.bid(1, 2, 300)
    for day in (None, NEW):
        with refused("wrong_state") as refusal:
            chit.postpone(1, day)
    assert "Bids were placed" in refusal.value.message


def test_a_settled_draw_is_not_moved():
    chit = running_chit()
    chit.hold_draw(1, winner=2, discount=600)
    with refused("wrong_state"):
        chit.postpone(1, date(2026, 3, 1))


def test_a_new_day_lies_in_the_future_and_within_a_year():
    chit = running_chit()
    for days in (-3, 0, 367):
        at = business_now() + timedelta(days=days)
        with refused("invalid", field="scheduled_at"):
            postpone(chit, 1, at)


def test_a_draw_is_not_held_before_an_earlier_one():
    chit = running_chit()
    with refused("invalid", field="scheduled_at"):
        chit.postpone(2, date(2026, 1, 9))
    chit.postpone(2, date(2026, 1, 11))
    assert chit.draw_day(2) == date(2026, 1, 11)


def test_a_draw_that_is_held_after_the_next_due_day_empties_its_own_pot_only():
    chit = running_chit()
    chit.postpone(1, date(2026, 2, 20))
    chit.pay_all()
    auction = chit.hold_draw(1, winner=2, discount=600)
    assert auction.settled_on == date(2026, 2, 20)
    assert chit.due(2, 2).due_on == date(2026, 2, 20), "not before it was raised"
    assert chit.head(AccountKind.CHIT) == 4000


def test_the_foremans_month_may_move_as_well():
    chit = running_chit(foreman_installment=1)
    chit.postpone(1, NEW)
    with refused("wrong_state"):
        chit.close(1)
    assert chit.hold_draw(1).status == AuctionStatus.SETTLED


def test_an_auction_that_does_not_exist_is_not_found():
    chit = running_chit()
    with refused("not_found"):
        postpone_auction(auction_id=new_id(), actor=chit.foreman, reason="what")
