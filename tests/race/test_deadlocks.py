"""Money services side by side on the same chits: nobody waits in a circle."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.models import NumberSeries, User
from auctions.models import Auction, AuctionStatus
from chitfund.testing import wait_for_blocked_query
from payments.audit import check_ledger
from payments.models import PayoutStatus, PrizePayout
from schemes.models import Scheme
from subscriptions.models import Subscription
from tests.race import chits
from tests.race.crowd import Answer, Caller, Crowd, faults, statuses
from tests.race.database import deadlocks

SECONDS = 20
CROWD = 8
# What the office answers when PostgreSQL broke a circle by ending one of its transactions.
CIRCLE = "Somebody changed this at the same moment"


@dataclass
class Town:
    """Chits of two foremen with the same subscribers, and who speaks to the office."""

    office: str
    admins: list[User]
    foremen: list[User]
    holders: list[User]
    schemes: list[Scheme]
    dice: random.Random
    callers: dict[Any, Caller] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = [*self.admins, *self.foremen, *self.holders]
        self.callers = {user.pk: Caller.signed_in(self.office, user) for user in people}
        self.tickets: dict[Any, list[Subscription]] = {
            scheme.pk: chits.tickets_of(scheme) for scheme in self.schemes
        }

    @property
    def admin(self) -> Caller:
        return self.callers[self.admins[0].pk]

    @property
    def second_admin(self) -> Caller:
        return self.callers[self.admins[1].pk]

    def foreman_of(self, scheme: Scheme) -> Caller:
        return self.callers[scheme.foreman_id]

    def some_scheme(self) -> Scheme:
        return self.dice.choice(self.schemes)

    def some_ticket(self, scheme: Scheme) -> Subscription:
        return self.dice.choice(self.tickets[scheme.pk])

    def some_money(self) -> str:
        return f"{self.dice.randint(1, 20)}.{self.dice.randint(0, 99):02d}"

    def note(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        return answer


def build(office: str, dice: random.Random, *, schemes: int, tickets: int) -> Town:
    """Return a town whose chits have commenced and hold some cash."""
    admins = chits.administrators(2)
    foremen = [chits.foreman() for _ in range(2)]
    holders = chits.people(4)
    seats = [holders[number % 4] for number in range(tickets)]
    running = [
        chits.running(1, holders=seats, foreman=foremen[number % 2], actor=admins[0])[0]
        for number in range(schemes)
    ]
    chits.bring_to_today(*running)
    for number, scheme in enumerate(running):
        chits.cover(scheme, actor=admins[0], amount=Decimal(200_000), reference=f"opening {number}")
    return Town(office, admins, foremen, holders, running, dice)


# -- the services, each as one thing that somebody does ------------------------------------


def pay(town: Town) -> None:
    scheme = town.some_scheme()
    town.note(town.foreman_of(scheme).post("payments", _cash(town, scheme)))


def pay_under_a_key(town: Town) -> None:
    scheme = town.some_scheme()
    body, key = _cash(town, scheme), str(uuid4())
    for _ in range(2):
        town.note(town.foreman_of(scheme).post("payments", body, key=key))


def _cash(town: Town, scheme: Scheme) -> dict[str, Any]:
    ticket = town.some_ticket(scheme)
    return {"subscription": str(ticket.pk), "amount": town.some_money(), "method": "CASH"}


def pay_for_several(town: Town) -> None:
    """One transfer for tickets of chits of both foremen, in any order."""
    chosen = town.dice.sample(town.schemes, town.dice.randint(2, len(town.schemes)))
    split = [
        {"subscription": str(town.some_ticket(scheme).pk), "amount": town.some_money()}
        for scheme in chosen
    ]
    body = {"split": split, "method": "UPI", "transaction_id": uuid4().hex}
    town.note(town.admin.post("payments", body))


def declare_and_confirm(town: Town) -> None:
    scheme = town.some_scheme()
    ticket = town.some_ticket(scheme)
    body = {
        "subscription": str(ticket.pk),
        "amount": town.some_money(),
        "method": "UPI",
        "transaction_id": uuid4().hex,
    }
    declared = town.note(town.callers[ticket.subscriber_id].post("payments", body))
    if declared.status == 201:
        decision = {"status": town.dice.choice(["COMPLETED", "FAILED"])}
        path = f"payments/{declared.json['id']}"
        town.note(town.foreman_of(scheme).put(path, decision))


def pay_and_reverse(town: Town) -> None:
    scheme = town.some_scheme()
    paid = town.note(town.foreman_of(scheme).post("payments", _cash(town, scheme)))
    if paid.status == 201:
        path = f"payments/{paid.json['id']}/reverse"
        town.note(town.admin.post(path, {"reason": "Entered wrongly"}))


def bid(town: Town) -> None:
    scheme = town.some_scheme()
    ticket = town.some_ticket(scheme)
    auction = _current(scheme)
    if auction is not None:
        body = {"subscription": str(ticket.pk), "discount": f"{town.dice.randrange(60, 350)}0.00"}
        town.note(town.callers[ticket.subscriber_id].post(f"auctions/{auction.pk}/bids", body))


def hold_a_draw(town: Town) -> None:
    scheme = town.some_scheme()
    auction = _current(scheme)
    if auction is not None:
        deed = "open" if auction.status == AuctionStatus.SCHEDULED else "close"
        town.note(town.foreman_of(scheme).post(f"auctions/{auction.pk}/{deed}"))


def _current(scheme: Scheme) -> Auction | None:
    waiting = Auction.objects.filter(
        scheme=scheme, status__in=[AuctionStatus.SCHEDULED, AuctionStatus.OPEN]
    )
    return waiting.order_by("installment_number").first()


def approve_and_pay_a_prize(town: Town) -> None:
    payout = (
        PrizePayout.objects.exclude(status=PayoutStatus.PAID)
        .filter(scheme=town.some_scheme())
        .order_by("?")
        .first()
    )
    if payout is not None:
        security = {"security": "Two guarantors"}
        town.note(town.admin.post(f"payouts/{payout.pk}/approve", security))
        town.note(town.second_admin.post(f"payouts/{payout.pk}/pay", {"method": "CASH"}))


def draw_cash_and_approve(town: Town) -> None:
    scheme = town.some_scheme()
    body = {"kind": "FOREMAN_DRAWS", "amount": town.some_money(), "reference": uuid4().hex}
    asked = town.note(town.foreman_of(scheme).post(f"schemes/{scheme.pk}/cash", body))
    if asked.status == 201:
        path = f"schemes/{scheme.pk}/cash/{asked.json['id']}/approve"
        town.note(town.admin.post(path))


SERVICES: tuple[Callable[[Town], None], ...] = (
    pay,
    pay_under_a_key,
    pay_for_several,
    declare_and_confirm,
    pay_and_reverse,
    bid,
    hold_a_draw,
    approve_and_pay_a_prize,
    draw_cash_and_approve,
)


# -- side by side --------------------------------------------------------------------------


def side_by_side(
    town: Town, crowd: Crowd, pair: tuple[Callable[[Town], None], ...], seconds: float
) -> Counter[str]:
    """Have half the crowd do one thing and half the other, until the time is over."""
    until = time.monotonic() + seconds

    def keep_doing(service: Callable[[Town], None]) -> Counter[str]:
        done: Counter[str] = Counter()
        while not done or time.monotonic() < until:
            service(town)
            done[service.__name__] += 1
        return done

    calls = [
        partial(keep_doing, service) for service, _ in zip(itertools.cycle(pair), range(CROWD))
    ]
    return sum(crowd.at_once(calls), Counter())


def told_of_a_circle(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in answers if CIRCLE in answer.body.decode()]


@pytest.mark.slow
def test_every_pair_of_money_services_runs_side_by_side_without_a_deadlock(
    live_office: str, crowd: Crowd, dice: random.Random
) -> None:
    town = build(live_office, dice, schemes=4, tickets=16)
    before = deadlocks()
    pairs = list(itertools.combinations_with_replacement(SERVICES, 2))
    dice.shuffle(pairs)
    for pair in pairs:
        done = side_by_side(town, crowd, pair, SECONDS / len(pairs))
        assert set(done) == {service.__name__ for service in pair}
    assert told_of_a_circle(town.answers) == []
    assert faults(town.answers) == []
    heard = statuses(town.answers)
    assert heard[200] + heard[201] > len(town.answers) / 4, heard
    assert check_ledger() == []
    assert deadlocks() == before


def test_transfers_for_two_foremen_number_their_receipts_in_one_order(
    live_office: str, crowd: Crowd, dice: random.Random
) -> None:
    """Four chits without a lock in common, and two series of receipts that both need."""
    town = build(live_office, dice, schemes=4, tickets=4)
    for scheme in town.schemes:
        assert town.foreman_of(scheme).post("payments", _cash(town, scheme)).status == 201
    before = deadlocks()
    first, second, third, fourth = (town.tickets[scheme.pk][0] for scheme in town.schemes)
    # The first and the third are the one foreman's, the second and the fourth the other's.
    opposite = [_transfer([first, second]), _transfer([fourth, third])]
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            list(NumberSeries.objects.select_for_update().filter(name__startswith="R/"))
            sent = [pool.submit(town.admin.post, "payments", body) for body in opposite]
            wait_for_blocked_query(count=2, timeout=8)
        answers = [each.result() for each in sent]
    assert statuses(answers) == {201: 2}
    assert check_ledger() == []
    assert deadlocks() == before


def _transfer(tickets: list[Subscription]) -> dict[str, Any]:
    split = [{"subscription": str(ticket.pk), "amount": "10.00"} for ticket in tickets]
    return {"split": split, "method": "UPI", "transaction_id": uuid4().hex}


def test_negative_control_without_an_order_of_locks_two_transfers_wait_for_each_other(
    unguarded_office: Callable[[str], str], crowd: Crowd, dice: random.Random
) -> None:
    town = build(unguarded_office("lock_order"), dice, schemes=2, tickets=4)
    before = deadlocks()
    side_by_side(town, crowd, (pay_for_several,), seconds=3)
    assert told_of_a_circle(town.answers)
    assert deadlocks() > before
    assert check_ledger() == []
