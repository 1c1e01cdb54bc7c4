"""Random lives of random chits, each step compared with the auditor's books (reliability 1).

`SEED=` gives other lives, `LEDGER_EXAMPLES=` fewer or more of them. A failure prints the
steps that led to it, shortened; with `LEDGER_SHORTEN=no` as they came, and at once.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.ledger.auditor import Movement
from tests.ledger.office import nothing_is_kept
from tests.ledger.play import Play
from tests.ledger.terms import possible_terms

SEED = int(os.environ.get("SEED", "1982"))
USUAL = 200
EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", USUAL))
PARTS = 4
PHASES = [Phase.generate]
if os.environ.get("LEDGER_SHORTEN", "yes") == "yes":
    PHASES.append(Phase.shrink)
# GST rose on 18 July 2022, in the middle of what began in May.
STARTS = (date(2026, 1, 5), date(2022, 5, 5), date(2023, 11, 30))
KINDS = ("FOREMAN_DRAWS", "FOREMAN_COVERS", "TAX_PAID", "REFUND")
MEDDLING = ("open", "close", "order", "approve_payout", "commence", "enrol", "withdraw")
PEOPLE = ("foreman", "asha", "foreman", "ravi", "asha", "member 2")

# What every part must have done, or its lives were too short to prove anything. Withdrawing,
# a draw for which nobody is eligible and one by order are tried too, but chance alone seldom
# brings them about; the tests of settlement and of tickets do.
OPERATIONS = (
    "enrol",
    "commence",
    "open",
    "bid",
    "postpone",
    "pay",
    "decide",
    "reverse",
    "approve_payout",
    "pay_payout",
    "request",
    "approve_movement",
    "reject_movement",
    "draw BID",
    "draw FOREMAN",
    "draw LOT_AT_CAP",
    "draw LOT_NO_BID",
    "draw SOLE_TICKET",
)

# Which of the things that there are; the last few mean any of them, fitting or not.
some = st.integers(0, 11)
# How much of what is owed, in percent.
portion = st.sampled_from((100, 50, 0, 33, 101, 1, 190, 1000))
parts = st.lists(st.sampled_from((100, 100, 0, 50, 101, 33, 130)), min_size=6, max_size=6)
level = st.sampled_from(("low", "more", "cap", "some", "cap", "odd", "above"))
way = st.sampled_from(("cash", "upi", "cheque", "known"))
days_ago = st.sampled_from((0, 0, 3, 6, -1))
person = st.sampled_from(PEOPLE)


def is_running(machine: ChitMachine) -> bool:
    return machine.play.auditor.stage != "enrolling"


def has_a_draw(machine: ChitMachine) -> bool:
    return is_running(machine) and machine.play.auditor.next_draw is not None


class ChitMachine(RuleBasedStateMachine):
    """One chit, from enrolment to closed books, with people who do anything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = nothing_is_kept()
        self.rolled_back.__enter__()

    @initialize(
        terms=possible_terms(),
        start=st.sampled_from(STARTS),
        commences=st.sampled_from((True, True, True, True, False)),
    )
    def begin(self, terms, start, commences):
        self.play = Play(terms, today=start)
        if commences:
            self.play.enrol_all()
            self.play.do("commence")

    def teardown(self) -> None:
        """Play to the end; where a step has failed, only clear away."""
        try:
            if hasattr(self, "play") and self.play.is_sound:
                self.play.finish()
        finally:
            self.rolled_back.__exit__(None, None, None)

    @invariant()
    def both_books_agree(self):
        if hasattr(self, "play"):
            self.play.check()

    # -- which one ---------------------------------------------------------------------

    @property
    def auditor(self):
        return self.play.auditor

    def ticket(self, which):
        numbers = sorted(self.auditor.tickets)
        return numbers[which % len(numbers)]

    def month(self, which):
        """Mostly the draw that is next; now and then any."""
        following = self.auditor.next_draw
        if which < 9 and following is not None:
            return following.month
        return which % self.play.terms.tickets + 1

    def settled_month(self, which):
        settled = [draw.month for draw in self.auditor.draws.values() if draw.payout]
        return settled[which % len(settled)] if settled else None

    # -- before the first draw ---------------------------------------------------------

    @rule(number=st.integers(1, 7), holder=some)
    @precondition(lambda self: not is_running(self))
    def enrol(self, number, holder):
        self.play.do("enrol", number, f"member {holder % self.play.terms.tickets + 1}")

    @rule(which=some)
    @precondition(lambda self: not is_running(self) and self.auditor.tickets)
    def withdraw(self, which):
        self.play.do("withdraw", self.ticket(which))

    @rule(fill=st.booleans())
    @precondition(lambda self: not is_running(self))
    def commence(self, fill):
        if fill:
            self.play.enrol_all()
        self.play.do("commence")

    # -- time --------------------------------------------------------------------------

    @rule(days=st.sampled_from((1, 4, 11, 30)))
    @precondition(is_running)
    def wait(self, days):
        self.play.pass_days(days)

    # -- draws -------------------------------------------------------------------------

    @rule(
        parts=parts,
        bids=st.lists(st.tuples(some, level), max_size=4),
        days_late=st.sampled_from((0, 0, 0, 0, 2, 5, 12)),
    )
    @precondition(has_a_draw)
    def live_a_month(self, parts, bids, days_late):
        """People pay more or less of what they owe; the draw is held, on its day or late."""
        month = self.play.wait_for_the_draw()
        self.collect(parts, days_ago=0)
        self.play.pass_days(days_late)
        if month == self.play.terms.foreman_month:
            self.play.close(month)
        elif self.play.do("open", month):
            for ticket, wanted in bids:
                self.play.do("bid", month, self.ticket(ticket), self.figure(month, wanted))
            self.play.close(month)
        else:
            self.record_late(month, bids)

    @rule(
        parts=parts,
        bids=st.lists(st.tuples(some, level), max_size=3),
        days_late=st.sampled_from((0, 0, 1, 4)),
    )
    @precondition(has_a_draw)
    def live_on(self, parts, bids, days_late):
        """The same, so that lives get on."""
        self.live_a_month(parts, bids, days_late)

    def record_late(self, month, bids):
        """Enter it as held in a room; where everybody is in arrears, move it or order a lot."""
        if eligible := self.auditor.eligible(self.auditor.draws[month].day):
            wanted = bids[0][1] if bids else "low"
            self.play.record(month, eligible[0], self.figure(month, wanted))
        elif self.auditor.draws[month].state == "POSTPONED":
            self.play.order_draw(month)
        else:
            self.play.do("postpone", month, None)

    @rule(which=some, ticket=some, step=st.sampled_from(MEDDLING))
    @precondition(is_running)
    def meddle(self, which, ticket, step):
        """Do what is out of place, more often than not."""
        month, number = self.month(which), self.ticket(ticket)
        if step == "close":
            self.play.close(month)
        elif step == "order":
            self.play.order_draw(month)
        elif step == "commence":
            self.play.do("commence")
        elif step == "enrol":
            self.play.do("enrol", number, "member 2")
        elif step == "approve_payout":
            if self.auditor.draws[month].payout:
                self.play.do(step, month, actor=PEOPLE[ticket % len(PEOPLE)])
        elif step == "withdraw":
            self.play.do(step, number)
        else:
            self.play.do(step, month)

    @rule(which=some, ticket=some, wanted=level)
    @precondition(has_a_draw)
    def bid(self, which, ticket, wanted):
        month = self.month(which)
        if self.auditor.draws[month].day == self.auditor.today and which < 9:
            self.play.do("open", month)
        self.play.do("bid", month, self.ticket(ticket), self.figure(month, wanted))

    def figure(self, month, wanted):
        terms = self.play.terms
        leading = self.auditor.draws[month].leading or terms.lowest
        step = terms.bid_step
        return {
            "low": terms.lowest,
            "some": max(terms.lowest, terms.cap // 2 // step * step),
            "more": (leading // step + 1) * step,
            "cap": terms.cap,
            "odd": leading + step + 1,
            "above": terms.cap + step,
        }[wanted]

    @rule(
        which=some,
        ticket=some,
        wanted=level,
        method=st.sampled_from(("BID", "LOT_NO_BID", "LOT_AT_CAP")),
        present=st.sampled_from((2, 2, 2, 1)),
    )
    @precondition(has_a_draw)
    def record(self, which, ticket, wanted, method, present):
        month = self.month(which)
        if which < 7:
            self.play.wait_for_the_draw()
        discount = {
            "BID": self.figure(month, wanted),
            "LOT_NO_BID": self.play.terms.uncontested,
            "LOT_AT_CAP": self.play.terms.cap,
        }[method if wanted != "odd" else "BID"]
        eligible = self.auditor.eligible(self.auditor.draws[month].day)
        number = (
            eligible[ticket % len(eligible)] if eligible and ticket < 9 else self.ticket(ticket)
        )
        self.play.record(month, number, discount, method=method, present=present)

    @rule(which=some, days=st.sampled_from((None, 1, 5, 40, -1)))
    @precondition(has_a_draw)
    def postpone(self, which, days):
        month = self.month(which)
        wanted = max(self.auditor.draws[month].day, self.auditor.today)
        day = None if days is None else date.fromordinal(wanted.toordinal() + days)
        self.play.do("postpone", month, day)

    # -- money that comes in -----------------------------------------------------------

    @rule(
        which=some,
        part=portion,
        actor=st.sampled_from(("foreman", "asha", "foreman", "member 1", "member 2")),
        way=way,
        days_ago=days_ago,
    )
    @precondition(is_running)
    def pay(self, which, part, actor, way, days_ago):
        number = self.ticket(which)
        ticket = self.auditor.tickets[number]
        amount = max(1, (ticket.outstanding or self.play.terms.installment) * part // 100)
        self.play.pay({number: amount}, actor=actor, **self.slip(way), day=self.days_ago(days_ago))

    @rule(parts=parts, way=way, days_ago=days_ago)
    @precondition(is_running)
    def collect(self, parts, way="cash", days_ago=0):
        """Take one transfer in for several tickets, each with a part of what it owes."""
        shares = {}
        for ticket, part in zip(self.auditor.in_order(), parts, strict=False):
            if amount := ticket.outstanding * part // 100:
                shares[ticket.number] = amount
        if shares:
            self.play.pay(shares, **self.slip(way), day=self.days_ago(days_ago))

    def slip(self, way):
        if way == "cash":
            return {}
        known = [p.reference for p in self.auditor.payments.values() if p.reference]
        is_known = way == "known" and known
        reference = known[-1] if is_known else self.play.name("REF")
        return {"reference": reference, "is_cheque": way == "cheque"}

    def days_ago(self, days):
        """A day of this chit's life, or tomorrow."""
        wanted = date.fromordinal(self.auditor.today.toordinal() - days)
        return wanted if days < 0 else max(wanted, self.auditor.start)

    def payment(self, which, *states):
        """Mostly a payment to which this can be done; now and then any."""
        fitting = [k for k, p in self.auditor.payments.items() if p.state in states]
        names = fitting if fitting and which < 9 else list(self.auditor.payments)
        return names[-1 - which % len(names)]

    @rule(which=some, actor=person, is_good=st.sampled_from((True, True, False)))
    @precondition(lambda self: self.auditor.payments)
    def decide(self, which, actor, is_good):
        self.play.do("decide", self.payment(which, "PENDING"), actor=actor, is_good=is_good)

    @rule(which=some, actor=person)
    @precondition(lambda self: self.auditor.payments)
    def reverse(self, which, actor):
        self.play.do("reverse", self.payment(which, "COMPLETED"), actor=actor)

    # -- money that goes out -----------------------------------------------------------

    @rule(which=some, approver=st.sampled_from(("asha", "ravi")), payer=person)
    @precondition(lambda self: is_running(self) and self.settled_month(0))
    def pay_payout(self, which, approver, payer):
        month = self.settled_month(which)
        if self.auditor.draws[month].payout == "PENDING":
            self.play.do("approve_payout", month, actor=approver)
        self.play.do("pay_payout", month, actor=payer)

    @rule(
        kind=st.sampled_from(KINDS),
        which=some,
        part=portion,
        actor=person,
        approver=st.sampled_from((*PEOPLE, None)),
        oddity=some,
    )
    @precondition(is_running)
    def move_cash(self, kind, which, part, actor, approver, oddity):
        """Somebody asks for cash to be moved; somebody else, or nobody yet, approves it."""
        number = self.creditor(which) if (kind == "REFUND") != (oddity == 11) else None
        there = self.auditor.available(kind, number)
        base = there if there > 0 and kind != "FOREMAN_COVERS" else self.play.terms.installment
        known = [movement.reference for movement in self.auditor.movements.values()]
        reference = known[-1] if oddity == 10 and known else self.play.name("SLIP")
        key = self.play.name("movement ")
        movement = Movement(kind, max(1, base * part // 100), reference, number, actor)
        if self.play.do("request", key, movement) and approver is not None:
            self.play.do("approve_movement", key, actor=approver)

    def creditor(self, which):
        """Mostly a ticket that has a credit; now and then any."""
        waiting = [ticket.number for ticket in self.auditor.in_order() if ticket.advance]
        return waiting[which % len(waiting)] if waiting and which < 9 else self.ticket(which)

    @rule(which=some, actor=person, is_good=st.booleans())
    @precondition(lambda self: self.auditor.movements)
    def decide_movement(self, which, actor, is_good):
        waiting = [k for k, m in self.auditor.movements.items() if m.state == "PENDING"]
        names = waiting if waiting and which < 9 else list(self.auditor.movements)
        operation = "approve_movement" if is_good else "reject_movement"
        self.play.do(operation, names[-1 - which % len(names)], actor=actor)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_office_and_the_auditor_keep_the_same_books(part: int):
    """In parts, so that test processes share the work; each part has lives of its own."""
    print(f"SEED={SEED} LEDGER_EXAMPLES={EXAMPLES}")
    before = Counter(Play.tally)
    run_state_machine_as_test(
        seed(SEED * PARTS + part)(ChitMachine),
        settings=settings(
            max_examples=EXAMPLES // PARTS,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=PHASES,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    done = Play.tally - before
    for what, times in sorted(done.items()):
        print(f"{times:6} {what}")
    if EXAMPLES >= USUAL:
        assert [operation for operation in OPERATIONS if not done[operation]] == []
