"""The result of an auction that was held in a room (ss. 16, 17)."""

from __future__ import annotations

import pytest

from accounts.models import KycStatus, User
from auctions.minutes import minutes_of
from auctions.models import AuctionStatus, Method
from chitfund.db import new_id
from payments.services.settlement import record_auction
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def on_its_day(**terms) -> Chit:
    chit = running_chit(**terms)
    move_to(chit.draw_day(1))
    return chit


@pytest.mark.parametrize(
    ("method", "discount", "prize"),
    [(Method.BID, 600, 3400), (Method.LOT_AT_CAP, 1200, 2800), (Method.LOT_NO_BID, 200, 3800)],
)
def test_a_recorded_result_is_settled_as_if_it_was_bid_online(method, discount, prize):
    chit = on_its_day()
    auction = chit.record(1, 3, discount, method=method)
    assert (auction.status, auction.is_recorded) == (AuctionStatus.SETTLED, True)
    assert (auction.method, auction.winner, auction.prize_amount) == (
        method,
        chit.ticket(3),
        prize,
    )
    assert chit.payout(1).net_amount == prize - 36
    assert chit.due(1, 2).gross == 1000


def test_who_was_present_is_kept_and_minuted():
    chit = on_its_day()
    chit.record(1, 3, 600, present=3)
    auction = chit.auction(1)
    assert auction.attendance == ["Member 0", "Member 1", "Member 2"]
    minutes = minutes_of(auction)
    assert minutes["present"] == auction.attendance
    assert (minutes["winner"], minutes["discount"]) == ({"ticket_number": 3}, 600)


@pytest.mark.parametrize("present", [[], ["Asha"], ["Asha", " Asha "]])
def test_two_different_subscribers_are_the_quorum(present):
    chit = on_its_day()
    with refused("invalid", field="attendance"):
        record_auction(
            auction_id=chit.auction(1).pk,
            actor=chit.foreman,
            subscription_id=chit.ticket(3).pk,
            discount=chit.auction(1).min_discount,
            attendance=present,
        )


@pytest.mark.parametrize(
    ("method", "discount", "code"),
    [
        (Method.LOT_AT_CAP, 1150, "invalid"),
        (Method.LOT_NO_BID, 250, "invalid"),
        (Method.BID, 225, "wrong_step"),
        (Method.BID, 150, "below_minimum"),
        (Method.BID, 1250, "above_cap"),
    ],
)
def test_a_figure_that_the_method_cannot_bring_is_refused(method, discount, code):
    chit = on_its_day()
    with refused(code, field="discount"):
        chit.record(1, 3, discount, method=method)


def test_a_result_is_recorded_on_its_day_or_later_and_not_before():
    chit = running_chit()
    with refused("wrong_state"):
        chit.record(1, 3, 600)
    move_to(day_after(chit.draw_day(1), 2))
    chit.pay_all()
    move_to(day_after(chit.draw_day(1), 4))
    assert chit.record(1, 3, 600).status == AuctionStatus.SETTLED


def test_an_open_auction_may_be_recorded_as_long_as_nobody_has_bid():
    chit = on_its_day()
    chit.open(1)
    chit.bid(1, 2, 300)
    with refused("wrong_state") as refusal:
        chit.record(1, 3, 600)
    assert "Bids were placed" in refusal.value.message


@pytest.mark.parametrize("state", ["postponed", "settled"])
def test_only_a_draw_that_waits_is_recorded(state):
    chit = on_its_day()
    if state == "postponed":
        chit.postpone(1)
    else:
        chit.record(1, 2, 600)
    with refused("wrong_state"):
        chit.record(1, 3, 600)


def test_the_foremans_month_is_not_recorded():
    chit = on_its_day(foreman_installment=1)
    with refused("wrong_state"):
        chit.record(1, 3, 600)


def test_draws_are_recorded_in_their_order():
    chit = running_chit()
    move_to(chit.draw_day(2))
    with refused("earlier_draw_open"):
        chit.record(2, 3, 600)


def test_a_ticket_that_could_not_have_bid_cannot_have_won():
    chit = on_its_day()
    chit.record(1, 1, 600)
    move_to(chit.draw_day(2))
    with refused("prized"):
        chit.record(2, 1, 600)
    with refused("in_arrears"):
        chit.record(2, 3, 600)
    chit.pay(3)
    User.objects.filter(pk=chit.members[2].pk).update(kyc_status=KycStatus.REJECTED)
    with refused("forbidden"):
        chit.record(2, 3, 600)


def test_the_foremans_ticket_cannot_have_won():
    chit = on_its_day(foreman_installment=2)
    with refused("forbidden"):
        chit.record(1, 1, 600)


def test_a_ticket_of_another_chit_is_not_found():
    other, chit = running_chit(2), on_its_day()
    for ticket in (other.ticket(1).pk, new_id()):
        with refused("not_found"):
            record_auction(
                auction_id=chit.auction(1).pk,
                actor=chit.foreman,
                subscription_id=ticket,
                discount=chit.auction(1).min_discount,
                attendance=["Asha", "Ravi"],
            )
