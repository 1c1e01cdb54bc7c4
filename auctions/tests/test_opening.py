"""Opening a draw: on its day, in its order, for its time (design.md 5.4, "Times")."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEvent
from auctions.models import Auction, AuctionStatus
from auctions.services import open_auction
from chitfund.business_date import IST, business_now
from chitfund.db import new_id
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = pytest.mark.django_db


def chit_on_its_day(month: int = 1, **terms) -> Chit:
    chit = running_chit(**terms)
    move_to(chit.draw_day(month))
    return chit


def announce(chit: Chit, *, opens_in: int, lasts: int, month: int = 1) -> datetime:
    """Announce a draw for some minutes from now; return when it is to end."""
    opens_at = business_now() + timedelta(minutes=opens_in)
    closes_at = opens_at + timedelta(minutes=lasts)
    Auction.objects.filter(pk=chit.auction(month).pk).update(opens_at=opens_at, closes_at=closes_at)
    return closes_at


def by_the_clock(chit: Chit, month: int = 1) -> Auction:
    return open_auction(auction_id=chit.auction(month).pk, actor=None)


# -- the schedule ----------------------------------------------------------------------


def test_commencement_schedules_one_draw_a_month_with_the_terms_of_its_bids():
    chit = running_chit(3, auction_day=31, auction_time=time(16, 30), auction_minutes=45)
    auctions = [chit.auction(month) for month in chit.months]
    assert [auction.scheduled_at.astimezone(IST) for auction in auctions] == [
        datetime(2026, 1, 31, 16, 30, tzinfo=IST),
        datetime(2026, 2, 28, 16, 30, tzinfo=IST),
        datetime(2026, 3, 31, 16, 30, tzinfo=IST),
    ]
    for auction in auctions:
        assert auction.status == AuctionStatus.SCHEDULED
        assert auction.closes_at - auction.opens_at == timedelta(minutes=45)
        assert (auction.min_discount, auction.max_discount, auction.bid_step) == (150, 900, 50)


def test_the_cap_covers_a_commission_that_is_charged_on_top():
    chit = running_chit(commission_mode="ON_TOP")
    assert (chit.auction(1).min_discount, chit.auction(1).max_discount) == (0, 1000)


# -- the day and the hour --------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 1])
def test_a_draw_is_opened_by_hand_on_its_day_only(days):
    chit = running_chit()
    move_to(day_after(chit.draw_day(1), days))
    with refused("not_the_day"):
        chit.open(1)


def test_by_hand_a_draw_may_open_before_its_hour():
    chit = chit_on_its_day()
    ends = announce(chit, opens_in=120, lasts=60)
    auction = chit.open(1)
    assert auction.status == AuctionStatus.OPEN
    assert auction.opens_at == auction.opened_at
    assert auction.closes_at == ends, "the announced end stands"


def test_the_clock_opens_a_draw_at_its_hour_and_not_before():
    chit = chit_on_its_day()
    announce(chit, opens_in=1, lasts=60)
    with refused("wrong_state"):
        by_the_clock(chit)
    announce(chit, opens_in=-1, lasts=60)
    assert by_the_clock(chit).status == AuctionStatus.OPEN


def test_the_clock_does_not_open_a_draw_that_missed_its_day():
    chit = running_chit()
    move_to(day_after(chit.draw_day(1)))
    with refused("not_the_day"):
        by_the_clock(chit)


def test_bidders_get_the_agreed_minutes_however_late_it_is_opened():
    chit = chit_on_its_day(auction_minutes=30)
    announce(chit, opens_in=-50, lasts=30)
    auction = chit.open(1)
    assert auction.closes_at - auction.opened_at == timedelta(minutes=30)


def test_a_draw_that_moved_opens_on_its_new_day():
    chit = running_chit()
    chit.postpone(1, date(2026, 1, 20))
    move_to(date(2026, 1, 10))
    with refused("not_the_day"):
        chit.open(1)
    move_to(date(2026, 1, 20))
    assert chit.open(1).status == AuctionStatus.OPEN


# -- the order, the state --------------------------------------------------------------


def test_draws_are_opened_in_their_order():
    chit = chit_on_its_day(month=2)
    with refused("earlier_draw_open"):
        chit.open(2)
    chit.postpone(1, day_after(chit.draw_day(2)))
    with refused("earlier_draw_open"):
        chit.open(2)


def test_the_foremans_own_month_is_not_opened():
    chit = chit_on_its_day(foreman_installment=1)
    with refused("wrong_state") as refusal:
        chit.open(1)
    assert "foreman's chit" in refusal.value.message


@pytest.mark.parametrize("state", ["open", "settled", "postponed"])
def test_only_a_scheduled_draw_is_opened(state):
    chit = chit_on_its_day()
    if state == "postponed":
        chit.postpone(1)
    else:
        chit.open(1)
    if state == "settled":
        chit.close(1)
    with refused("invalid_transition"):
        chit.open(1)


def test_no_draw_of_a_chit_that_is_completed_is_opened():
    chit = running_chit(2, commission_percent=Decimal(0))
    chit.play_to_the_end()
    with refused("wrong_state"):
        chit.open(1)


def test_an_auction_that_does_not_exist_is_not_found():
    chit = chit_on_its_day()
    with refused("not_found"):
        open_auction(auction_id=new_id(), actor=chit.foreman)


# -- the seed --------------------------------------------------------------------------


def test_opening_draws_a_secret_seed_and_publishes_its_hash():
    chit = chit_on_its_day()
    assert (chit.auction(1).seed, chit.auction(1).seed_hash) == ("", "")
    auction = chit.open(1)
    assert len(auction.seed) == 64
    assert auction.seed_hash == hashlib.sha256(auction.seed.encode()).hexdigest()
    event = AuditEvent.objects.get(verb="auction.opened")
    assert (event.actor, event.target_id) == (chit.foreman, auction.pk)
    assert event.details == {"installment_number": 1, "seed_hash": auction.seed_hash}


def test_every_opening_has_a_seed_of_its_own():
    chit = chit_on_its_day()
    first = chit.open(1).seed
    chit.postpone(1, day_after(chit.draw_day(1)))
    assert chit.auction(1).seed_hash == "", "the promise of a draw that was not held is void"
    move_to(chit.draw_day(1))
    assert chit.open(1).seed != first
