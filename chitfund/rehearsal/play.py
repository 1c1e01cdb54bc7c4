"""Plays one chit from draft to closed books over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import BusinessClock
from chitfund.business_date import IST
from chitfund.rehearsal.cases import Case, MonthPlan
from chitfund.rehearsal.client import Client
from chitfund.rehearsal.people import Cast
from payments.models import TaxRate

FIRST_DAY = date(2030, 1, 10)


@dataclass
class Played:
    """What a chit brought, as the API told it; amounts in rupees."""

    months: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, Decimal] = field(default_factory=dict)
    totals: dict[str, Decimal] = field(default_factory=dict)
    status: str = ""


class Stage:
    """One scheme on the stage, with everybody who acts in it."""

    def __init__(self, case: Case, cast: Cast, *, tell: Callable[[str], None]) -> None:
        self.case = case
        self.cast = cast
        self.tell = tell
        self.scheme_id = ""
        self.holders: dict[int, str] = {}
        self.tickets: dict[int, str] = {}
        self.prized: set[int] = set()
        self.references = 0

    # -- before the first draw -----------------------------------------------------------

    def set_up(self) -> None:
        """Draft, submit, sanction, enrol and commence. Raises RefusedError with the reason."""
        move_to(FIRST_DAY)
        TaxRate.objects.all().delete()
        TaxRate.objects.create(
            percent=self.case.tax_percent, valid_from=date(2000, 1, 1), source=self.case.id
        )
        foreman, admin = self.cast.foreman, self.cast.admin
        scheme = foreman.post(
            "/api/schemes",
            {"name": self.case.id, "start_date": FIRST_DAY.isoformat(), **self.case.terms},
        )
        self.scheme_id = scheme["id"]
        foreman.post(f"/api/schemes/{self.scheme_id}/submit")
        admin.post(f"/api/schemes/{self.scheme_id}/approve", {"comment": "Rehearsal"})
        self._enrol(foreman)
        admin.post(f"/api/schemes/{self.scheme_id}/commence")
        for ticket in foreman.pages(f"/api/schemes/{self.scheme_id}/subscribers"):
            self.tickets[ticket["ticket_number"]] = ticket["id"]
        self.auctions = {
            auction["installment_number"]: auction
            for auction in foreman.pages(f"/api/schemes/{self.scheme_id}/auctions")
        }

    def _enrol(self, foreman: Client) -> None:
        first = 1 if self.case.terms["foreman_installment"] is None else 2
        for number, member in enumerate(self.cast.members, start=first):
            if number > self.case.members:
                return
            foreman.post(
                "/api/subscriptions",
                {
                    "scheme": self.scheme_id,
                    "subscriber": str(member.pk),
                    "ticket_number": number,
                },
            )
            self.holders[number] = str(member.pk)

    # -- one month -----------------------------------------------------------------------

    def play_month(self, month: MonthPlan) -> dict[str, Any]:
        """Collect, draw, pay the prize; return the month's figures."""
        move_to(self._day(month.number))
        pays_first = self.case.terms["dividend_timing"] == "NEXT"
        if pays_first:
            self.collect()
        auction = self._draw(month)
        if not pays_first:
            self.collect(only=month.number)
        self.prized.add(auction["winner"]["ticket_number"])
        self._pay_prize(auction)
        return self._figures(auction, month)

    def _day(self, number: int) -> date:
        opens_at = datetime.fromisoformat(self.auctions[number]["opens_at"])
        return opens_at.astimezone(IST).date()

    def collect(self, only: int | None = None) -> None:
        """Have every ticket pay what it owes, or what it owes for one month."""
        for ticket in self.cast.foreman.pages("/api/subscriptions", scheme=self.scheme_id):
            due = ticket["next_due"]
            amount = ticket["outstanding"]
            if only is not None:
                amount = due["amount"] if due and due["number"] == only else "0.00"
            if Decimal(amount) > 0:
                self.references += 1
                self.cast.foreman.post(
                    "/api/payments",
                    {
                        "subscription": ticket["id"],
                        "amount": amount,
                        "method": "UPI",
                        "transaction_id": f"{self.scheme_id[-12:]}-{self.references}",
                    },
                )

    def _draw(self, month: MonthPlan) -> dict[str, Any]:
        auction = self.auctions[month.number]
        path = f"/api/auctions/{auction['id']}"
        foreman = self.cast.foreman
        if month.number != self.case.terms["foreman_installment"]:
            foreman.post(f"{path}/open")
            self._bid(path, auction, month)
        return foreman.post(f"{path}/close")

    def _bid(self, path: str, auction: dict[str, Any], month: MonthPlan) -> None:
        """Two rivals: at the cap both offer it and a lot decides, below it one outbids."""
        free = [number for number in sorted(self.holders) if number not in self.prized]
        if month.nobody_bids or len(free) == 1:
            return
        low, high = Decimal(auction["min_discount"]), Decimal(auction["max_discount"])
        first = month.discount if month.discount == high else low
        if first != month.discount:
            self._offer(path, free[1], first)
        elif month.discount == high:
            self._offer(path, free[1], high)
        self._offer(path, free[0], month.discount)

    def _offer(self, path: str, number: int, discount: Decimal) -> None:
        self.cast.member(self.holders[number]).post(
            f"{path}/bids", {"subscription": self.tickets[number], "discount": str(discount)}
        )

    def _pay_prize(self, auction: dict[str, Any]) -> None:
        """Approved by the administrator, paid by the foreman."""
        waiting = self.cast.foreman.get("/api/payouts", scheme=self.scheme_id, status="PENDING")
        payout = next(row for row in waiting["results"] if row["auction"] == auction["id"])
        path = f"/api/payouts/{payout['id']}"
        self.cast.admin.post(f"{path}/approve", {"security": "Two sureties, bond on file"})
        self._raise_cash(Decimal(payout["net_amount"]))
        self.references += 1
        self.cast.foreman.post(
            f"{path}/pay",
            {"method": "NEFT", "reference": f"P{self.scheme_id[-12:]}-{self.references}"},
        )

    def _raise_cash(self, needed: Decimal) -> None:
        """The foreman is bound to cover what the collection does not (s.22)."""
        short = needed - self._balances()["cash"]
        if short > 0:
            self._move_cash("FOREMAN_COVERS", short)

    def _figures(self, auction: dict[str, Any], month: MonthPlan) -> dict[str, Any]:
        amounts = {
            name: Decimal(auction[source])
            for name, source in {
                "discount": "discount",
                "commission": "commission",
                "tax": "tax",
                "prize": "prize_amount",
                "dividend_pool": "dividend_pool",
                "dividend": "dividend_per_ticket",
                "residue": "residue",
                "base_dividend": "base_dividend",
                "golden_dividend": "golden_dividend",
            }.items()
        }
        value = Decimal(self.case.terms["total_amount"])
        previous = self._last_residue()
        figures: dict[str, Any] = {
            "installment_number": month.number,
            **amounts,
            "prize_after_tax": amounts["prize"] - amounts["tax"],
            "distributed": amounts["dividend"] * auction["recipients"],
            "bid_amount": value - amounts["discount"],
            "carry_in": previous,
            "dividend_exact": (amounts["dividend_pool"] - previous, auction["recipients"]),
            "net_installment": self._net_installment(auction, month.number),
        }
        self._figures_before = figures
        return figures

    _figures_before: dict[str, Any] | None = None

    def _last_residue(self) -> Decimal:
        return self._figures_before["residue"] if self._figures_before else Decimal("0.00")

    def _net_installment(self, auction: dict[str, Any], number: int) -> Decimal:
        """What a ticket that shares the dividend is asked: of a series the month's own, of a
        single draw the installment that its dividend reduces."""
        winner = auction["winner"]["ticket_number"]
        sharer = next(ticket for ticket in sorted(self.tickets) if ticket != winner)
        is_next = self.case.terms["dividend_timing"] == "NEXT"
        asked = number + 1 if is_next and not self.case.is_series else number
        asked = min(asked, self.case.members)  # nothing is asked after the last draw
        rows = self.cast.foreman.pages(f"/api/subscriptions/{self.tickets[sharer]}/installments")
        return next(Decimal(row["net"]) for row in rows if row["number"] == asked)

    # -- after the last draw ---------------------------------------------------------------

    def close_books(self) -> None:
        """Collect the last dues, pay tax, give credits back, let the foreman draw the rest."""
        self.collect()
        balances = self._balances()
        self._move_cash("TAX_PAID", balances["gst_payable"])
        for ticket in self.cast.foreman.pages("/api/subscriptions", scheme=self.scheme_id):
            self._move_cash("REFUND", Decimal(ticket["advance"]), subscription=ticket["id"])
        income = ("commission", "late_interest", "fees", "foreman")
        self._move_cash("FOREMAN_DRAWS", sum((balances[name] for name in income), Decimal(0)))

    def _move_cash(self, kind: str, amount: Decimal, **more: str) -> None:
        if amount == 0:
            return
        self.references += 1
        path = f"/api/schemes/{self.scheme_id}/cash"
        reference = f"{kind}-{self.references}"
        movement = self.cast.foreman.post(
            path, {"kind": kind, "amount": str(amount), "reference": reference, **more}
        )
        if movement["status"] == "PENDING":
            self.cast.admin.post(f"{path}/{movement['id']}/approve")

    def _balances(self) -> dict[str, Decimal]:
        proof = self.cast.foreman.get(f"/api/schemes/{self.scheme_id}/ledger")["proof"]
        return {row["account"]: Decimal(row["balance"]) for row in proof["accounts"]}

    def proof(self) -> dict[str, Decimal]:
        """The ledger's own figures at the end of the play."""
        answer = self.cast.foreman.get(f"/api/schemes/{self.scheme_id}/ledger")["proof"]
        balances = {row["account"]: Decimal(row["balance"]) for row in answer["accounts"]}
        return {
            "debits": Decimal(answer["debits"]),
            "credits": Decimal(answer["credits"]),
            "chit": balances["chit"],
            "residue": balances["dividend_pool"],
        }

    def totals(self) -> dict[str, Decimal]:
        """What went in and came out over the life of the chit."""
        rows = self.cast.foreman.pages("/api/payments", scheme=self.scheme_id)
        paid = [Decimal(row["amount"]) for row in rows if row["payment_type"] == "INSTALLMENT"]
        first = self.tickets[min(self.tickets)]
        dividends = [
            Decimal(row["amount"])
            for row in rows
            if row["payment_type"] == "DIVIDEND" and row["subscription"] == first
        ]
        own = [
            Decimal(row["amount"])
            for row in rows
            if row["payment_type"] == "INSTALLMENT" and row["subscription"] == first
        ]
        return {
            "total_paid_in": sum(paid, Decimal(0)),
            "total_paid_per_member": sum(own, Decimal(0)),
            "total_dividend_per_member": sum(dividends, Decimal(0)),
        }


def move_to(day: date) -> None:
    """Set the business date of the scratch office."""
    BusinessClock.objects.update_or_create(id=1, defaults={"moved_to": day})


def play(case: Case, cast: Cast, *, to_the_end: bool, tell: Callable[[str], None]) -> Played:
    """Play a case and return what it brought. Raises RefusedError where the office refuses."""
    stage = Stage(case, cast, tell=tell)
    stage.set_up()
    played = Played()
    months = list(case.months)
    if to_the_end:
        last = months[-1]
        months += [
            MonthPlan(number, last.discount, {}, is_compared=False)
            for number in range(last.number + 1, case.members + 1)
        ]
    for month in months:
        played.months.append(stage.play_month(month))
    if months[-1].number == case.members:
        stage.close_books()
        played.totals = _with_outgo(stage.totals(), played.months)
    played.ledger = stage.proof()
    played.status = cast.foreman.get(f"/api/schemes/{stage.scheme_id}")["status"]
    return played


def _with_outgo(totals: dict[str, Decimal], months: list[dict[str, Any]]) -> dict[str, Decimal]:
    outgo = sum((month["prize"] + month["commission"] for month in months), Decimal(0))
    return {**totals, "total_prizes_plus_commission": outgo}
