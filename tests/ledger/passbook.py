"""What a ticket owes and has paid, by the auditor's own account (design.md 5.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count

from tests.ledger.arithmetic import Terms


class Ledger:
    """Heads and what stands on them: debits less credits, in paise."""

    def __init__(self) -> None:
        self.standing: dict[str, int] = defaultdict(int)
        self.last_settled = 0  # the month of the latest draw: nobody is late before the draw
        self._serials = count(1)

    def next_serial(self) -> int:
        """Number what comes in, in the order in which it was told."""
        return next(self._serials)

    def move(self, debit: str, credit: str, amount: int) -> None:
        assert amount >= 0, f"{amount} from {credit} to {debit}"
        self.standing[debit] += amount
        self.standing[credit] -= amount

    def owed(self, head: str) -> int:
        """What stands on a head that normally stands in credit."""
        return -self.standing[head]


@dataclass
class Credit:
    """Money or a dividend that came in for a ticket; `free` is what pays nothing yet."""

    serial: int
    amount: int
    day: date
    for_month: int | None = None  # of a dividend: the month whose installment it lowers
    free: int = 0
    refunded: int = 0
    brought: list[tuple[Due, int]] = field(default_factory=list)

    @property
    def is_dividend(self) -> bool:
        return self.for_month is not None


@dataclass
class Piece:
    """A part of a credit that pays a part of a due, and the day it counts from."""

    credit: Credit
    amount: int
    day: date


@dataclass
class Due:
    """One month of one ticket."""

    month: int
    gross: int
    due_on: date
    raised_on: date
    pieces: list[Piece] = field(default_factory=list)
    interest: int = 0
    interest_pieces: list[Piece] = field(default_factory=list)
    is_forfeited: bool = False

    @property
    def open(self) -> int:
        return self.gross - sum(piece.amount for piece in self.pieces)

    @property
    def interest_open(self) -> int:
        return self.interest - sum(piece.amount for piece in self.interest_pieces)

    @property
    def dividends(self) -> int:
        return sum(piece.amount for piece in self.pieces if piece.credit.is_dividend)


class Ticket:
    """One ticket: dues in order, credits in the order in which they came."""

    def __init__(self, number: int, holder: str, terms: Terms, ledger: Ledger) -> None:
        self.number = number
        self.holder = holder
        self.terms = terms
        self.ledger = ledger
        self.dues: list[Due] = []
        self.credits: list[Credit] = []
        self.prized_in: int | None = None

    @property
    def head(self) -> str:
        return f"ticket {self.number}"

    @property
    def outstanding(self) -> int:
        return sum(due.open + due.interest_open for due in self.dues)

    @property
    def advance(self) -> int:
        return sum(credit.free for credit in self.credits)

    @property
    def oldest_unpaid(self) -> date | None:
        return min((due.due_on for due in self.dues if due.open), default=None)

    def is_in_arrears(self, today: date) -> bool:
        oldest = self.oldest_unpaid
        return oldest is not None and oldest < today

    def could_owe(self) -> int:
        """The most that somebody could still pay for this ticket and mean it."""
        months_raised = len(self.dues)
        to_come = sum(self.terms.gross(m) for m in range(months_raised + 1, self.terms.tickets + 1))
        # What is owed is counted twice: interest that paying it will bring is not known before.
        return max(0, 2 * self.outstanding - self.advance + to_come)

    # -- what comes in -----------------------------------------------------------------

    def ask(self, month: int, *, due_on: date, today: date) -> None:
        """Raise the installment of a month."""
        gross = self.terms.gross(month)
        self.ledger.move(self.head, "chit", gross)
        self.dues.append(Due(month, gross, max(due_on, today), today))

    def take(
        self,
        amount: int,
        day: date,
        *,
        source: str,
        serial: int | None = None,
        for_month: int | None = None,
    ) -> Credit:
        """Take in a credit among those that are older; it pays nothing until `apply`."""
        self.ledger.move(source, self.head, amount)
        serial = serial or self.ledger.next_serial()
        credit = Credit(serial, amount, day, for_month, free=amount)
        self.credits.append(credit)
        self.credits.sort(key=lambda credit: credit.serial)
        return credit

    def pin(self, dividend: Credit) -> None:
        """Credit a dividend to its own month, making room where money has paid it already."""
        due = next((due for due in self.dues if due.month == dividend.for_month), None)
        if due is None:
            return
        amount = min(dividend.free, due.gross - due.dividends)
        self._make_room(due, amount - due.open)
        if amount:
            # A draw that is held late makes nobody late: the dividend counts from the due day.
            day = max(due.raised_on, min(dividend.day, due.due_on))
            self._pay(due, dividend, amount, day, [])

    def _make_room(self, due: Due, short: int) -> None:
        for piece in reversed([piece for piece in due.pieces if not piece.credit.is_dividend]):
            back = min(max(short, 0), piece.amount)
            piece.amount -= back
            piece.credit.free += back
            short -= back
        due.pieces = [piece for piece in due.pieces if piece.amount]

    # -- what it pays ------------------------------------------------------------------

    def apply(self, brought: list[tuple[Due, int]] | None = None) -> None:
        """Pay installments, oldest first, then interest; `brought` notes what being late cost."""
        brought = [] if brought is None else brought
        for due in self.dues:
            for credit in self._free():
                if due.open and self._is_late(due, credit.day):
                    self.forfeit(due)
                if amount := min(credit.free, due.open):
                    self._pay(due, credit, amount, max(credit.day, due.raised_on), brought)
        for credit in list(self._free()):
            self.pay_interest(credit, self.dues)

    def pay_interest(self, credit: Credit, dues: list[Due]) -> None:
        """Pay the interest of dues with what a credit has left, the oldest first."""
        for due in dues:
            if amount := min(credit.free, due.interest_open):
                credit.free -= amount
                due.interest_pieces.append(Piece(credit, amount, credit.day))

    def _free(self) -> Iterator[Credit]:
        return (credit for credit in self.credits if credit.free)

    def _pay(
        self,
        due: Due,
        credit: Credit,
        amount: int,
        day: date,
        brought: list[tuple[Due, int]],
    ) -> None:
        credit.free -= amount
        due.pieces.append(Piece(credit, amount, day))
        if due.open == 0:
            self._charge(due, brought)

    def _charge(self, due: Due, brought: list[tuple[Due, int]]) -> None:
        """Ask for late interest once a due is paid; what was asked before is not asked again."""
        if due.month > self.ledger.last_settled:
            return
        days = [(piece.amount, (piece.day - due.due_on).days) for piece in due.pieces]
        missing = self.terms.interest(days) - due.interest
        if missing > 0:
            due.interest += missing
            self.ledger.move(self.head, "late_interest", missing)
            brought.append((due, missing))

    # -- being late --------------------------------------------------------------------

    def _is_late(self, due: Due, day: date) -> bool:
        is_past = (day - due.due_on).days > self.terms.grace_days
        return is_past and due.month <= self.ledger.last_settled

    def sweep(self, today: date) -> None:
        """At a draw, take back the dividends of months that are late and not paid."""
        for due in self.dues:
            if due.open and self._is_late(due, today):
                self.forfeit(due)

    def forfeit(self, due: Due) -> None:
        """Take the dividend of a late month away, once, where the terms say so."""
        own = [piece for piece in due.pieces if piece.credit.for_month == due.month]
        if self.terms.late_dividend == "KEEP" or due.is_forfeited or not own:
            return
        due.pieces = [piece for piece in due.pieces if piece.credit.for_month != due.month]
        due.is_forfeited = True
        lost = sum(piece.amount for piece in own)
        self.ledger.move(self.head, "forfeited_dividend", lost)

    # -- what goes out -----------------------------------------------------------------

    def give_back(self, credit: Credit) -> None:
        """Undo a payment: what it paid is open again, the interest it brought is not owed."""
        for due, interest in credit.brought:
            for piece in due.interest_pieces:
                piece.credit.free += piece.amount
            due.interest_pieces = []
            due.interest -= interest
            self.ledger.move("late_interest", self.head, interest)
        for due in self.dues:
            due.pieces = [piece for piece in due.pieces if piece.credit is not credit]
            due.interest_pieces = [
                piece for piece in due.interest_pieces if piece.credit is not credit
            ]
        credit.free = 0
        self.ledger.move(self.head, "cash", credit.amount)

    def refund(self, amount: int) -> None:
        """Pay credit back, the oldest first."""
        self.ledger.move(self.head, "refund_payable", amount)
        self.ledger.move("refund_payable", "cash", amount)
        for credit in self._free():
            part = min(credit.free, amount)
            credit.free -= part
            credit.refunded += part
            amount -= part
