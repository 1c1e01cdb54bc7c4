"""Bidders, three who close, and a late bid around the end of one auction."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, transaction

from accounts.models import AuditEvent, User
from auctions.models import Auction, AuctionStatus, Bid, Method
from auctions.services import place_bid
from chitfund.testing import in_own_connection, wait_for_blocked_query
from notifications.models import Notification, NotificationEvent
from payments.audit import check_ledger
from payments.models import (
    Installment,
    Payment,
    PaymentType,
    PrizePayout,
    Transfer,
    TransferKind,
)
from payments.services.settlement import close_auction
from payments.tasks import hold_auctions_on_time
from schemes.models import Scheme
from subscriptions.models import Subscription
from tests.race import chits
from tests.race.crowd import PATIENCE, Answer, Caller, Crowd, faults, statuses
from tests.race.database import without_constraints

TRIALS = 200
TICKETS = 4
DRAWS_A_CHIT = 3
# What the database would say to a month that is settled twice, were there no lock.
SECOND_LINE = (
    "auctions_keep_their_outcome",
    "installment_once_a_month",
    "prize_payouts_auction_id_key",
    "prize_payouts_subscription_id_key",
    "ledger_nothing_is_paid_out_twice",
    "auctions_winner_id_key",
    "subscription_one_prize_per_installment",
)


@dataclass
class Hall:
    """Who is there when a draw is held: the foreman, an administrator, four ticket holders."""

    office: str
    foreman: User
    admin: User
    holders: list[User]

    @classmethod
    def of(cls, office: str) -> Hall:
        return cls(office, chits.foreman(), chits.administrators(1)[0], chits.people(TICKETS))

    def __post_init__(self) -> None:
        everybody = [self.foreman, self.admin, *self.holders]
        self.callers = {user.pk: Caller.signed_in(self.office, user) for user in everybody}

    def chits(self, count: int) -> list[Scheme]:
        return chits.running(count, holders=self.holders, foreman=self.foreman, actor=self.admin)

    def draws(self, count: int) -> Iterator[Auction]:
        """Open one draw after the other, three of each chit; the clock finds no other to open."""
        for number in range(count):
            if number % DRAWS_A_CHIT == 0:
                scheme = self.chits(1)[0]
            yield chits.open_draw(scheme, 1 + number % DRAWS_A_CHIT, actor=self.foreman)

    def closing(self, user: User, auction: Auction) -> Callable[[], Answer]:
        return partial(self.callers[user.pk].post, f"auctions/{auction.pk}/close")

    def bidding(
        self, ticket: Subscription, auction: Auction, discount: Decimal
    ) -> Callable[[], Answer]:
        body = {"subscription": str(ticket.pk), "discount": str(discount)}
        return partial(self.callers[ticket.subscriber_id].post, f"auctions/{auction.pk}/bids", body)


def bidders_of(auction: Auction) -> list[Subscription]:
    unprized = Subscription.objects.filter(scheme=auction.scheme, prized_installment=None)
    return list(unprized.order_by("ticket_number"))


def after(seconds: float, call: Callable[[], Answer]) -> Callable[[], list[Answer]]:
    def later() -> list[Answer]:
        time.sleep(seconds)
        return [call()]

    return later


def close_on_time(auction: Auction) -> None:
    """The clock: what beat rings every minute, rung until the draw is over."""
    while Auction.objects.filter(pk=auction.pk, status=AuctionStatus.OPEN).exists():
        with suppress(OperationalError):  # a lock that was not had in time; beat rings again
            hold_auctions_on_time()
        time.sleep(0.01)


def bids(hall: Hall, auction: Auction, dice: random.Random) -> list[Callable[[], list[Answer]]]:
    """Return a bidder for each ticket that may, who goes on until bidding is over."""
    top = int((auction.max_discount - auction.min_discount) / auction.bid_step)

    def keep_bidding(ticket: Subscription, steps: list[int]) -> list[Answer]:
        answers = []
        for step in steps:
            discount = auction.min_discount + step * auction.bid_step
            answers.append(hall.bidding(ticket, auction, discount)())
            if answers[-1].code == "auction_not_open":
                break
        return answers

    return [
        partial(keep_bidding, ticket, sorted(dice.choices(range(1, top + 1), k=3)))
        for ticket in bidders_of(auction)
    ]


def a_close_under_fire(
    hall: Hall, auction: Auction, crowd: Crowd, dice: random.Random
) -> tuple[list[Answer], list[Answer]]:
    """Have everybody act at one barrier around the end; return what closers and bidders heard."""
    late = dice.choice(bidders_of(auction))
    bidders = bids(hall, auction, dice)
    # A cap that several may bid, and that wins if it is in time.
    bidders.append(after(dice.uniform(0, 0.1), hall.bidding(late, auction, auction.max_discount)))
    closers = [
        after(dice.uniform(0, 0.08), hall.closing(user, auction))
        for user in (hall.admin, hall.foreman)
    ]
    # The clock joins in half of the time; else one of the two has to do it.
    chits.end_bidding_in(auction, dice.choice([dice.uniform(0.01, 0.08), 3600]))
    heard = crowd.at_once([*closers, *bidders, partial(close_on_time, auction)])
    to_closers, to_bidders = heard[: len(closers)], heard[len(closers) : -1]
    return list(itertools.chain(*to_closers)), list(itertools.chain(*to_bidders))


# -- what must hold after a close ----------------------------------------------------------


def check_bids(auction: Auction, to_bidders: list[Answer]) -> None:
    """Every bid that was accepted is there, in time, and the highest has won."""
    kept = list(Bid.objects.filter(auction=auction).select_related("subscription"))
    assert {str(bid.pk) for bid in kept} == {
        answer.json["id"] for answer in to_bidders if answer.status == 201
    }
    assert auction.closed_at is not None
    assert [bid for bid in kept if bid.placed_at >= auction.closed_at] == []
    if not kept:
        assert auction.method == Method.LOT_NO_BID
        return
    best = max(bid.discount for bid in kept)
    leaders = [bid.subscription for bid in kept if bid.discount == best]
    assert auction.discount == best
    assert auction.winner in leaders
    assert auction.method == (Method.LOT_AT_CAP if len(leaders) > 1 else Method.BID)


def check_settled_once(auction: Auction) -> None:
    """One winner, one prize, one set of dividends, one next installment, told once."""
    scheme, number = auction.scheme, auction.installment_number
    dividends = TICKETS if auction.dividend_per_ticket else 0
    payments = Payment.objects.filter(scheme=scheme, installment_number=number)
    transfers = Transfer.objects.filter(scheme=scheme, installment_number=number)
    told = Notification.objects.filter(event=NotificationEvent.AUCTION_RESULT)
    found = {
        "prized tickets": Subscription.objects.filter(
            scheme=scheme, prized_installment=number
        ).count(),
        "payouts": PrizePayout.objects.filter(auction=auction).count(),
        "prizes": transfers.filter(kind=TransferKind.PRIZE_AWARDED).count(),
        "dividends": payments.filter(payment_type=PaymentType.DIVIDEND).count(),
        "dividend transfers": transfers.filter(kind=TransferKind.DIVIDEND).count(),
        "next installments": Installment.objects.filter(scheme=scheme, number=number + 1).count(),
        "audited": AuditEvent.objects.filter(verb="auction.settled", target_id=auction.pk).count(),
        "told": told.filter(
            context__scheme=scheme.name, context__installment_number=str(number)
        ).count(),
    }
    assert found == {
        "prized tickets": 1,
        "payouts": 1,
        "prizes": 1,
        "dividends": dividends,
        "dividend transfers": dividends,
        "next installments": TICKETS,
        "audited": 1,
        "told": TICKETS,
    }


@pytest.mark.slow
def test_an_auction_that_three_close_under_fire_is_settled_once_and_takes_no_late_bid(
    live_office: str, crowd: Crowd, dice: random.Random
) -> None:
    hall = Hall.of(live_office)
    closed_by: Counter[str] = Counter()
    bidding: Counter[int] = Counter()
    for auction in hall.draws(TRIALS):
        to_closers, to_bidders = a_close_under_fire(hall, auction, crowd, dice)
        heard = [*to_closers, *to_bidders]
        assert faults(heard) == []
        assert not any(answer.is_told_by_the_database for answer in heard)
        auction.refresh_from_db()
        assert auction.status == AuctionStatus.SETTLED
        by_hand = statuses(to_closers)[200]
        assert by_hand == (0 if auction.closed_by_id is None else 1)
        closed_by[auction.closed_by.role if auction.closed_by else "the clock"] += 1
        bidding += statuses(to_bidders)
        check_bids(auction, to_bidders)
        check_settled_once(auction)
    assert closed_by.total() == TRIALS
    # Otherwise this was no race: several have won some, and bids were in time and too late.
    assert len(closed_by) > 1, closed_by
    assert min(bidding[201], bidding[409]) > 0, bidding
    assert check_ledger() == []


# -- the same, forced: one holds the lock, the other is seen waiting ----------------------


def held_up(rival: Callable[[], Any], *, by: Callable[[], Any]) -> Any:
    """Do `by`, start a rival that has to wait for it, commit, and return what the rival got."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            by()
            waiting = pool.submit(in_own_connection(rival))
            wait_for_blocked_query(timeout=8)
        return waiting.result(PATIENCE)


def test_a_bid_that_waits_for_a_close_is_too_late(live_office: str) -> None:
    hall = Hall.of(live_office)
    auction = next(hall.draws(1))
    ticket = bidders_of(auction)[0]
    answer = held_up(
        hall.bidding(ticket, auction, auction.max_discount),
        by=partial(close_auction, auction_id=auction.pk, actor=hall.foreman),
    )
    assert (answer.status, answer.code) == (409, "auction_not_open")
    assert not Bid.objects.filter(auction=auction).exists()


def test_a_close_that_waits_for_a_bid_counts_it(live_office: str) -> None:
    hall = Hall.of(live_office)
    auction = next(hall.draws(1))
    ticket = bidders_of(auction)[2]
    bid = partial(
        place_bid,
        auction_id=auction.pk,
        subscription_id=ticket.pk,
        discount=auction.max_discount,
        actor=ticket.subscriber,
    )
    answer = held_up(hall.closing(hall.admin, auction), by=bid)
    assert answer.status == 200
    assert answer.json["winner"] == {"ticket_number": 3}
    assert answer.json["discount"] == str(auction.max_discount)


@pytest.mark.parametrize("second", ["admin", "clock"])
def test_a_close_that_waits_for_a_close_finds_it_done(live_office: str, second: str) -> None:
    hall = Hall.of(live_office)
    auction = next(hall.draws(1))
    chits.end_bidding_in(auction, 0)
    first = partial(close_auction, auction_id=auction.pk, actor=hall.foreman)
    if second == "admin":
        answer = held_up(hall.closing(hall.admin, auction), by=first)
        assert (answer.status, answer.code) == (409, "auction_not_open")
    else:
        assert held_up(hold_auctions_on_time, by=first) == {"opened": 0, "closed": 0}
    auction.refresh_from_db()
    check_settled_once(auction)


# -- without the lock ----------------------------------------------------------------------


def test_negative_control_without_the_lock_a_bid_is_accepted_that_cannot_win(
    unguarded_office: Callable[[str], str], crowd: Crowd
) -> None:
    hall = Hall.of(unguarded_office("row_locks"))
    lost = 0
    for auction in hall.draws(3):
        first, *others = bidders_of(auction)
        steps = enumerate(others, start=1)
        late = [
            hall.bidding(ticket, auction, auction.max_discount - auction.bid_step * step)
            for step, ticket in steps
        ]
        hall.bidding(first, auction, auction.min_discount + auction.bid_step)()
        crowd.at_once([hall.closing(hall.foreman, auction), *late])
        auction.refresh_from_db()
        better = Bid.objects.filter(auction=auction, discount__gt=auction.discount)
        lost += better.exists()
    assert lost >= 1


def test_negative_control_without_lock_and_constraints_a_month_is_settled_twice(
    unguarded_office: Callable[[str], str], crowd: Crowd
) -> None:
    hall = Hall.of(unguarded_office("row_locks"))
    chit = hall.chits(1)[0]
    with without_constraints(*SECOND_LINE):
        auction = chits.open_draw(chit, 1, actor=hall.foreman)
        answers = crowd.at_once([hall.closing(hall.foreman, auction)] * 4)
        assert statuses(answers)[200] > 1
        assert PrizePayout.objects.filter(auction=auction).count() > 1
        assert check_ledger() != []


def test_negative_control_without_the_lock_the_constraints_have_to_refuse(
    unguarded_office: Callable[[str], str], crowd: Crowd
) -> None:
    hall = Hall.of(unguarded_office("row_locks"))
    auction = next(hall.draws(1))
    answers = crowd.at_once([hall.closing(hall.foreman, auction)] * 4)
    assert any(answer.is_told_by_the_database for answer in answers)
    auction.refresh_from_db()
    check_settled_once(auction)
