"""The real office as the auditor speaks of it: names, ticket numbers, paise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any
from unittest import mock
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from auctions.models import Auction, Method
from chitfund.business_date import IST
from payments.audit import check_ledger
from payments.models import LedgerAccount, MovementKind, Payment, PaymentMethod
from payments.services.cash import approve_movement, reject_movement, request_movement
from payments.services.payouts import approve_payout, pay_payout
from payments.services.recording import (
    Share,
    Slip,
    confirm_payment,
    fail_payment,
    record_payment,
)
from payments.services.reversal import reverse_payment
from payments.services.settlement import order_draw_among_arrears
from payments.tests.chits import Chit, move_to
from tests.ledger.arithmetic import Terms
from tests.ledger.auditor import Movement

# Every row of a scheme, and the numbers given out: what a refused operation must not change.
ROWS_OF_A_SCHEME = (
    ("schemes", "id = %(scheme)s"),
    *(
        (table, "scheme_id = %(scheme)s")
        for table in (
            "statutory_records",
            "subscriptions",
            "auctions",
            "installments",
            "payments",
            "ledger_accounts",
            "transfers",
            "prize_payouts",
            "cash_movements",
        )
    ),
    ("bids", "auction_id IN (SELECT id FROM auctions WHERE scheme_id = %(scheme)s)"),
    (
        "payment_allocations",
        "payment_id IN (SELECT id FROM payments WHERE scheme_id = %(scheme)s)",
    ),
)
FINGERPRINT = " UNION ALL ".join(
    [
        f"SELECT '{table}', count(*), md5(coalesce(string_agg(t::text, ',' ORDER BY id), '')) "
        f"FROM {table} t WHERE {condition}"
        for table, condition in ROWS_OF_A_SCHEME
    ]
    + [
        "SELECT 'numbers', sum(last), '' FROM number_series",
        "SELECT 'audit events', count(*), '' FROM audit_events WHERE id >= %(scheme)s",
        "SELECT 'notifications', count(*), '' FROM notifications WHERE id >= %(scheme)s",
    ]
)


def rupees(paise: int) -> Decimal:
    return Decimal(paise) / 100


def paise(amount: Decimal) -> int:
    return int(amount * 100)


FIRST_ID = 0x019B_0000_0000_7000_8000_0000_0000_0000


@contextmanager
def same_every_time() -> Iterator[None]:
    """Make ids and seeds without chance, so that a life with its lots can be lived again."""
    ids, seeds = count(FIRST_ID), count(1)
    with ExitStack() as patches:
        for name, value in {
            "uuid_utils.compat.uuid7": lambda: UUID(int=next(ids)),
            "auctions.lot.secrets.token_hex": lambda length: f"{next(seeds):064x}",
        }.items():
            patches.enter_context(mock.patch(name, value))
        yield


@contextmanager
def nothing_is_kept() -> Iterator[None]:
    """Run in one transaction and roll it back, once its deferred constraints were asked."""
    with same_every_time(), transaction.atomic():
        yield
        connection.check_constraints()
        transaction.set_rollback(True)


def scheme_terms(terms: Terms) -> dict[str, Any]:
    """Return the auditor's terms in the words and types of a scheme."""
    lowest = terms.lowest_percent
    return {
        "monthly_installment": rupees(terms.installment),
        "commission_percent": _decimal(terms.commission_percent),
        "commission_base": terms.commission_base,
        "commission_mode": terms.commission_mode,
        "max_discount_percent": _decimal(terms.cap_percent),
        "min_discount_percent": None if lowest is None else _decimal(lowest),
        "bid_step": rupees(terms.bid_step),
        "dividend_policy": terms.policy,
        "dividend_timing": terms.timing,
        "rounding_unit": rupees(terms.unit),
        "foreman_installment": terms.foreman_month,
        "late_interest_percent": _decimal(terms.interest_percent),
        "grace_days": terms.grace_days,
        "late_dividend": terms.late_dividend,
        "auction_day": terms.auction_day,
    }


def _decimal(fraction: Any) -> Decimal:
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


class Office:
    """One chit of the real office."""

    def __init__(self, terms: Terms, *, today: date) -> None:
        self.chit = Chit.sanctioned(tickets=terms.tickets, today=today, **scheme_terms(terms))
        self.people: dict[str, User] = {
            "foreman": self.chit.foreman,
            "asha": self.chit.asha,
            "ravi": self.chit.ravi,
        }
        for number, member in enumerate(self.chit.members, start=1):
            self.people[f"member {number}"] = member
        self.auctions: dict[int, Any] = {}
        self.tickets: dict[int, Any] = {}
        self.payments: dict[str, Any] = {}
        self.movements: dict[str, Any] = {}

    # -- what stands -------------------------------------------------------------------

    def heads(self) -> dict[str, int]:
        """Debits less credits of every head that is not at zero, in paise."""
        accounts = LedgerAccount.objects.filter(scheme=self.chit.pk).select_related("subscription")
        standing = {
            f"ticket {account.subscription.ticket_number}"
            if account.subscription
            else account.kind: paise(account.debits - account.credits)
            for account in accounts
        }
        return {head: amount for head, amount in standing.items() if amount}

    def summaries(self) -> dict[int, tuple[int, int, date | None]]:
        """Return what each ticket says of itself: outstanding, advance, oldest unpaid due day."""
        return {
            ticket.ticket_number: (
                paise(ticket.outstanding),
                paise(ticket.advance),
                ticket.oldest_unpaid_due_on,
            )
            for ticket in self.chit.tickets()
        }

    def findings(self) -> list[Any]:
        return check_ledger(self.chit.pk)

    def fingerprint(self) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(FINGERPRINT, {"scheme": self.chit.pk})
            return cursor.fetchall()

    @property
    def status(self) -> str:
        return self.chit.scheme.status

    # -- what is done ------------------------------------------------------------------

    def move_to(self, day: date) -> None:
        move_to(day)

    def enrol(self, number: int, holder: str) -> None:
        self.chit.enrol(number, self.people[holder])

    def withdraw(self, number: int) -> None:
        self.chit.withdraw(number)

    def commence(self) -> None:
        self.chit.commence()
        self.auctions = dict(
            Auction.objects.filter(scheme=self.chit.pk).values_list("installment_number", "pk")
        )
        self.tickets = {ticket.ticket_number: ticket for ticket in self.chit.tickets()}

    def open(self, month: int) -> None:
        self.chit.open(month)

    def bid(self, month: int, number: int, discount: int) -> None:
        self.chit.bid(month, number, rupees(discount))

    def close(self, month: int) -> Auction:
        return self.chit.close(month)

    def order_draw(self, month: int, actor: str) -> Auction:
        return order_draw_among_arrears(auction_id=self.auctions[month], actor=self.people[actor])

    def record(
        self, month: int, number: int, discount: int, *, method: str, present: int
    ) -> Auction:
        return self.chit.record(
            month, number, rupees(discount), method=Method(method), present=present
        )

    def postpone(self, month: int, day: date | None) -> None:
        self.chit.postpone(month, day)

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
        at = {} if day is None else {"payment_date": datetime.combine(day, time(12), tzinfo=IST)}
        electronic = PaymentMethod.UPI if reference else PaymentMethod.CASH
        payments = record_payment(
            actor=self.people[actor],
            shares=[
                Share(self.tickets[number].pk, rupees(amount)) for number, amount in shares.items()
            ],
            slip=Slip(
                method=PaymentMethod.CHEQUE if is_cheque else electronic,
                transaction_id=reference,
                **at,
            ),
        )
        for key, payment in zip(keys, payments, strict=True):
            self.payments[key] = payment.pk

    def decide(self, key: str, *, actor: str, is_good: bool) -> Payment:
        who, payment = self.people[actor], self.payments[key]
        if is_good:
            return confirm_payment(payment_id=payment, actor=who)
        return fail_payment(payment_id=payment, actor=who, note="bounced")

    def reverse(self, key: str, *, actor: str) -> None:
        reverse_payment(payment_id=self.payments[key], actor=self.people[actor], reason="a mistake")

    def approve_payout(self, month: int, *, actor: str) -> None:
        payout = self.chit.payout(month)
        approve_payout(payout_id=payout.pk, actor=self.people[actor], security="Two sureties")

    def pay_payout(self, month: int, *, actor: str) -> None:
        payout = self.chit.payout(month)
        pay_payout(payout_id=payout.pk, actor=self.people[actor], method=PaymentMethod.CASH)

    def request(self, key: str, movement: Movement) -> None:
        number = movement.ticket
        self.movements[key] = request_movement(
            scheme_id=self.chit.pk,
            actor=self.people[movement.requester],
            kind=MovementKind(movement.kind),
            amount=rupees(movement.amount),
            reference=movement.reference,
            subscription_id=None if number is None else self.tickets[number].pk,
        ).pk

    def approve_movement(self, key: str, *, actor: str) -> None:
        approve_movement(
            scheme_id=self.chit.pk, movement_id=self.movements[key], actor=self.people[actor]
        )

    def reject_movement(self, key: str, *, actor: str) -> None:
        reject_movement(
            scheme_id=self.chit.pk,
            movement_id=self.movements[key],
            actor=self.people[actor],
            reason="not now",
        )
