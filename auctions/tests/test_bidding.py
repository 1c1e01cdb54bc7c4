"""Bids: what stands, and every reason why one is refused (design.md 5.4, "Bids")."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, KycStatus, User, UserStatus
from accounts.tests.factories import UserFactory
from auctions.models import Auction, AuctionStatus, Bid
from auctions.services import place_bid
from chitfund.business_date import business_now
from chitfund.db import new_id
from payments.models import PaymentMethod
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused
from subscriptions.models import Subscription, SubscriptionStatus

pytestmark = pytest.mark.django_db

# Four tickets of 1,000: the lowest bid is the commission of 200, the highest 30 %, the step 50.
LOWEST, HIGHEST = 200, 1200


def bidding(month: int = 1, **terms) -> Chit:
    """Return a chit in which bidding is open on the day of its draw."""
    chit = running_chit(**terms)
    for earlier in range(1, month):
        chit.pay_all()
        chit.hold_draw(earlier, winner=earlier, discount=LOWEST)
    move_to(chit.draw_day(month))
    chit.open(month)
    return chit


def holder_of(chit: Chit, number: int, **changes) -> None:
    User.objects.filter(pk=chit.ticket(number).subscriber_id).update(**changes)


def set_ticket(chit: Chit, number: int, **changes) -> None:
    Subscription.objects.filter(pk=chit.ticket(number).pk).update(**changes)


# -- figures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("discount", "code"),
    [
        ("199.99", "below_minimum"),
        ("150", "below_minimum"),
        ("0", "below_minimum"),
        ("1200.01", "above_cap"),
        ("1250", "above_cap"),
        ("225", "wrong_step"),
        ("250.01", "wrong_step"),
    ],
)
def test_a_figure_outside_the_terms_is_refused(discount, code):
    chit = bidding()
    with refused(code, field="discount"):
        chit.bid(1, 2, discount)


@pytest.mark.parametrize("discount", [LOWEST, HIGHEST])
def test_exactly_the_minimum_and_the_cap_may_be_off_the_step(discount):
    chit = bidding(bid_step=Decimal(70))
    with refused("wrong_step", field="discount"):
        chit.bid(1, 2, 250)
    assert chit.bid(1, 2, discount).discount == discount


def test_a_minimum_that_the_scheme_sets_higher_is_the_minimum():
    chit = bidding(min_discount_percent=Decimal(10))
    with refused("below_minimum", field="discount"):
        chit.bid(1, 2, 350)
    assert chit.bid(1, 2, 400).discount == 400


def test_commission_above_seven_percent_of_the_chit_is_refused_at_the_bid():
    chit = bidding(commission_base="DISCOUNT", commission_percent=Decimal(40))
    with refused("commission_above_law", field="discount"):
        chit.bid(1, 2, 750)
    assert chit.bid(1, 2, 700).discount == 700


# -- against the leader ----------------------------------------------------------------


@pytest.mark.parametrize("discount", [400, 350])
def test_a_bid_has_to_be_above_the_leader(discount):
    chit = bidding()
    chit.bid(1, 2, 400)
    with refused("not_above_leader") as refusal:
        chit.bid(1, 3, discount)
    assert "₹400" in refusal.value.message
    assert chit.bid(1, 3, 450).discount == 450


def test_the_highest_bid_leads():
    chit = bidding()
    chit.bid(1, 2, 400)
    chit.bid(1, 3, 450)
    auction = chit.auction(1)
    assert (auction.leading_discount, auction.leading_subscription) == (450, chit.ticket(3))


def test_several_tickets_may_bid_the_cap_and_each_once():
    chit = bidding()
    for number in (2, 3, 4):
        chit.bid(1, number, HIGHEST)
    assert Bid.objects.filter(discount=HIGHEST).count() == 3
    assert chit.auction(1).leading_subscription == chit.ticket(2)
    for number in (2, 4):
        with refused("already_at_cap"):
            chit.bid(1, number, HIGHEST)


def test_below_the_cap_nobody_bids_once_it_is_reached():
    chit = bidding()
    chit.bid(1, 2, HIGHEST)
    for number in (2, 3):
        with refused("not_above_leader"):
            chit.bid(1, number, HIGHEST - 50)


@pytest.mark.parametrize("discount", [450, HIGHEST])
def test_the_leader_cannot_raise_against_itself(discount):
    chit = bidding()
    chit.bid(1, 2, 400)
    with refused("already_leading"):
        chit.bid(1, 2, discount)


def test_two_tickets_of_one_person_bid_against_each_other():
    chit = Chit.sanctioned(tickets=3)
    for number in (1, 2):
        chit.enrol(number, chit.members[0])
    chit.enrol(3)
    chit.commence()
    move_to(chit.draw_day(1))
    chit.open(1)
    chit.bid(1, 1, 200)
    assert chit.bid(1, 2, 250).placed_by == chit.members[0]


# -- the ticket and its holder ---------------------------------------------------------


def test_a_prized_ticket_does_not_bid_again():
    chit = bidding(month=2)
    with refused("prized"):
        chit.bid(2, 1, 300)


def test_a_ticket_in_default_does_not_bid():
    chit = bidding()
    set_ticket(chit, 2, status=SubscriptionStatus.DEFAULTED)
    with refused("in_default"):
        chit.bid(1, 2, 300)


def test_a_ticket_in_arrears_bids_when_its_dues_are_paid_and_not_before():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=LOWEST)
    move_to(chit.draw_day(2))
    chit.open(2)
    with refused("in_arrears"):
        chit.bid(2, 2, 300)
    chit.pay(2, 999)
    with refused("in_arrears"):
        chit.bid(2, 2, 300)
    chit.pay(2, 1)
    assert chit.bid(2, 2, 300).discount == 300


def test_arrears_are_asked_as_of_the_day_of_the_draw_although_midnight_has_passed():
    chit = bidding()
    move_to(day_after(chit.draw_day(1)))
    Auction.objects.filter(pk=chit.auction(1).pk).update(
        closes_at=business_now() + timedelta(hours=1)
    )
    assert chit.bid(1, 2, 300).discount == 300


def test_an_installment_that_is_due_today_is_no_arrears():
    chit = bidding()
    assert chit.ticket(2).oldest_unpaid_due_on == chit.draw_day(1)
    assert chit.bid(1, 2, 300).discount == 300


def test_a_cheque_counts_when_it_is_cleared():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=LOWEST)
    move_to(chit.draw_day(2))
    cheque = chit.pay(2, 2000, method=PaymentMethod.CHEQUE)
    chit.open(2)
    with refused("in_arrears"):
        chit.bid(2, 2, 300)
    chit.confirm(cheque)
    assert chit.bid(2, 2, 300).discount == 300


@pytest.mark.parametrize(
    "changes",
    [
        {"status": UserStatus.SUSPENDED},
        {"kyc_status": KycStatus.NONE},
        {"kyc_status": KycStatus.PENDING},
        {"kyc_status": KycStatus.REJECTED},
    ],
)
def test_a_holder_who_is_suspended_or_not_verified_any_more_does_not_bid(changes):
    chit = bidding()
    holder_of(chit, 2, **changes)
    with refused("forbidden"):
        chit.bid(1, 2, 300)
    with refused("forbidden"):
        bid_for(chit, 2, actor=chit.foreman)


def bid_for(chit: Chit, number: int, *, actor: User, discount: int = 300) -> Bid:
    return place_bid(
        auction_id=chit.auction(1).pk,
        subscription_id=chit.ticket(number).pk,
        discount=Decimal(discount),
        actor=actor,
    )


def test_the_foremans_ticket_does_not_bid():
    chit = bidding(foreman_installment=2)
    with refused("forbidden"):
        bid_for(chit, 1, actor=chit.foreman)


@pytest.mark.parametrize("who", ["another member", "a stranger", "an administrator"])
def test_nobody_bids_with_a_ticket_of_somebody_else(who):
    chit = bidding()
    actor = {
        "another member": chit.members[2],
        "a stranger": UserFactory.create(kyc_verified=True),
        "an administrator": chit.asha,
    }[who]
    with refused("not_found"):
        bid_for(chit, 2, actor=actor)


def test_a_ticket_of_another_chit_is_not_found():
    other, chit = running_chit(2), bidding()
    with refused("not_found"):
        place_bid(
            auction_id=chit.auction(1).pk,
            subscription_id=other.ticket(1).pk,
            discount=Decimal(300),
            actor=other.members[0],
        )


def test_an_auction_that_does_not_exist_is_not_found():
    chit = bidding()
    with refused("not_found"):
        place_bid(
            auction_id=new_id(),
            subscription_id=chit.ticket(2).pk,
            discount=Decimal(300),
            actor=chit.members[1],
        )


# -- the auction -----------------------------------------------------------------------


def test_nobody_bids_before_the_auction_is_open():
    chit = running_chit()
    move_to(chit.draw_day(1))
    with refused("auction_not_open"):
        chit.bid(1, 2, 300)


def test_nobody_bids_in_a_postponed_auction():
    chit = bidding()
    chit.postpone(1)
    with refused("auction_not_open"):
        chit.bid(1, 2, 300)


def test_nobody_bids_after_the_auction_is_settled():
    chit = bidding()
    chit.close(1)
    with refused("auction_not_open"):
        chit.bid(1, next(iter(unprized(chit))), 300)


def unprized(chit: Chit) -> list[int]:
    return [ticket.ticket_number for ticket in chit.tickets() if not ticket.is_prized]


def test_nobody_bids_when_the_time_is_over_although_nobody_has_closed_the_auction():
    chit = bidding()
    now = business_now()
    Auction.objects.filter(pk=chit.auction(1).pk).update(
        opens_at=now - timedelta(minutes=2), closes_at=now - timedelta(minutes=1)
    )
    with refused("auction_not_open"):
        chit.bid(1, 2, 300)
    assert chit.auction(1).status == AuctionStatus.OPEN


# -- what a bid leaves behind ----------------------------------------------------------


def test_a_bid_is_kept_with_who_placed_it_and_audited_without_a_name():
    chit = bidding()
    bid = chit.bid(1, 2, 300)
    assert (bid.placed_by, bid.is_proxy) == (chit.members[1], False)
    event = AuditEvent.objects.get(verb="bid.placed")
    assert (event.actor, event.target_id) == (chit.members[1], bid.pk)
    assert event.details == {"auction": str(chit.auction(1).pk), "ticket": 2, "discount": "300"}


def test_the_foreman_bids_by_proxy_and_the_bid_says_so():
    chit = bidding()
    bid = bid_for(chit, 2, actor=chit.foreman)
    assert (bid.is_proxy, bid.placed_by, bid.subscription) == (True, chit.foreman, chit.ticket(2))


def test_a_bid_moves_no_money():
    chit = bidding()
    before = chit.cash, chit.ticket(2).outstanding
    chit.bid(1, 2, 300)
    assert (chit.cash, chit.ticket(2).outstanding) == before
