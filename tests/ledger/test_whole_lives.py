"""Whole lives of chits to closed books, for every kind of terms, with people who pay late.

Where the state machine tries everything in any order, these lives are lived as an office
lives them: month by month, some pay in part, some late, some twice, some by a cheque that
bounces; and the books of every one of them are closed at zero.
"""

from __future__ import annotations

import os
from datetime import date
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from tests.ledger.arithmetic import Terms
from tests.ledger.office import nothing_is_kept
from tests.ledger.play import Play

SEED = int(os.environ.get("SEED", "1982"))
LIVES = int(os.environ.get("LEDGER_LIVES", "1"))
POLICIES = ("ALL_TICKETS", "EXCLUDE_WINNER", "NON_PRIZED")
MODES = (
    ("INSIDE_DISCOUNT", "CHIT_VALUE", "5"),
    ("INSIDE_DISCOUNT", "DISCOUNT", "12.5"),
    ("ON_TOP", "CHIT_VALUE", "6"),
    ("ON_TOP", "DISCOUNT", "15"),
    ("IN_INSTALLMENT", "CHIT_VALUE", "5"),
)
TIMINGS = ("NEXT", "SAME")
LATE = ("KEEP", "FORFEIT")
COMBINATIONS = list(product(MODES, POLICIES, TIMINGS, LATE))
START = date(2026, 1, 5)


class Life:
    """One chit month by month, with chance deciding who pays what and when."""

    def __init__(self, terms: Terms, chance: Random) -> None:
        self.play = Play(terms, today=START)
        self.chance = chance

    @property
    def auditor(self):
        return self.play.auditor

    def live(self) -> None:
        self.play.enrol_all()
        self.play.do("commence")
        self.play.check()
        while self.auditor.next_draw is not None:
            self.spend_a_month()
        self.clear_cheques(every=True)
        self.play.finish()

    def spend_a_month(self) -> None:
        chance = self.chance
        month = self.auditor.next_draw.month
        self.pay_some(chance.random())
        self.play.wait_for_the_draw()
        self.pay_some(chance.random())
        self.clear_cheques()
        self.hold(month)
        self.play.check()
        for _ in range(chance.randrange(4)):
            chance.choice((self.take_one_back, self.pay_out_one, self.move_some_cash))()
            self.play.check()

    def pay_some(self, willing: float) -> None:
        """Everybody decides for themselves; some days may pass between one and the next."""
        for ticket in self.auditor.in_order():
            if self.chance.random() > willing:
                continue
            owed = ticket.outstanding or self.chance.choice((0, 0, self.play.terms.installment))
            if amount := owed * self.chance.choice((100, 100, 50, 37, 150)) // 100:
                self.pay(ticket.number, min(amount, ticket.could_owe()))
            if self.chance.random() < 0.2:
                self.play.pass_days(self.chance.choice((1, 3, 8)))

    def pay(self, number: int, amount: int) -> None:
        actor = self.chance.choice(("foreman", "asha", f"member {number}"))
        if actor == f"member {number}":
            actor = self.auditor.tickets[number].holder
        is_cheque = self.chance.random() < 0.25
        reference = self.play.name("REF") if is_cheque or self.chance.random() < 0.3 else ""
        ago = self.chance.choice((0, 0, 0, 2, 6))
        day = max(self.auditor.start, date.fromordinal(self.auditor.today.toordinal() - ago))
        if amount:
            self.play.pay(
                {number: amount}, actor=actor, reference=reference, is_cheque=is_cheque, day=day
            )

    def clear_cheques(self, *, every: bool = False) -> None:
        for key, payment in self.auditor.payments.items():
            if payment.state == "PENDING" and (every or self.chance.random() < 0.7):
                self.play.do(
                    "decide", key, actor="asha", is_good=not every and self.chance.random() < 0.8
                )

    def hold(self, month: int) -> None:
        draw = self.auditor.draws[month]
        if month == self.play.terms.foreman_month:
            self.play.close(month)
        elif draw.day == self.auditor.today:
            self.play.do("open", month)
            self.bid_some(month)
            self.play.close(month)
        else:
            self.hold_late(month)

    def bid_some(self, month: int) -> None:
        terms = self.play.terms
        for number in self.chance.sample(self.auditor.eligible(), len(self.auditor.eligible())):
            leading = self.auditor.draws[month].leading or terms.lowest
            most = (terms.cap - leading) // terms.bid_step
            steps = leading // terms.bid_step + 1 + (self.chance.randrange(most) if most > 0 else 0)
            wanted = self.chance.choice((terms.cap, min(terms.cap, steps * terms.bid_step)))
            if terms.is_lawful(wanted) and self.chance.random() < 0.6:
                self.play.do("bid", month, number, wanted)

    def hold_late(self, month: int) -> None:
        """It was held in a room and is entered now; or it is postponed, or a lot is ordered."""
        if not self.auditor.eligible(self.auditor.draws[month].day):
            self.play.do("postpone", month, None)
            self.play.pass_days(self.chance.choice((0, 2, 9)))
            self.play.order_draw(month)
        elif self.chance.random() < 0.2:
            self.play.do("postpone", month, date.fromordinal(self.auditor.today.toordinal() + 3))
        else:
            winner = self.chance.choice(self.auditor.eligible(self.auditor.draws[month].day))
            terms = self.play.terms
            figure = terms.cap if terms.is_lawful(terms.cap) else terms.lowest
            discount = self.chance.choice((terms.lowest, figure))
            self.play.record(month, winner, discount)

    def take_one_back(self) -> None:
        standing = [
            key
            for key, payment in self.auditor.payments.items()
            if payment.state == "COMPLETED" and not payment.is_reversed
        ]
        if standing:
            self.play.do("reverse", self.chance.choice(standing), actor="foreman")

    def pay_out_one(self) -> None:
        waiting = [m for m, draw in self.auditor.draws.items() if draw.payout == "PENDING"]
        if waiting:
            month = self.chance.choice(waiting)
            self.play.do("approve_payout", month, actor="asha")
            self.play.do("pay_payout", month, actor="foreman")

    def move_some_cash(self) -> None:
        kind = self.chance.choice(("FOREMAN_DRAWS", "TAX_PAID", "REFUND", "FOREMAN_COVERS"))
        number = self.chance.choice(self.auditor.in_order()).number if kind == "REFUND" else None
        there = self.auditor.available(kind, number)
        amount = 12_345 if kind == "FOREMAN_COVERS" else min(there, self.auditor.cash)
        if amount > 0:
            key = self.play.move_cash(kind, amount, number)
            if kind != "FOREMAN_COVERS" and self.chance.random() < 0.8:
                self.play.do("approve_movement", key, actor="ravi")


def _terms(place: int, chance: Random) -> Terms:
    (mode, base, percent), policy, timing, late = COMBINATIONS[place]
    tickets = chance.randint(2, 6)
    return Terms(
        installment=chance.choice((100_000, 99_700, 125_060, 33_340)),
        tickets=tickets,
        commission_percent=Fraction(percent),
        commission_base=base,
        commission_mode=mode,
        cap_percent=Fraction(chance.choice((30, 40))),
        bid_step=chance.choice((100, 5_000)),
        policy=policy,
        timing=timing,
        unit=chance.choice((100, 1)),
        foreman_month=chance.choice((None, 1, tickets, chance.randint(1, tickets))),
        interest_percent=Fraction(chance.choice((12, 24))),
        grace_days=chance.choice((0, 3)),
        late_dividend=late,
        auction_day=chance.choice((5, 10, 28, 31)),
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "place",
    range(len(COMBINATIONS)),
    ids=lambda n: "-".join((*COMBINATIONS[n][0], *COMBINATIONS[n][1:])),
)
def test_a_chit_of_any_terms_is_played_to_closed_books(place):
    for life in range(LIVES):
        chance = Random(f"{SEED}/{place}/{life}")
        print(f"SEED={SEED} life {life}")
        with nothing_is_kept():
            Life(_terms(place, chance), chance).live()
