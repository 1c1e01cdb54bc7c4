"""An auditor who keeps the books of one chit a second time, in memory.

It is told what is done, never what came of it, and says what must stand on every head of the
ledger and what must be refused. It imports nothing of the product: a test sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tests.ledger.arithmetic import Terms, drawn, shares_of
from tests.ledger.passbook import Credit, Ledger, Ticket

INCOME = ("commission", "late_interest", "fees")
OFFICE = ("foreman", "asha", "ravi")
ADMINISTRATORS = ("asha", "ravi")
# Answers, by the number that the API gives them.
INVALID, FORBIDDEN, MISSING, CONFLICT = 400, 403, 404, 409


class Refused(Exception):
    """The office must refuse this; `statuses` are the answers that would be right."""

    def __init__(self, reasons: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(why for _, why in reasons))
        self.statuses = {status for status, _ in reasons}


@dataclass
class Draw:
    """The draw of one month and the prize that follows from it."""

    month: int
    day: date
    state: str = "SCHEDULED"
    opened_on: date | None = None
    bids: list[tuple[int, int]] = field(default_factory=list)
    net_prize: int = 0
    payout: str = ""
    approver: str = ""

    @property
    def leading(self) -> int | None:
        return max((discount for _, discount in self.bids), default=None)

    @property
    def leader(self) -> int | None:
        return next((ticket for ticket, discount in self.bids if discount == self.leading), None)


@dataclass
class Payment:
    """Money that somebody recorded or declared for one ticket."""

    ticket: int
    amount: int
    day: date
    reference: str
    is_cheque: bool
    transfer: str
    serial: int
    state: str = "PENDING"
    credit: Credit | None = None
    is_reversed: bool = False


@dataclass
class Movement:
    """Cash that moves beside payments and prizes."""

    kind: str
    amount: int
    reference: str
    ticket: int | None
    requester: str
    state: str = "PENDING"


@dataclass(frozen=True)
class Expected:
    """What a draw must bring: how, among which tickets, at which discount; None: no winner."""

    method: str
    candidates: tuple[int, ...]
    discount: int


class Auditor:
    """The second set of books."""

    def __init__(self, terms: Terms, *, start: date, today: date) -> None:
        self.terms = terms
        self.start = start
        self.today = today
        self.stage = "enrolling"
        self.ledger = Ledger()
        self.tickets: dict[int, Ticket] = {}
        self.draws: dict[int, Draw] = {}
        self.payments: dict[str, Payment] = {}
        self.movements: dict[str, Movement] = {}

    # -- what stands -------------------------------------------------------------------

    def heads(self) -> dict[str, int]:
        """Debits less credits of every head that is not at zero, in paise."""
        return {head: amount for head, amount in self.ledger.standing.items() if amount}

    @property
    def cash(self) -> int:
        return self.ledger.standing["cash"]

    @property
    def next_draw(self) -> Draw | None:
        return next((draw for draw in self.draws.values() if draw.state != "SETTLED"), None)

    def in_order(self) -> list[Ticket]:
        return [self.tickets[number] for number in sorted(self.tickets)]

    def eligible(self, day: date | None = None) -> list[int]:
        """Who may bid: not prized, not in arrears on the day; the foreman takes their own month."""
        return [
            number
            for number in self.unprized()
            if not self._may_not_bid(self.tickets[number], day or self.today)
        ]

    def unprized(self) -> list[int]:
        return [
            ticket.number
            for ticket in self.in_order()
            if ticket.prized_in is None and not self._is_foremans(ticket.number)
        ]

    def _is_foremans(self, number: int) -> bool:
        return number == 1 and self.terms.foreman_month is not None

    def _may_not_bid(self, ticket: Ticket, day: date) -> list[tuple[int, str]]:
        return _those(
            (ticket.prized_in is not None, CONFLICT, "prized"),
            (ticket.is_in_arrears(day), CONFLICT, "in arrears"),
        )

    # -- before the first draw ---------------------------------------------------------

    def enrol(self, number: int, holder: str) -> None:
        reserved = 1 if self.terms.foreman_month is not None else 0
        _refuse(
            (self.stage != "enrolling", CONFLICT, "not open for enrolment"),
            (len(self.tickets) >= self.terms.tickets - reserved, CONFLICT, "no ticket is free"),
            (number in self.tickets, CONFLICT, "the number is taken"),
            (not 1 <= number <= self.terms.tickets, INVALID, "there is no such number"),
            (number <= reserved, INVALID, "number 1 is the foreman's"),
            (number <= reserved, CONFLICT, "number 1 is the foreman's"),
        )
        self.tickets[number] = Ticket(number, holder, self.terms, self.ledger)

    def withdraw(self, number: int) -> None:
        _refuse((self.stage != "enrolling", CONFLICT, "it has commenced"))
        del self.tickets[number]

    def commence(self) -> None:
        reserved = 1 if self.terms.foreman_month is not None else 0
        _refuse(
            (self.stage != "enrolling", CONFLICT, "it has commenced"),
            (len(self.tickets) < self.terms.tickets - reserved, CONFLICT, "tickets are free"),
        )
        if reserved:
            self.tickets[1] = Ticket(1, "foreman", self.terms, self.ledger)
        self.stage = "running"
        days = self.terms.draw_days(max(self.start, self.today))
        self.draws = {month: Draw(month, day) for month, day in enumerate(days, start=1)}
        self._raise(1)

    def _raise(self, month: int) -> None:
        for ticket in self.tickets.values():
            ticket.ask(month, due_on=self.draws[month].day, today=self.today)

    # -- draws -------------------------------------------------------------------------

    def _refuse_draw(self, month: int, *more: tuple[bool, int, str]) -> Draw:
        draw, following = self.draws[month], self.next_draw
        _refuse(
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (following is not None and month > following.month, CONFLICT, "an earlier one waits"),
            (draw.state == "SETTLED", CONFLICT, "it is settled"),
            *more,
        )
        return draw

    def open(self, month: int) -> None:
        draw = self._refuse_draw(
            month,
            (month == self.terms.foreman_month, CONFLICT, "it is the foreman's"),
            (self.draws[month].day != self.today, CONFLICT, "it is not the day"),
            (self.draws[month].state != "SCHEDULED", CONFLICT, "it is not scheduled"),
        )
        draw.state, draw.opened_on = "OPEN", self.today

    def bid(self, month: int, number: int, discount: int) -> None:
        draw, ticket, terms = self.draws[month], self.tickets[number], self.terms
        is_open = draw.state == "OPEN" and draw.opened_on == self.today
        leading, cap = draw.leading, terms.cap
        has_bid_this = (number, discount) in draw.bids
        _refuse(
            (not is_open, CONFLICT, "not open for bids"),
            (self._is_foremans(number), FORBIDDEN, "the foreman's ticket"),
            *((True, *reason) for reason in self._may_not_bid(ticket, draw.day)),
            (not terms.lowest <= discount <= cap, INVALID, "outside the bounds"),
            (not terms.is_lawful(discount), INVALID, "commission above the law"),
            (not terms.is_figure(discount), INVALID, "wrong step"),
            (leading not in (None, cap) and draw.leader == number, CONFLICT, "leads already"),
            (has_bid_this, CONFLICT, "the same again"),
            (
                leading is not None and discount <= leading and discount != cap,
                CONFLICT,
                "not above the leader",
            ),
        )
        draw.bids.append((number, discount))

    def expect_close(self, month: int) -> Expected | None:
        """Say what closing must bring; None where nobody is eligible and it is postponed."""
        draw, terms = self.draws[month], self.terms
        is_foremans = month == terms.foreman_month
        self._refuse_draw(
            month,
            (is_foremans and self.today < draw.day, CONFLICT, "it is not the day"),
            (not is_foremans and draw.state != "OPEN", CONFLICT, "it is not open"),
        )
        if is_foremans:
            return Expected("FOREMAN", (1,), 0)
        eligible = self.eligible(draw.day)
        bids = [bid for bid in draw.bids if bid[0] in eligible]
        if not bids:
            return self._without_bids(eligible, others_have_bid=bool(draw.bids))
        leading = max(discount for _, discount in bids)
        if len(eligible) == 1 and len(bids) == len(draw.bids):
            return Expected("SOLE_TICKET", tuple(eligible), terms.uncontested)
        best = sorted(number for number, discount in bids if discount == leading)
        return Expected("LOT_AT_CAP" if len(best) > 1 else "BID", tuple(best), leading)

    def _without_bids(self, eligible: list[int], *, others_have_bid: bool) -> Expected | None:
        """Nobody who may win has bid: the only one has it, or a lot decides."""
        is_sole = len(eligible) == 1 and not others_have_bid
        method = "SOLE_TICKET" if is_sole else "LOT_NO_BID"
        return Expected(method, tuple(eligible), self.terms.uncontested) if eligible else None

    def expect_order(self, month: int, actor: str) -> Expected:
        """Say what an administrator's draw among tickets in arrears must bring."""
        self._refuse_draw(
            month,
            (self.draws[month].state != "POSTPONED", CONFLICT, "it is not postponed"),
            (month == self.terms.foreman_month, CONFLICT, "it is the foreman's"),
            (bool(self.eligible()), CONFLICT, "somebody is eligible"),
            (not self.unprized(), CONFLICT, "nobody is left"),
        )
        return Expected("LOT_NO_BID", tuple(self.unprized()), self.terms.uncontested)

    def expect_record(
        self, month: int, number: int, discount: int, method: str, present: int
    ) -> Expected:
        """Say whether a draw that was held in a room may be entered."""
        draw, terms = self.draws[month], self.terms
        fixed = {"LOT_AT_CAP": terms.cap, "LOT_NO_BID": terms.uncontested}.get(method, discount)
        self._refuse_draw(
            month,
            (month == terms.foreman_month, CONFLICT, "it is the foreman's"),
            (draw.state not in ("SCHEDULED", "OPEN"), CONFLICT, "it is not waiting"),
            (bool(draw.bids), CONFLICT, "bids were placed"),
            (self.today < draw.day, CONFLICT, "it is not the day"),
            (self._is_foremans(number), FORBIDDEN, "the foreman's ticket"),
            *((True, *reason) for reason in self._may_not_bid(self.tickets[number], draw.day)),
            (present < 2, INVALID, "no quorum"),
            (discount != fixed, INVALID, "not what the method brings"),
            (not terms.is_figure(discount) and method == "BID", INVALID, "wrong step"),
            (not terms.allows(discount), INVALID, "outside the bounds"),
        )
        return Expected(method, (number,), discount)

    def check_lot(self, expected: Expected, *, winner: int, seed: str, auction_id: str) -> None:
        """Compare the winner with what was expected; draw a lot again from its seed."""
        assert winner in expected.candidates
        if seed and expected.method.startswith("LOT_"):
            assert winner == drawn(seed, auction_id, list(expected.candidates))

    def settle(self, month: int, winner: int, expected: Expected, *, by_order: bool) -> None:
        """Divide the month, raise the next one, credit the dividends, owe the prize."""
        draw, is_last = self.draws[month], month == self.terms.tickets
        self._make_due(month, self.today)
        for ticket in self.tickets.values():
            ticket.sweep(self.today)
        self.ledger.move("forfeited_dividend", "dividend_pool", self._forfeited)
        draw.net_prize = self._divide(month, expected)
        draw.state, draw.payout = "SETTLED", "PENDING"
        draw.bids = []
        self.tickets[winner].prized_in = month
        if not is_last:
            self._raise(month + 1)
        self._share_pool(month, winner, is_last=is_last)
        if by_order:
            draw.net_prize -= self._set_off(self.tickets[winner], month, draw.net_prize)
        for ticket in self.tickets.values():
            ticket.apply()
        self.ledger.last_settled = month
        self._after_a_movement()

    def _divide(self, month: int, expected: Expected) -> int:
        if expected.method == "FOREMAN":
            self.ledger.move("chit", "prize_payable", self.terms.value)
            return self.terms.value
        parts = self.terms.divide(expected.discount, self.today)
        self.ledger.move("chit", "prize_payable", parts.prize)
        self.ledger.move("chit", "commission", parts.commission)
        self.ledger.move("chit", "dividend_pool", parts.pool)
        self.ledger.move("prize_payable", "gst_payable", parts.tax)
        return parts.prize - parts.tax

    def _recipients(self, winner: int) -> list[Ticket]:
        everybody = self.in_order()
        if self.terms.policy == "EXCLUDE_WINNER":
            return [ticket for ticket in everybody if ticket.number != winner]
        if self.terms.policy == "NON_PRIZED":
            return [ticket for ticket in everybody if ticket.prized_in is None] or everybody
        return everybody

    def _share_pool(self, month: int, winner: int, *, is_last: bool) -> None:
        """Floor the shares to the unit; the rest waits for the next pool, if there is one."""
        pool, recipients = self.ledger.owed("dividend_pool"), self._recipients(winner)
        each = pool // len(recipients) // self.terms.unit * self.terms.unit
        shares = [each] * len(recipients)
        if is_last:
            odd = shares_of(pool - each * len(recipients), len(recipients))
            shares = [each + extra for extra in odd]
        self._credit(recipients, shares, month)

    def _credit(self, recipients: list[Ticket], shares: list[int], month: int) -> None:
        target = month if self.terms.timing == "SAME" else month + 1
        for ticket, share in zip(recipients, shares, strict=True):
            if share:
                dividend = ticket.take(share, self.today, source="dividend_pool", for_month=target)
                ticket.pin(dividend)

    def _set_off(self, ticket: Ticket, month: int, prize: int) -> int:
        """Pay what is owed up to this draw out of the prize, then the interest that this brings."""
        overdue = [due for due in ticket.dues if due.open and due.month <= month]
        taken = 0
        if amount := min(prize, sum(due.open for due in overdue)):
            ticket.take(amount, self.today, source="prize_payable")
            ticket.apply()
            taken += amount
        if amount := min(prize - taken, sum(due.interest_open for due in overdue)):
            credit = ticket.take(amount, self.today, source="prize_payable")
            ticket.pay_interest(credit, overdue)
            taken += amount
        return taken

    def postpone(self, month: int, day: date | None) -> None:
        """Move a draw; nobody is late before it."""
        draw = self.draws[month]
        movable = {"SCHEDULED", "OPEN"} if day is None else {"SCHEDULED", "OPEN", "POSTPONED"}
        earlier = [other.day for other in self.draws.values() if other.month < month]
        _refuse(
            (draw.state not in movable, CONFLICT, "it cannot be moved"),
            (bool(draw.bids), CONFLICT, "bids were placed"),
            (day is not None and day <= self.today, INVALID, "not in the future"),
            (day is not None and (day - self.today).days > 366, INVALID, "too far away"),
            (day is not None and max(earlier, default=day) > day, INVALID, "before an earlier one"),
        )
        draw.opened_on = None
        draw.state = "POSTPONED" if day is None else "SCHEDULED"
        if day is None:
            return
        draw.day = day
        self._make_due(month, day)

    def _make_due(self, month: int, day: date) -> None:
        """An installment is due on the day of its draw, and on a later one if that is held late."""
        for ticket in self.tickets.values():
            for due in ticket.dues:
                if due.month == month:
                    due.due_on = max(due.due_on, day)

    # -- money that comes in -----------------------------------------------------------

    def pay(
        self,
        keys: list[str],
        shares: dict[int, int],
        *,
        actor: str,
        reference: str = "",
        is_cheque: bool = False,
        day: date | None = None,
    ) -> None:
        """Record or declare one transfer for some tickets: all of it or nothing."""
        payments = {
            key: Payment(
                number,
                shares[number],
                day or self.today,
                reference,
                is_cheque,
                keys[0],
                self.ledger.next_serial(),
            )
            for key, number in zip(keys, shares, strict=True)
        }
        for payment in payments.values():
            self._refuse_payment(payment, actor)
        self.payments |= payments
        if actor in OFFICE and not is_cheque:
            for payment in payments.values():
                self._complete(payment)

    def _refuse_payment(self, payment: Payment, actor: str) -> None:
        ticket = self.tickets[payment.ticket]
        is_theirs = actor in OFFICE or ticket.holder == actor
        _refuse(
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (not is_theirs, MISSING, "not their ticket"),
            (payment.amount > ticket.could_owe(), INVALID, "more than the ticket can owe"),
            (payment.day > self.today, INVALID, "in the future"),
            (self._is_known(payment), CONFLICT, "the reference is known"),
        )

    def _is_known(self, payment: Payment) -> bool:
        """A reference stands for one transfer; a cheque's number is its bank's, so of a ticket."""
        standing = [
            other
            for other in self.payments.values()
            if other.reference == payment.reference
            and other.state != "FAILED"
            and not other.is_reversed
            and other.transfer != payment.transfer
        ]
        if payment.is_cheque:
            standing = [other for other in standing if other.ticket == payment.ticket]
        return bool(payment.reference and standing)

    def _complete(self, payment: Payment) -> None:
        ticket = self.tickets[payment.ticket]
        payment.state = "COMPLETED"
        payment.credit = ticket.take(
            payment.amount, payment.day, source="cash", serial=payment.serial
        )
        ticket.apply(payment.credit.brought)
        self._after_a_movement()

    def decide(self, key: str, *, actor: str, is_good: bool) -> None:
        """Confirm a payment that waits, or say that it failed."""
        payment = self.payments[key]
        _refuse(
            (actor not in OFFICE, FORBIDDEN, "not the till's keeper"),
            (payment.state != "PENDING", CONFLICT, "it is decided"),
            (is_good and self.stage != "running", CONFLICT, "the chit does not run"),
        )
        if is_good:
            self._complete(payment)
        else:
            payment.state = "FAILED"

    def reverse(self, key: str, *, actor: str) -> None:
        payment = self.payments[key]
        credit = payment.credit
        _refuse(
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (actor not in OFFICE, FORBIDDEN, "not the till's keeper"),
            (payment.state != "COMPLETED", CONFLICT, "it is not completed"),
            (payment.is_reversed, CONFLICT, "it is reversed"),
            (self.cash < payment.amount, CONFLICT, "the cash is not there"),
            (credit is not None and credit.refunded > 0, CONFLICT, "it was refunded"),
        )
        assert credit is not None
        payment.is_reversed = True
        ticket = self.tickets[payment.ticket]
        ticket.give_back(credit)
        ticket.apply()
        self._after_a_movement()

    # -- money that goes out -----------------------------------------------------------

    def approve_payout(self, month: int, *, actor: str) -> None:
        draw = self.draws[month]
        _refuse(
            (actor not in ADMINISTRATORS, FORBIDDEN, "not an administrator"),
            (draw.payout != "PENDING", CONFLICT, "it does not wait"),
        )
        draw.payout, draw.approver = "APPROVED", actor

    def pay_payout(self, month: int, *, actor: str) -> None:
        draw = self.draws[month]
        _refuse(
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (actor not in OFFICE, FORBIDDEN, "not the till's keeper"),
            (draw.approver == actor, FORBIDDEN, "they approved it"),
            (draw.payout != "APPROVED", CONFLICT, "it is not approved"),
            (self.cash < draw.net_prize, CONFLICT, "the cash is not there"),
        )
        self.ledger.move("prize_payable", "cash", draw.net_prize)
        draw.payout = "PAID"
        self._after_a_movement()

    def request(self, key: str, movement: Movement) -> None:
        """Enter a cash movement; what the foreman brings is posted at once."""
        is_refund = movement.kind == "REFUND"
        known = any(
            (other.kind, other.reference) == (movement.kind, movement.reference)
            and other.state != "REJECTED"
            for other in self.movements.values()
        )
        _refuse(
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (movement.requester not in OFFICE, MISSING, "not the till's keeper"),
            (is_refund == (movement.ticket is None), INVALID, "a refund names a ticket"),
            (known, CONFLICT, "the reference is known"),
            *self._not_covered(movement),
        )
        self.movements[key] = movement
        if movement.kind == "FOREMAN_COVERS":
            self._post(movement)

    def _not_covered(self, movement: Movement) -> list[tuple[bool, int, str]]:
        if movement.kind == "FOREMAN_COVERS":
            return []
        available = self.available(movement.kind, movement.ticket)
        return [
            (available < movement.amount, CONFLICT, "more than there is to take"),
            (self.cash < movement.amount, CONFLICT, "the cash is not there"),
        ]

    def available(self, kind: str, ticket: int | None = None) -> int:
        """What a movement of a kind may take at most, cash apart."""
        if kind == "FOREMAN_DRAWS":
            return sum(self.ledger.owed(head) for head in (*INCOME, "foreman"))
        if kind == "TAX_PAID":
            return self.ledger.owed("gst_payable")
        return 0 if ticket is None else self.tickets[ticket].advance

    def approve_movement(self, key: str, *, actor: str) -> None:
        movement = self.movements[key]
        _refuse(
            (actor == movement.requester or actor not in OFFICE, FORBIDDEN, "no second person"),
            (self.stage != "running", CONFLICT, "the chit does not run"),
            (movement.state != "PENDING", CONFLICT, "it is decided"),
            *self._not_covered(movement),
        )
        self._post(movement)

    def reject_movement(self, key: str, *, actor: str) -> None:
        movement = self.movements[key]
        _refuse(
            (actor not in OFFICE, FORBIDDEN, "not the till's keeper"),
            (movement.state != "PENDING", CONFLICT, "it is decided"),
        )
        movement.state = "REJECTED"

    def _post(self, movement: Movement) -> None:
        movement.state = "COMPLETED"
        if movement.kind == "REFUND":
            assert movement.ticket is not None
            self.tickets[movement.ticket].refund(movement.amount)
        elif movement.kind == "TAX_PAID":
            self.ledger.move("gst_payable", "cash", movement.amount)
        elif movement.kind == "FOREMAN_DRAWS":
            self._earn()
            self.ledger.move("foreman", "cash", movement.amount)
        else:
            self.ledger.move("cash", "foreman", movement.amount)
            self._make_good()
        self._after_a_movement()

    def _earn(self) -> None:
        """What was earned goes to the foreman's account, and what was taken back comes off it."""
        for head in INCOME:
            self.ledger.standing["foreman"] += self.ledger.standing[head]
            self.ledger.standing[head] = 0

    def _make_good(self) -> None:
        """What the foreman brings covers income that was drawn and then taken back."""
        for head in INCOME:
            if self.ledger.owed(head) < 0:
                self.ledger.move("foreman", head, -self.ledger.owed(head))

    # -- the end -----------------------------------------------------------------------

    @property
    def _forfeited(self) -> int:
        return self.ledger.owed("forfeited_dividend")

    def _after_a_movement(self) -> None:
        """After the last draw nothing waits for a next pool; books at zero are closed."""
        if self.stage != "running" or self.next_draw is not None:
            return
        while amount := self._forfeited:
            everybody = self.in_order()
            self.ledger.move("forfeited_dividend", "dividend_pool", amount)
            self._credit(everybody, shares_of(amount, len(everybody)), self.terms.tickets)
            for ticket in everybody:
                ticket.apply()
        if any(draw.payout != "PAID" for draw in self.draws.values()):
            return
        if self.available("FOREMAN_DRAWS") == 0:
            self._earn()
        if not self.heads():
            self.stage = "closed"


def _those(*conditions: tuple[bool, int, str]) -> list[tuple[int, str]]:
    return [(status, why) for holds, status, why in conditions if holds]


def _refuse(*conditions: tuple[bool, int, str]) -> None:
    if reasons := _those(*conditions):
        raise Refused(reasons)
