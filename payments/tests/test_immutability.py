"""The ledger is append-only for the role that answers requests (reliability.md 2, row 4).

Every statement is sent as that role over a connection of its own to books that were committed
before. The database refuses it, not the code in front of it, and nothing has changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.test import TransactionTestCase
from psycopg import errors

from accounts.models import AuditEvent
from auctions.models import Bid
from chitfund.db import new_id
from payments.models import (
    AccountKind,
    LedgerAccount,
    Payment,
    PaymentAllocation,
    PaymentMethod,
    PaymentStatus,
    Transfer,
)
from payments.tests.chits import Chit, running_chit

Ids = dict[str, Any]
TABLES = (
    "transfers",
    "ledger_accounts",
    "payment_allocations",
    "audit_events",
    "bids",
    "payments",
)
TRANSFER = """
    INSERT INTO transfers (id, scheme_id, entry, debit_account_id, credit_account_id, amount,
        kind, installment_number, business_date, created_at, reverses_id)
    VALUES (gen_random_uuid(), {scheme}, {entry}, {debit}, {credit}, {amount},
        'PAYMENT_RECEIVED', NULL, current_date, now(), {reverses})
"""
USUAL = {
    "scheme": "%(scheme)s",
    "entry": "%(new)s",
    "debit": "%(cash)s",
    "credit": "%(ticket)s",
    "amount": "1.00",
    "reverses": "NULL",
}
ACCOUNT = """
    INSERT INTO ledger_accounts (id, scheme_id, kind, debits, credits, created_at)
    VALUES (gen_random_uuid(), {scheme}, {kind}, {debits}, {credits}, now())
"""
PAYMENT = """
    INSERT INTO payments (id, scheme_id, subscription_id, subscriber_id, amount, payment_type,
        status, method, transaction_id, payment_date, receipt_number, unallocated, note,
        completed_at, created_at)
    SELECT gen_random_uuid(), scheme_id, subscription_id, subscriber_id, 10, payment_type,
        'COMPLETED', method, '', now(), '', 0, '', now(), now()
    FROM payments WHERE id = %(payment)s
"""
FORGED = """
    CREATE TEMPORARY TABLE forged (LIKE transfers);
    CREATE TRIGGER forged AFTER INSERT ON forged REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION apply_transfers();
"""


def transfer(**changes: str) -> str:
    """Return the INSERT of a transfer that would be in order, but for what is changed."""
    return TRANSFER.format(**{**USUAL, **changes})


def account(**changes: str) -> str:
    usual = {"scheme": "%(scheme)s", "kind": "'fees'", "debits": "0", "credits": "0"}
    return ACCOUNT.format(**{**usual, **changes})


NOT_GRANTED = errors.InsufficientPrivilege
BY_A_TRIGGER = errors.RestrictViolation

# How each is refused: by the error of the database, or by the constraint of this name.
REFUSED: dict[str, tuple[str, Any]] = {
    # What is posted is never changed.
    "change_a_transfer": (
        "UPDATE transfers SET amount = amount + 1 WHERE id = %(transfer)s",
        NOT_GRANTED,
    ),
    "change_the_kind_of_a_transfer": ("UPDATE transfers SET kind = 'REFUND'", NOT_GRANTED),
    "remove_a_transfer": ("DELETE FROM transfers WHERE id = %(transfer)s", NOT_GRANTED),
    "empty_the_transfers": ("TRUNCATE transfers CASCADE", NOT_GRANTED),
    "overwrite_a_transfer_by_inserting_it_again": (
        transfer() + " ON CONFLICT (id) DO UPDATE SET amount = 2",
        NOT_GRANTED,
    ),
    "merge_into_the_transfers": (
        "MERGE INTO transfers t USING (SELECT 1) x ON t.id = %(transfer)s WHEN MATCHED THEN DELETE",
        NOT_GRANTED,
    ),
    # An entry is closed when its transaction ends.
    "add_to_an_old_entry": (transfer(entry="%(entry)s"), BY_A_TRIGGER),
    "add_a_balanced_pair_to_an_old_entry": (
        transfer(entry="%(entry)s")
        + ", (gen_random_uuid(), %(scheme)s, %(entry)s, %(ticket)s, %(cash)s, 1,"
        " 'REVERSAL', NULL, current_date, now(), NULL)",
        BY_A_TRIGGER,
    ),
    "add_to_an_entry_under_its_own_transaction_id": (
        transfer(entry="%(entry)s")
        .replace("reverses_id)", "reverses_id, xid)")
        .replace(
            "now(), NULL)", "now(), NULL, (SELECT xid FROM transfers WHERE id = %(transfer)s))"
        ),
        BY_A_TRIGGER,
    ),
    # What is posted makes sense.
    "post_nothing": (transfer(amount="0"), "transfer_amount_is_positive"),
    "post_less_than_nothing": (transfer(amount="-1"), "transfer_amount_is_positive"),
    "post_to_one_account_only": (transfer(credit="%(cash)s"), "transfer_moves_something"),
    "post_an_unknown_kind": (
        transfer().replace("PAYMENT_RECEIVED", "GIFT"),
        "transfer_kind_is_known",
    ),
    "take_more_cash_than_there_is": (
        transfer(debit="%(ticket)s", credit="%(cash)s", amount="1000000"),
        "ledger_cash_is_never_negative",
    ),
    "pay_a_prize_twice": (
        transfer(debit="%(prize_payable)s", credit="%(ticket)s", amount="5000"),
        "ledger_nothing_is_paid_out_twice",
    ),
    "post_between_two_chits": (
        transfer(credit="%(other_cash)s"),
        "transfer_credit_account_in_scheme",
    ),
    "post_under_the_name_of_another_chit": (
        transfer(scheme="%(other_scheme)s"),
        "transfer_debit_account_in_scheme",
    ),
    "post_to_closed_books": (
        transfer(scheme="%(closed_scheme)s", debit="%(closed_cash)s", credit="%(closed_foreman)s"),
        BY_A_TRIGGER,
    ),
    "reverse_only_a_part": (
        transfer(debit="%(ticket)s", credit="%(cash)s", amount="999", reverses="%(transfer)s"),
        BY_A_TRIGGER,
    ),
    "reverse_in_the_same_direction": (
        transfer(amount="1000", reverses="%(transfer)s"),
        BY_A_TRIGGER,
    ),
    "reverse_between_other_accounts": (
        transfer(debit="%(commission)s", credit="%(cash)s", amount="1000", reverses="%(transfer)s"),
        BY_A_TRIGGER,
    ),
    "reverse_twice": (
        transfer(debit="%(ticket)s", credit="%(cash)s", amount="1000", reverses="%(reversed)s"),
        "transfers_reverses_id_key",
    ),
    # A balance comes from transfers and from nowhere else.
    "change_a_balance": (
        "UPDATE ledger_accounts SET debits = debits + 1 WHERE id = %(cash)s",
        NOT_GRANTED,
    ),
    "make_a_ticket_owe_nothing": (
        "UPDATE ledger_accounts SET credits = debits WHERE id = %(ticket)s",
        NOT_GRANTED,
    ),
    "remove_an_account": ("DELETE FROM ledger_accounts WHERE id = %(fees)s", NOT_GRANTED),
    "empty_the_accounts": ("TRUNCATE ledger_accounts CASCADE", NOT_GRANTED),
    "open_an_account_with_a_balance": (account(debits="5"), BY_A_TRIGGER),
    "open_a_second_till": (account(kind="'cash'"), "ledger_account_one_a_kind"),
    "open_a_ticket_account_of_nobody": (
        account(kind="'ticket'"),
        "ledger_account_of_a_ticket_names_it",
    ),
    "call_the_function_that_moves_balances": (
        "SELECT apply_transfers()",
        NOT_GRANTED,
    ),
    "move_balances_by_a_trigger_of_ones_own": (
        FORGED + "INSERT INTO forged SELECT gen_random_uuid(), gen_random_uuid(), 5, kind, NULL,"
        " current_date, now(), credit_account_id, debit_account_id, NULL, scheme_id,"
        " pg_current_xact_id() FROM transfers WHERE id = '{transfer}'",
        NOT_GRANTED,
    ),
    # Guards are not taken away.
    "disable_a_trigger": ("ALTER TABLE transfers DISABLE TRIGGER ALL", NOT_GRANTED),
    "disable_the_triggers_of_accounts": (
        "ALTER TABLE ledger_accounts DISABLE TRIGGER USER",
        NOT_GRANTED,
    ),
    "drop_a_trigger": ("DROP TRIGGER transfers_append_only ON transfers", NOT_GRANTED),
    "drop_a_constraint": (
        "ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_cash_is_never_negative",
        NOT_GRANTED,
    ),
    "pretend_to_be_a_replica": ("SET session_replication_role = replica", NOT_GRANTED),
    "become_the_owner": ("SET ROLE chitfund_owner", NOT_GRANTED),
    "grant_oneself_the_right": (
        "GRANT UPDATE ON transfers TO chitfund_app; UPDATE transfers SET amount = 1",
        NOT_GRANTED,
    ),
    "replace_the_function_that_refuses": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        NOT_GRANTED,
    ),
    "put_a_table_in_front_of_the_ledger": ("CREATE TABLE public.entries (a int)", NOT_GRANTED),
    "drop_the_ledger": ("DROP TABLE transfers CASCADE", NOT_GRANTED),
    # What stands beside the ledger stands as well.
    "change_an_allocation": (
        "UPDATE payment_allocations SET amount = 1 WHERE id = %(allocation)s",
        NOT_GRANTED,
    ),
    "remove_an_allocation": (
        "DELETE FROM payment_allocations WHERE id = %(allocation)s",
        NOT_GRANTED,
    ),
    "empty_the_allocations": ("TRUNCATE payment_allocations", NOT_GRANTED),
    "change_what_was_done": (
        "UPDATE audit_events SET actor_id = NULL WHERE id = %(event)s",
        NOT_GRANTED,
    ),
    "remove_what_was_done": ("DELETE FROM audit_events WHERE id = %(event)s", NOT_GRANTED),
    "empty_the_audit_trail": ("TRUNCATE audit_events", NOT_GRANTED),
    "change_a_bid": ("UPDATE bids SET discount = 0 WHERE id = %(bid)s", NOT_GRANTED),
    "withdraw_a_bid": ("DELETE FROM bids WHERE id = %(bid)s", NOT_GRANTED),
    "empty_the_bids": ("TRUNCATE bids", NOT_GRANTED),
    # A payment is decided once.
    "change_the_amount_of_a_payment": (
        "UPDATE payments SET amount = 1 WHERE id = %(payment)s",
        BY_A_TRIGGER,
    ),
    "change_the_amount_of_a_pending_payment": (
        "UPDATE payments SET amount = amount * 2 WHERE id = %(pending)s",
        BY_A_TRIGGER,
    ),
    "give_a_pending_payment_to_another_ticket": (
        "UPDATE payments SET subscription_id = p.subscription_id"
        " FROM (SELECT subscription_id FROM payments WHERE id = %(payment)s) p"
        " WHERE id = %(pending)s",
        BY_A_TRIGGER,
    ),
    "fail_a_completed_payment": (
        "UPDATE payments SET status = 'FAILED', entry = NULL, completed_at = NULL"
        " WHERE id = %(payment)s",
        BY_A_TRIGGER,
    ),
    "change_the_receipt_of_a_payment": (
        "UPDATE payments SET receipt_number = 'R/1' WHERE id = %(payment)s",
        BY_A_TRIGGER,
    ),
    "complete_a_pending_payment_without_the_ledger": (
        "UPDATE payments SET status = 'COMPLETED' WHERE id = %(pending)s",
        "payment_completed_is_in_the_ledger",
    ),
    "insert_a_completed_payment_without_the_ledger": (
        PAYMENT,
        "payment_completed_is_in_the_ledger",
    ),
    "take_a_reversal_back": (
        "UPDATE payments SET reversed_at = NULL WHERE id = %(undone)s",
        BY_A_TRIGGER,
    ),
    "let_a_payment_be_worth_more_than_it_is": (
        "UPDATE payments SET unallocated = amount + 1 WHERE id = %(payment)s",
        "payment_is_never_allocated_twice",
    ),
    "remove_a_payment": ("DELETE FROM payments WHERE id = %(payment)s", NOT_GRANTED),
    "remove_a_pending_payment": ("DELETE FROM payments WHERE id = %(pending)s", NOT_GRANTED),
    "empty_the_payments": ("TRUNCATE payments CASCADE", NOT_GRANTED),
}

# What the triggers refuse to any role that they are asked of, the owner of the tables included.
REFUSED_TO_THE_OWNER = {
    f"{verb} {table}": statement.format(table=table)
    for table in TABLES
    for verb, statement in {
        "change": "UPDATE {table} SET id = gen_random_uuid()",
        "remove": "DELETE FROM {table}",
        "empty": "TRUNCATE {table} CASCADE",
    }.items()
    # The trigger that moves balances updates accounts as the owner.
    if (verb, table) != ("change", "ledger_accounts")
}


@dataclass
class Books:
    """Committed books, the ids that statements name, and how to see that nothing has changed."""

    ids: Ids

    def state(self) -> list[tuple[Any, ...]]:
        queries = [
            f"SELECT '{table}', count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM {table} t"
            for table in TABLES
        ]
        with as_role("DATABASE_URL") as connection:
            return connection.execute(" UNION ALL ".join(queries).encode()).fetchall()


@contextmanager
def as_role(address: str) -> Iterator[psycopg.Connection]:
    """Open a connection of a role's own; nothing that it does is kept."""
    connection = psycopg.connect(os.environ[address])
    try:
        yield connection
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture(scope="module")
def books(django_db_setup: None, django_db_blocker: Any) -> Iterator[Books]:
    """A running chit, another one, and one whose books are closed; committed once."""
    with django_db_blocker.unblock():
        try:
            yield Books(_post_some_books())
        finally:
            TransactionTestCase()._fixture_teardown()


def _post_some_books() -> Ids:
    closed = running_chit(2)
    closed.play_to_the_end()
    chit, other = running_chit(3), running_chit(2)
    undone = chit.pay(3, 1000)
    chit.reverse(undone)
    pending = chit.pay(2, 700, method=PaymentMethod.CHEQUE)
    payment = chit.pay(1, 1000)
    chit.hold_draw(winner=1, discount=300)
    assert closed.scheme.status == "COMPLETED"
    assert Payment.objects.get(pk=pending.pk).status == PaymentStatus.PENDING
    return {
        "scheme": chit.pk,
        "other_scheme": other.pk,
        "closed_scheme": closed.pk,
        "transfer": Transfer.objects.get(entry=payment.entry).pk,
        "reversed": Transfer.objects.get(entry=undone.entry).pk,
        "entry": payment.entry,
        "new": new_id(),
        "payment": payment.pk,
        "pending": pending.pk,
        "undone": undone.pk,
        "allocation": PaymentAllocation.objects.filter(payment=payment).latest("id").pk,
        "event": AuditEvent.objects.latest("id").pk,
        "bid": Bid.objects.get(auction=chit.auction(1)).pk,
        "ticket": LedgerAccount.objects.get(subscription=chit.ticket(1)).pk,
        "cash": _account_id(chit, AccountKind.CASH),
        "fees": _account_id(chit, AccountKind.FEES),
        "commission": _account_id(chit, AccountKind.COMMISSION),
        "prize_payable": _account_id(chit, AccountKind.PRIZE_PAYABLE),
        "other_cash": _account_id(other, AccountKind.CASH),
        "closed_cash": _account_id(closed, AccountKind.CASH),
        "closed_foreman": _account_id(closed, AccountKind.FOREMAN),
    }


def _account_id(chit: Chit, kind: AccountKind) -> Any:
    return LedgerAccount.objects.get(scheme=chit.pk, kind=kind).pk


def refused_by(refusal: Any) -> Any:
    return errors.IntegrityError if isinstance(refusal, str) else refusal


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses_to_the_role_that_answers_requests_to(name: str, books: Books):
    statement, refusal = REFUSED[name]
    before = books.state()
    with as_role("DATABASE_URL") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("chitfund_app",)
        parameters: Ids | None = books.ids
        if ";" in statement:  # several at once go without parameters
            statement, parameters = statement.format(**books.ids), None
        with pytest.raises(refused_by(refusal)) as said:  # noqa: PT012 - some refuse at commit
            connection.execute(statement.encode(), parameters)
            connection.commit()
    if isinstance(refusal, str):
        assert said.value.diag.constraint_name == refusal
    assert books.state() == before


@pytest.mark.parametrize("name", REFUSED_TO_THE_OWNER)
def test_a_trigger_refuses_even_the_owner_to(name: str, books: Books):
    before = books.state()
    with as_role("DATABASE_OWNER_URL") as connection, pytest.raises(BY_A_TRIGGER):
        connection.execute(REFUSED_TO_THE_OWNER[name].encode())
    assert books.state() == before


def test_what_is_in_order_is_posted_and_moves_both_balances(books: Books):
    """The positive control: the refusals above are not refusals of everything."""
    with as_role("DATABASE_URL") as connection:
        before = _balances(connection, books)
        for _ in range(2):  # an entry is open until its transaction ends
            connection.execute(transfer().encode(), books.ids)
        assert _balances(connection, books) == {
            "cash": before["cash"] + 2,
            "ticket": before["ticket"] - 2,
        }


def test_a_whole_reversal_is_posted(books: Books):
    mirror = transfer(debit="%(ticket)s", credit="%(cash)s", amount="1000", reverses="%(transfer)s")
    with as_role("DATABASE_URL") as connection:
        before = _balances(connection, books)
        connection.execute(mirror.encode(), books.ids)
        assert _balances(connection, books)["cash"] == before["cash"] - 1000


def test_a_note_may_be_added_to_a_decided_payment(books: Books):
    with as_role("DATABASE_URL") as connection:
        changed = connection.execute(
            "UPDATE payments SET note = 'seen' WHERE id = %(payment)s", books.ids
        )
        assert changed.rowcount == 1


def _balances(connection: psycopg.Connection, books: Books) -> dict[str, Any]:
    rows = connection.execute(
        "SELECT id, debits - credits FROM ledger_accounts WHERE id IN (%(cash)s, %(ticket)s)",
        books.ids,
    ).fetchall()
    names = {books.ids[name]: name for name in ("cash", "ticket")}
    return {names[pk]: balance for pk, balance in rows}
