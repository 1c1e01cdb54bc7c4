"""One chit played twice at once: in the real office, and in the auditor's books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from auctions.models import Auction
from chitfund.exceptions import DomainError
from tests.ledger.arithmetic import Terms
from tests.ledger.auditor import Auditor, Expected, Movement, Refused
from tests.ledger.office import Office, paise


class Play:
    """Does everything in both books, and compares them."""

    # What was done and what was refused, over all lives: a test that never gets there is none.
    tally: Counter[str] = Counter()

    def __init__(self, terms: Terms, *, today: date) -> None:
        assert terms.are_possible, f"the generator made impossible terms: {terms}"
        self.terms = terms
        self.office = Office(terms, today=today)
        self.auditor = Auditor(terms, start=today, today=today)
        self.is_sound = False
        self.is_thorough = True
        self._serial = 0

    def name(self, kind: str) -> str:
        """Return a name that was not used before: of a payment, a movement, a reference."""
        self._serial += 1
        return f"{kind}{self._serial}"

    # -- both at once ------------------------------------------------------------------

    def do(self, operation: str, *args: Any, **kwargs: Any) -> bool:
        """Do an operation that has the same name in both books; tell whether it was accepted."""
        self.is_sound = False

        def in_the_office() -> None:
            getattr(self.office, operation)(*args, **kwargs)

        try:
            getattr(self.auditor, operation)(*args, **kwargs)
        except Refused as refusal:
            self._must_refuse(in_the_office, refusal, operation)
            return False
        in_the_office()
        self.tally[operation] += 1
        if self.is_thorough:
            self.check()
        return True

    def _must_refuse(
        self, in_the_office: Callable[[], object], refusal: Refused, operation: str
    ) -> None:
        """A refused operation is answered as the auditor says, and changes nothing."""
        before = self.office.fingerprint()
        with pytest.raises(DomainError) as said:
            in_the_office()
        assert said.value.status in refusal.statuses, (
            f"{refusal} is refused with {said.value.status}: {said.value.message}"
        )
        assert said.value.message
        assert self.office.fingerprint() == before, f"{refusal}, but something changed"
        self.is_sound = True
        self.tally[f"{operation} refused: {refusal}"] += 1

    def check(self) -> None:
        """Compare everything that must hold after every step."""
        self.is_sound = False
        assert self.office.findings() == []
        heads = self.office.heads()
        assert sum(heads.values()) == 0, "debits are not credits"
        assert heads.get("cash", 0) >= 0
        assert heads == self.auditor.heads()
        if self.auditor.stage != "closed":
            assert self.office.summaries() == {
                ticket.number: (ticket.outstanding, ticket.advance, ticket.oldest_unpaid)
                for ticket in self.auditor.in_order()
            }
        is_closed = self.office.status == "COMPLETED"
        assert is_closed == (self.auditor.stage == "closed")
        self.is_sound = True

    # -- time and draws ----------------------------------------------------------------

    def move_to(self, day: date) -> None:
        self.auditor.today = day
        self.office.move_to(day)

    def pass_days(self, days: int) -> None:
        self.move_to(self.auditor.today + timedelta(days=days))

    def wait_for_the_draw(self) -> int:
        """Go to the day of the next draw, if it is yet to come; return its month."""
        draw = self.auditor.next_draw
        assert draw is not None
        if draw.day > self.auditor.today:
            self.move_to(draw.day)
        return draw.month

    def close(self, month: int) -> bool:
        return self._draw(
            month,
            lambda: self.auditor.expect_close(month),
            lambda: self.office.close(month),
        )

    def record(
        self, month: int, number: int, discount: int, *, method: str = "BID", present: int = 2
    ) -> bool:
        return self._draw(
            month,
            lambda: self.auditor.expect_record(month, number, discount, method, present),
            lambda: self.office.record(month, number, discount, method=method, present=present),
        )

    def order_draw(self, month: int, actor: str = "asha") -> bool:
        return self._draw(
            month,
            lambda: self.auditor.expect_order(month, actor),
            lambda: self.office.order_draw(month, actor),
            by_order=True,
        )

    def _draw(
        self,
        month: int,
        expect: Callable[[], Expected | None],
        in_the_office: Callable[[], Auction],
        *,
        by_order: bool = False,
    ) -> bool:
        self.is_sound = False
        try:
            expected = expect()
        except Refused as refusal:
            self._must_refuse(in_the_office, refusal, "draw")
            return False
        auction = in_the_office()
        self.tally["draw by order" if by_order else f"draw {expected and expected.method}"] += 1
        if expected is None:
            assert auction.status == "POSTPONED"
            self.auditor.draws[month].state = "POSTPONED"
            self.check()
            return True
        self._compare_draw(auction, expected)
        assert auction.winner is not None
        winner = auction.winner.ticket_number
        self.auditor.settle(month, winner, expected, by_order=by_order)
        assert paise(auction.payout.net_amount) == self.auditor.draws[month].net_prize
        self.check()
        return True

    def _compare_draw(self, auction: Auction, expected: Expected) -> None:
        assert auction.status == "SETTLED"
        assert auction.method == expected.method
        assert paise(auction.discount) == expected.discount
        self.auditor.check_lot(
            expected,
            winner=auction.winner.ticket_number,
            seed=auction.seed,
            auction_id=str(auction.pk),
        )

    # -- short cuts --------------------------------------------------------------------

    def enrol_all(self) -> None:
        for number in range(1, self.terms.tickets + 1):
            if number not in self.auditor.tickets and not self.auditor._is_foremans(number):
                assert self.do("enrol", number, f"member {number}")

    def pay(self, shares: dict[int, int], *, actor: str = "foreman", **slip: Any) -> bool:
        keys = [self.name("payment ") for _ in shares]
        return self.do("pay", keys, shares, actor=actor, **slip)

    def move_cash(
        self, kind: str, amount: int, ticket: int | None = None, requester: str = "foreman"
    ) -> str:
        """Request a movement under a reference of its own; return its name."""
        key = self.name("movement ")
        self.do("request", key, Movement(kind, amount, self.name("SLIP"), ticket, requester))
        return key

    # -- to closed books ---------------------------------------------------------------

    def finish(self) -> None:
        """Play on until the books are closed: everybody pays, every draw is held.

        The books are compared after each draw and at the end, no longer after every step.
        """
        self.is_thorough = False
        if self.auditor.stage == "enrolling":
            self.enrol_all()
            assert self.do("commence")
        while self.auditor.next_draw is not None:
            self._pay_what_is_owed()
            self._hold_the_next_draw()
        self._pay_what_is_owed()
        self.check()
        self.settle_up()
        self.check()
        assert self.auditor.stage == "closed"
        assert self.auditor.heads() == {}

    def _pay_what_is_owed(self) -> None:
        """Everybody pays; a dividend that is forfeited by paying late is owed and paid as well."""
        while owed := {t.number: t.outstanding for t in self.auditor.in_order() if t.outstanding}:
            assert self.pay(owed)

    def _hold_the_next_draw(self) -> None:
        draw = self.auditor.next_draw
        assert draw is not None
        if draw.state == "POSTPONED" and draw.month != self.terms.foreman_month:
            assert self.do("postpone", draw.month, max(self.auditor.today, draw.day) + DAY)
        month = self.wait_for_the_draw()
        if month == self.terms.foreman_month or draw.state == "OPEN":
            assert self.close(month)
        elif draw.day == self.auditor.today:
            assert self.do("open", month)
            assert self.close(month)
        else:
            winner = self.auditor.eligible(draw.day)[0]
            assert self.record(month, winner, self.terms.uncontested, method="LOT_NO_BID")

    def settle_up(self) -> None:
        """Empty what is left: requests that wait, prizes, refunds, tax, the foreman's account."""
        for key, movement in self.auditor.movements.items():
            if movement.state == "PENDING":
                assert self.do("reject_movement", key, actor="asha")
        self._cover_what_is_short()
        for month in sorted(self.auditor.draws):
            self._pay_out(month)
        for ticket in self.auditor.in_order():
            if ticket.advance:
                self._move_all("REFUND", ticket.advance, ticket.number)
        if owed := self.auditor.available("TAX_PAID"):
            self._move_all("TAX_PAID", owed)
        if earned := self.auditor.available("FOREMAN_DRAWS"):
            self._move_all("FOREMAN_DRAWS", earned)

    def _cover_what_is_short(self) -> None:
        """The foreman brings back what was drawn and then taken away from what was earned."""
        if (earned := self.auditor.available("FOREMAN_DRAWS")) < 0:
            self.move_cash("FOREMAN_COVERS", -earned)

    def _pay_out(self, month: int) -> None:
        draw = self.auditor.draws[month]
        if draw.payout == "PENDING":
            assert self.do("approve_payout", month, actor="asha")
        if draw.payout == "APPROVED":
            payer = "ravi" if draw.approver == "asha" else "asha"
            assert self.do("pay_payout", month, actor=payer)

    def _move_all(self, kind: str, amount: int, ticket: int | None = None) -> None:
        key = self.move_cash(kind, amount, ticket)
        assert self.do("approve_movement", key, actor="asha")


DAY = timedelta(days=1)
