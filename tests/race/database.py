"""What only the superuser of the test's own database can do or see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.db import connections

from chitfund.testing.database import superuser_connection

# A constraint, a unique index or a trigger: where it is, and how it goes and comes back.
FIND = """
    SELECT conrelid::regclass::text, 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT '
        || quote_ident(conname), 'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT '
        || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
    FROM pg_catalog.pg_constraint WHERE conname = %(name)s AND contype <> 't'
    UNION ALL
    SELECT indrelid::regclass::text, 'DROP INDEX ' || indexrelid::regclass,
        pg_get_indexdef(indexrelid)
    FROM pg_catalog.pg_index WHERE indexrelid = to_regclass(%(name)s)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = %(name)s)
    UNION ALL
    SELECT tgrelid::regclass::text,
        'ALTER TABLE ' || tgrelid::regclass || ' DISABLE TRIGGER ' || quote_ident(tgname),
        'ALTER TABLE ' || tgrelid::regclass || ' ENABLE TRIGGER ' || quote_ident(tgname)
    FROM pg_catalog.pg_trigger WHERE tgname = %(name)s
"""
END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
    WHERE datname = current_database() AND usename <> current_user
"""


@dataclass(frozen=True)
class Guard:
    """One rule of the database: where it is, and how it is taken away and put back."""

    table: str
    drop: str
    restore: str


@contextmanager
def without_constraints(*names: str) -> Iterator[None]:
    """Take constraints and triggers away, so that a control can show what they would have hidden.

    Their tables are emptied before they are put back: what the control did would not fit.
    """
    with superuser_connection() as connection:
        connection.execute("SET lock_timeout = '5s'")
        guards = [_find(connection, name) for name in names]
        for guard in guards:
            connection.execute(guard.drop.encode())
        try:
            yield
        finally:
            connection.execute("SET session_replication_role = replica")
            for guard in guards:
                connection.execute(f"DELETE FROM {guard.table}".encode())
            for guard in guards:
                connection.execute(guard.restore.encode())


def _find(connection: psycopg.Connection, name: str) -> Guard:
    row = connection.execute(FIND, {"name": name}).fetchone()
    if row is None:
        raise AssertionError(f"There is no constraint {name} to take away.")
    return Guard(*row)


def deadlocks() -> int:
    """Return how many deadlocks PostgreSQL has found in this database.

    A session reports its own when it ends, or within ten seconds; so all are ended first. The
    office notices and opens new ones.
    """
    connections.close_all()
    with superuser_connection() as connection:
        connection.execute(END_SESSIONS)
        row = connection.execute(
            "SELECT deadlocks FROM pg_catalog.pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0
