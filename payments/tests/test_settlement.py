"""Settling a draw: who wins and how, what is posted, who is told, and that it stays so."""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.models import AuditEvent, KycStatus, User
from accounts.tests.api import client_for
from auctions.models import Auction, AuctionStatus, Bid, Method
from auctions.services import place_bid
from chitfund.business_date import IST, business_now
from chitfund.db import new_id
from chitfund.exceptions import DomainError
from chitfund.testing import in_own_connection, wait_for_blocked_query
from notifications.models import Notification, NotificationEvent
from payments.models import AccountKind, PayoutStatus, PrizePayout, Transfer, TransferKind
from payments.services.postponement import postpone_auction
from payments.services.settlement import close_auction, order_draw_among_arrears
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused
from schemes.models import TERMS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

# Four tickets of 1,000 rupees: commission 200, GST 18 % of it, highest discount 1,200.


def on_its_day(month: int = 1, **terms) -> Chit:
    """Return a chit whose earlier draws are held and whose next one is open today."""
    chit = running_chit(**terms)
    for earlier in range(1, month):
        chit.pay_all()
        chit.hold_draw(earlier, winner=earlier, discount=200)
    move_to(chit.draw_day(month))
    chit.open(month)
    return chit


def posted(chit: Chit, month: int) -> dict[str, Decimal]:
    """Return what the settlement of a month posted, summed by kind."""
    entry = Transfer.objects.get(
        scheme=chit.pk, kind=TransferKind.PRIZE_AWARDED, installment_number=month
    ).entry
    sums: Counter[str] = Counter()
    for transfer in Transfer.objects.filter(entry=entry):
        sums[transfer.kind] += transfer.amount
    return dict(sums)


def drawn_again(auction: dict) -> int:
    """Draw a lot again from what the API shows, by the rule that the minutes print."""
    tickets, counter = sorted(auction["lot_tickets"]), 0
    while True:
        text = f"{auction['seed']}:{auction['id']}:{counter}"
        number = int(hashlib.sha256(text.encode()).hexdigest(), 16)
        if number < 2**256 - 2**256 % len(tickets):
            return tickets[number % len(tickets)]
        counter += 1


def as_a_member_sees(chit: Chit, month: int) -> dict:
    path = f"/api/auctions/{chit.auction(month).pk}"
    return client_for(chit.members[0]).get(path).json()


# -- the highest bid -------------------------------------------------------------------


def test_the_highest_bid_wins_and_the_month_is_divided_to_the_paisa():
    chit = on_its_day()
    chit.bid(1, 3, 400)
    chit.bid(1, 2, 600)
    auction = chit.close(1)

    assert (auction.status, auction.method, auction.winner) == (
        AuctionStatus.SETTLED,
        Method.BID,
        chit.ticket(2),
    )
    assert (auction.discount, auction.prize_amount, auction.commission) == (600, 3400, 200)
    assert (auction.tax_percent, auction.tax) == (18, 36)
    assert (auction.dividend_pool, auction.recipients, auction.residue) == (400, 4, 0)
    assert auction.dividend_per_ticket == 100
    assert (auction.closed_by, auction.settled_on) == (chit.foreman, chit.draw_day(1))
    assert posted(chit, 1) == {
        TransferKind.PRIZE_AWARDED: 3400,
        TransferKind.COMMISSION: 200,
        TransferKind.POOL: 400,
        TransferKind.TAX: 36,
        TransferKind.INSTALLMENT_RAISED: 4000,
        TransferKind.DIVIDEND: 400,
    }
    assert chit.head(AccountKind.CHIT) == 4000, "the pot of month 1 is empty, that of month 2 full"


def test_the_winner_is_prized_from_the_draw_and_owed_the_prize_less_tax():
    chit = on_its_day()
    chit.bid(1, 2, 600)
    chit.close(1)
    assert chit.ticket(2).prized_installment == 1
    assert chit.ticket(2).prized_at.astimezone(IST).date() == chit.draw_day(1)
    payout = chit.payout(1)
    assert (payout.prize_amount, payout.tax, payout.set_off) == (3400, 36, 0)
    assert payout.net_amount == 3364
    assert (payout.status, payout.payee) == (PayoutStatus.PENDING, chit.members[1])


def test_settling_raises_the_next_installment_and_moves_on_to_the_next_draw():
    chit = on_its_day()
    chit.bid(1, 2, 600)
    chit.close(1)
    due = chit.due(1, 2)
    assert (due.gross, due.dividend, due.due) == (1000, 100, 900)
    assert (due.raised_on, due.due_on) == (chit.draw_day(1), chit.draw_day(2))
    assert chit.scheme.next_auction_at == chit.auction(2).opens_at


def test_after_the_last_draw_nothing_is_raised_and_no_draw_follows():
    chit = running_chit(2)
    for month in chit.months:
        chit.pay_all()
        chit.hold_draw(month)
    assert chit.scheme.installments.count() == 4
    assert chit.scheme.next_auction_at is None
    assert chit.head(AccountKind.CHIT) == 0


def test_every_holder_is_told_once_and_the_winner_of_the_prize():
    chit = Chit.sanctioned(tickets=3)
    for number in (1, 2):
        chit.enrol(number, chit.members[0])
    chit.enrol(3)
    chit.commence()
    chit.hold_draw(1, winner=3, discount=450)
    told = Notification.objects.filter(event=NotificationEvent.AUCTION_RESULT)
    assert {row.recipient for row in told} == {chit.members[0], chit.members[2]}
    assert told.count() == 2
    assert told[0].context["winning_ticket"] == "3"
    ready = Notification.objects.get(event=NotificationEvent.PRIZE_READY)
    assert (ready.recipient, ready.context["amount"]) == (chit.members[2], "2523.00")


def test_a_settlement_is_audited():
    chit = on_its_day()
    chit.bid(1, 2, 600)
    auction = chit.close(1)
    event = AuditEvent.objects.get(verb="auction.settled")
    assert (event.actor, event.target_id) == (chit.foreman, auction.pk)
    assert event.details == {
        "method": "BID",
        "winner": 2,
        "discount": "600.00",
        "prize": "3400.00",
    }


# -- lots ------------------------------------------------------------------------------


def test_several_bids_at_the_cap_are_decided_by_a_lot_that_a_member_can_draw_again():
    chit = on_its_day()
    for number in (4, 2, 3):
        chit.bid(1, number, 1200)
    auction = chit.close(1)
    assert (auction.method, auction.discount) == (Method.LOT_AT_CAP, 1200)
    seen = as_a_member_sees(chit, 1)
    assert seen["lot_tickets"] == [2, 3, 4]
    assert seen["seed_hash"] == hashlib.sha256(seen["seed"].encode()).hexdigest()
    assert drawn_again(seen) == seen["winner"]["ticket_number"] == auction.winner.ticket_number


def test_one_bid_at_the_cap_needs_no_lot():
    chit = on_its_day()
    chit.bid(1, 2, 600)
    chit.bid(1, 3, 1200)
    auction = chit.close(1)
    assert (auction.method, auction.winner, auction.lot_tickets) == (
        Method.BID,
        chit.ticket(3),
        [],
    )


def test_without_bids_a_lot_is_drawn_among_the_eligible_at_the_commission():
    chit = running_chit(min_discount_percent=Decimal(10))
    chit.hold_draw(1, winner=1, discount=400)
    for number in (1, 3, 4):
        chit.pay(number)
    auction = chit.hold_draw(2)
    assert (auction.method, auction.discount, auction.prize_amount) == (
        Method.LOT_NO_BID,
        200,
        3800,
    )
    seen = as_a_member_sees(chit, 2)
    assert seen["lot_tickets"] == [3, 4], "1 is prized, 2 in arrears"
    assert drawn_again(seen) == seen["winner"]["ticket_number"]


# -- one ticket, or none ---------------------------------------------------------------


def test_a_sole_eligible_ticket_is_awarded_without_a_contest():
    chit = running_chit(3, min_discount_percent=Decimal(10))
    chit.hold_draw(1, winner=1, discount=300)
    chit.pay(3)
    auction = chit.hold_draw(2)
    assert (auction.method, auction.winner, auction.discount) == (
        Method.SOLE_TICKET,
        chit.ticket(3),
        150,
    )


def test_a_sole_eligible_ticket_that_has_bid_more_gets_it_at_the_minimum():
    chit = running_chit(2)
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=200)
    chit.pay_all()
    auction = chit.hold_draw(2, winner=2, discount=600)
    assert (auction.method, auction.discount) == (Method.SOLE_TICKET, 100)


def lose_kyc(*holders: User) -> None:
    User.objects.filter(pk__in=[holder.pk for holder in holders]).update(
        kyc_status=KycStatus.REJECTED
    )


def test_the_highest_bid_of_a_ticket_that_is_still_eligible_wins():
    chit = on_its_day()
    chit.bid(1, 2, 400)
    chit.bid(1, 3, 600)
    lose_kyc(chit.members[2])
    auction = chit.close(1)
    assert (auction.method, auction.winner, auction.discount) == (Method.BID, chit.ticket(2), 400)


def test_where_no_bid_is_left_that_counts_a_lot_is_drawn():
    chit = on_its_day()
    chit.bid(1, 3, 600)
    lose_kyc(chit.members[2])
    auction = chit.close(1)
    assert (auction.method, auction.discount) == (Method.LOT_NO_BID, 200)
    assert auction.lot_tickets == [1, 2, 4]


def test_a_rival_who_dropped_out_leaves_a_contest_and_not_a_sole_ticket():
    chit = on_its_day(month=3)
    chit.pay_all()
    chit.bid(3, 3, 600)
    chit.bid(3, 4, 700)
    lose_kyc(chit.members[2])
    auction = chit.close(3)
    assert (auction.method, auction.winner, auction.discount) == (Method.BID, chit.ticket(4), 700)


def test_who_is_eligible_is_asked_as_of_the_day_of_the_draw_however_late_it_is_closed():
    chit = on_its_day()
    move_to(day_after(chit.draw_day(1)))
    auction = chit.close(1)
    assert (auction.method, auction.lot_tickets) == (Method.LOT_NO_BID, [1, 2, 3, 4])


def test_with_nobody_eligible_the_draw_is_postponed_and_everybody_told():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    Notification.objects.all().delete()
    transfers = Transfer.objects.count()
    auction = chit.hold_draw(2)

    assert auction.status == AuctionStatus.POSTPONED
    assert "in arrears" in chit.auction(2).postponement_reason
    told = Notification.objects.all()
    assert {row.event for row in told} == {NotificationEvent.AUCTION_POSTPONED}
    assert {row.recipient for row in told} == {chit.foreman, *chit.members}
    assert told.count() == 5
    assert AuditEvent.objects.get(verb="auction.postponed").target_id == auction.pk
    assert Transfer.objects.count() == transfers
    assert not PrizePayout.objects.filter(auction=auction).exists()


def test_a_draw_that_found_nobody_is_held_on_a_new_day():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    chit.hold_draw(2)
    chit.pay_all()
    chit.postpone(2, day_after(chit.draw_day(2), 5))
    auction = chit.hold_draw(2, winner=2, discount=600)
    assert (auction.status, auction.winner) == (AuctionStatus.SETTLED, chit.ticket(2))


# -- a draw among those in arrears -----------------------------------------------------


def found_nobody(tickets: int = 4, **terms) -> Chit:
    """Return a chit whose second draw, a day ago, found everybody in arrears."""
    chit = running_chit(tickets, **terms)
    chit.hold_draw(1, winner=1, discount=100 if tickets == 2 else 200)
    chit.hold_draw(2)
    move_to(day_after(chit.draw_day(2)))
    return chit


def test_an_ordered_draw_sets_the_winners_dues_and_their_interest_off_first():
    chit = found_nobody()
    auction = chit.order_draw(2)
    winner, payout = auction.winner, chit.payout(2)
    late = (chit.draw_day(2) - chit.draw_day(1)).days + 1
    interest = (Decimal(1000) * late * 12 / 36500).quantize(Decimal("0.01"))

    assert (auction.method, auction.is_among_arrears) == (Method.LOT_NO_BID, True)
    assert winner.ticket_number in (2, 3, 4)
    assert (payout.prize_amount, payout.tax) == (3800, 36)
    assert payout.set_off == 2000 + interest, "months 1 and 2; month 3 is not overdue"
    assert payout.net_amount == 3764 - payout.set_off
    number = winner.ticket_number
    assert [chit.due(number, month).due for month in (1, 2)] == [0, 0]
    assert chit.due(number, 1).late_interest == interest
    assert chit.ticket(number).outstanding == 1000, "what month 3 asks is all that is left"
    assert posted(chit, 2)[TransferKind.SET_OFF] == payout.set_off
    assert not chit.auction(3).is_among_arrears


def test_no_more_than_the_prize_is_set_off_and_such_a_prize_is_paid_without_money():
    chit = found_nobody(2)
    chit.order_draw(2)
    payout = chit.payout(2)
    assert (payout.set_off, payout.net_amount) == (1882, 0)
    assert chit.ticket(2).outstanding > 2000 - 1882
    ready = Notification.objects.filter(event=NotificationEvent.PRIZE_READY)
    assert not ready.filter(recipient=payout.payee).exists(), "there is nothing to come and get"
    paid = chit.pay_out(2)
    assert (paid.status, paid.payment) == (PayoutStatus.PAID, None)


def test_the_seed_that_was_published_at_the_opening_decides_an_ordered_lot():
    chit = found_nobody()
    published = chit.auction(2).seed_hash
    chit.order_draw(2)
    seen = as_a_member_sees(chit, 2)
    assert seen["seed_hash"] == published
    assert hashlib.sha256(seen["seed"].encode()).hexdigest() == published
    assert seen["lot_tickets"] == [2, 3, 4]
    assert drawn_again(seen) == seen["winner"]["ticket_number"]


def test_an_ordered_lot_of_a_draw_that_was_never_opened_makes_a_seed():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    move_to(day_after(chit.draw_day(2)))
    chit.postpone(2)
    chit.order_draw(2)
    seen = as_a_member_sees(chit, 2)
    assert hashlib.sha256(seen["seed"].encode()).hexdigest() == seen["seed_hash"]
    assert drawn_again(seen) == seen["winner"]["ticket_number"]


@pytest.mark.parametrize("state", ["scheduled", "open", "settled"])
def test_only_a_postponed_draw_is_ordered(state):
    chit = running_chit()
    move_to(chit.draw_day(1))
    if state != "scheduled":
        chit.open(1)
    if state == "settled":
        chit.close(1)
    with refused("wrong_state"):
        chit.order_draw(1)


def test_a_draw_is_not_ordered_while_somebody_is_eligible():
    chit = found_nobody()
    chit.pay(3)
    with refused("wrong_state") as refusal:
        chit.order_draw(2)
    assert "eligible again" in refusal.value.message


def test_a_draw_is_not_ordered_where_nobody_could_win():
    chit = found_nobody()
    lose_kyc(*chit.members[1:])
    with refused("wrong_state") as refusal:
        chit.order_draw(2)
    assert "No unprized ticket" in refusal.value.message


# -- the foreman's month ---------------------------------------------------------------


def test_the_foreman_takes_the_whole_amount_without_discount_commission_or_tax():
    chit = running_chit(foreman_installment=1)
    move_to(chit.draw_day(1))
    auction = chit.close(1)
    assert (auction.method, auction.winner) == (Method.FOREMAN, chit.ticket(1))
    assert (auction.prize_amount, auction.discount) == (4000, 0)
    assert (auction.commission, auction.tax) == (0, 0)
    assert (auction.dividend_pool, auction.dividend_per_ticket) == (0, 0)
    assert (chit.payout(1).payee, chit.payout(1).net_amount) == (chit.foreman, 4000)


def test_the_foremans_ticket_shares_the_dividends_of_the_others():
    chit = running_chit(foreman_installment=2)
    chit.hold_draw(1, winner=2, discount=600)
    assert chit.due(1, 2).dividend == 100


def test_the_foremans_ticket_never_enters_a_lot_of_another_month():
    chit = running_chit(foreman_installment=3)
    chit.hold_draw(1)
    assert chit.auction(1).lot_tickets == [2, 3, 4]


def test_the_foremans_month_is_not_taken_before_its_day_but_on_a_later_one():
    chit = running_chit(foreman_installment=1)
    with refused("wrong_state"):
        chit.close(1)
    move_to(day_after(chit.draw_day(1), 2))
    assert chit.close(1).status == AuctionStatus.SETTLED


def test_the_foremans_month_is_taken_once():
    chit = running_chit(foreman_installment=1)
    move_to(chit.draw_day(1))
    chit.close(1)
    with refused("wrong_state"):
        chit.close(1)


# -- rules, tax, and that it stays so --------------------------------------------------


def test_a_draw_keeps_the_rules_that_it_was_held_by():
    chit = on_its_day(dividend_policy="EXCLUDE_WINNER", grace_days=7)
    chit.bid(1, 2, 600)
    rules = chit.close(1).rules
    assert set(TERMS) <= set(rules)
    assert (rules["dividend_policy"], rules["grace_days"]) == ("EXCLUDE_WINNER", "7")
    assert (rules["total_amount"], rules["min_discount_percent"]) == ("4000.00", None)
    assert rules["tax_percent"] == "18.00"


def test_a_settled_result_is_final():
    chit = on_its_day()
    chit.bid(1, 2, 600)
    chit.close(1)
    with refused("auction_not_open"):
        chit.close(1)
    with refused("wrong_state"):
        chit.record(1, 3, 400)
    with refused("wrong_state"):
        chit.postpone(1)
    with refused("wrong_state"):
        chit.order_draw(1)
    with refused("auction_not_open"):
        chit.bid(1, 3, 700)


@pytest.mark.parametrize("state", ["scheduled", "postponed"])
def test_only_an_open_draw_is_closed(state):
    chit = running_chit()
    move_to(chit.draw_day(1))
    if state == "postponed":
        chit.postpone(1)
    with refused("auction_not_open"):
        chit.close(1)


def test_an_auction_that_does_not_exist_cannot_be_closed():
    chit = on_its_day()
    with refused("not_found"):
        close_auction(auction_id=new_id(), actor=chit.foreman)


def test_the_clock_does_not_close_a_draw_before_its_end_but_a_hand_may():
    chit = on_its_day()
    with refused("wrong_state"):
        close_auction(auction_id=chit.auction(1).pk, actor=None)
    assert chit.close(1).status == AuctionStatus.SETTLED


def test_the_clock_closes_a_draw_at_its_end_in_nobodys_name():
    chit = on_its_day()
    now = business_now()
    Auction.objects.filter(pk=chit.auction(1).pk).update(
        opens_at=now - timedelta(minutes=2), closes_at=now - timedelta(minutes=1)
    )
    auction = close_auction(auction_id=chit.auction(1).pk, actor=None)
    assert (auction.status, auction.closed_by) == (AuctionStatus.SETTLED, None)


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_settlement_is_refused_when_it_is_done():
    """A second close, a bid, a postponement and an order come while the draw is settled."""
    chit = on_its_day()
    auction, ticket = chit.auction(1), chit.ticket(3)
    chit.bid(1, 2, 600)
    rivals = [
        lambda: close_auction(auction_id=auction.pk, actor=chit.foreman),
        lambda: postpone_auction(auction_id=auction.pk, actor=chit.foreman, reason="late"),
        lambda: order_draw_among_arrears(auction_id=auction.pk, actor=chit.asha),
        lambda: place_bid(
            auction_id=auction.pk,
            subscription_id=ticket.pk,
            discount=Decimal(700),
            actor=chit.members[2],
        ),
    ]
    with ThreadPoolExecutor(len(rivals)) as pool:
        with transaction.atomic():
            chit.close(1)
            waiting = [pool.submit(in_own_connection(rival)) for rival in rivals]
            wait_for_blocked_query(count=len(rivals))
        for late in waiting:
            with pytest.raises(DomainError):
                late.result(timeout=10)
    assert chit.auction(1).winner == chit.ticket(2)
    assert (Bid.objects.count(), PrizePayout.objects.count()) == (1, 1)
