"""The independent look at the ledger: what must hold, asked of the rows themselves.

Nothing here uses the balances that the trigger keeps, except to compare them with the sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection


@dataclass(frozen=True)
class Finding:
    """One invariant that does not hold, and where."""

    rule: str
    scheme_id: str
    where: str
    found: str


# Each question returns a row for every violation: scheme, place, what was found.
QUESTIONS: dict[str, str] = {
    "a balance is the sum of its transfers": """
        SELECT a.scheme_id, a.kind || coalesce(' ' || a.subscription_id, ''),
            a.debits || '/' || a.credits || ' kept, ' || s.debits || '/' || s.credits || ' summed'
        FROM ledger_accounts a
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE debit_account_id = a.id), 0) AS debits,
                coalesce(sum(amount) FILTER (WHERE credit_account_id = a.id), 0) AS credits
            FROM transfers WHERE a.id IN (debit_account_id, credit_account_id)
        ) AS s
        WHERE {scheme} AND (a.debits, a.credits) IS DISTINCT FROM (s.debits, s.credits)
    """,
    "debits equal credits": """
        SELECT a.scheme_id, 'all accounts', sum(a.debits) || ' against ' || sum(a.credits)
        FROM ledger_accounts a WHERE {scheme}
        GROUP BY a.scheme_id HAVING sum(a.debits) <> sum(a.credits)
    """,
    "the pot of a settled month is zero": """
        SELECT a.scheme_id, 'month ' || t.installment_number,
            sum(CASE WHEN t.credit_account_id = a.id THEN t.amount ELSE -t.amount END)::text
        FROM ledger_accounts a
        JOIN transfers t ON a.id IN (t.debit_account_id, t.credit_account_id)
        JOIN auctions d ON d.scheme_id = a.scheme_id
            AND d.installment_number = t.installment_number AND d.status = 'SETTLED'
        WHERE {scheme} AND a.kind = 'chit'
        GROUP BY a.scheme_id, t.installment_number
        HAVING sum(CASE WHEN t.credit_account_id = a.id THEN t.amount ELSE -t.amount END) <> 0
    """,
    "a ticket owes what its installments say": """
        SELECT a.scheme_id, 'ticket ' || s.ticket_number,
            (a.debits - a.credits) || ' in the ledger, ' || (d.owed - p.advance) || ' by its rows'
        FROM ledger_accounts a
        JOIN subscriptions s ON s.id = a.subscription_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(gross - dividend - paid + late_interest - late_interest_paid), 0)
                AS owed FROM installments i WHERE i.subscription_id = s.id
        ) AS d
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(unallocated), 0) AS advance
            FROM payments p WHERE p.subscription_id = s.id
        ) AS p
        WHERE {scheme} AND a.debits - a.credits <> d.owed - p.advance
    """,
    "a ticket's summary is what its rows say": """
        SELECT s.scheme_id, 'ticket ' || s.ticket_number,
            s.outstanding || ' and ' || s.advance || ' kept, ' || d.owed || ' and ' || p.advance
        FROM subscriptions s
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(gross - dividend - paid + late_interest - late_interest_paid), 0)
                AS owed,
                min(due_on) FILTER (WHERE paid_on IS NULL) AS oldest
            FROM installments i WHERE i.subscription_id = s.id
        ) AS d
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(unallocated), 0) AS advance
            FROM payments p WHERE p.subscription_id = s.id
        ) AS p
        WHERE {summary} AND (s.outstanding, s.advance, s.oldest_unpaid_due_on)
            IS DISTINCT FROM (d.owed, p.advance, d.oldest)
    """,
    "an installment was paid by its allocations": """
        SELECT i.scheme_id, 'installment ' || i.number || ' of ' || i.subscription_id,
            (i.dividend + i.paid) || ' and ' || i.late_interest_paid || ' kept, '
                || x.applied || ' and ' || x.interest || ' allocated'
        FROM installments i
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE part = 'INSTALLMENT'), 0) AS applied,
                coalesce(sum(amount) FILTER (WHERE part = 'LATE_INTEREST'), 0) AS interest
            FROM payment_allocations x WHERE x.installment_id = i.id
        ) AS x
        WHERE {installment}
            AND (i.dividend + i.paid, i.late_interest_paid) IS DISTINCT FROM (x.applied, x.interest)
    """,
    "a prize is awarded once and paid at most once": """
        SELECT o.scheme_id, 'payout ' || o.id, count(t.id)::text
        FROM prize_payouts o
        LEFT JOIN payments p
            ON p.subscription_id = o.subscription_id AND p.payment_type = 'PRIZE'
        LEFT JOIN transfers t ON t.entry = p.entry AND t.kind = 'PRIZE_PAID'
        WHERE {payout}
        GROUP BY o.scheme_id, o.id, o.status
        HAVING count(t.id) <> (CASE WHEN o.status = 'PAID' AND o.net_amount > 0 THEN 1 ELSE 0 END)
    """,
    "closed books are at zero": """
        SELECT a.scheme_id, a.kind, (a.debits - a.credits)::text
        FROM ledger_accounts a JOIN schemes c ON c.id = a.scheme_id
        WHERE {scheme} AND c.status = 'COMPLETED' AND a.debits <> a.credits
    """,
}
# Where each question says which scheme it is asked of.
PLACES = {
    "{scheme}": "a.scheme_id",
    "{summary}": "s.scheme_id",
    "{installment}": "i.scheme_id",
    "{payout}": "o.scheme_id",
}


def check_ledger(scheme_id: UUID | None = None) -> list[Finding]:
    """Return every invariant of design.md 5.2 that does not hold, in one scheme or in all."""
    return [finding for rule in QUESTIONS for finding in _ask(rule, scheme_id)]


def _ask(rule: str, scheme_id: UUID | None) -> Iterable[Finding]:
    sql = QUESTIONS[rule]
    parameters = []
    for place, column in PLACES.items():
        if place not in sql:
            continue
        if scheme_id is None:
            sql = sql.replace(place, "TRUE")
        else:
            sql = sql.replace(place, f"{column} = %s")
            parameters.append(scheme_id)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for scheme, where, found in cursor.fetchall():
            yield Finding(rule, str(scheme), where, found)
