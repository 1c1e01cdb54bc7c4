"""Roles, databases and the task queue inside a running server."""

import hashlib
from pathlib import Path

import psycopg
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from chitfund.embedded import server
from chitfund.embedded.home import APP, OWNER, QUEUE, Home

ROLES_SQL = Path(__file__).with_name("roles.sql")
DATABASE = "chitfund"


def provision(home: Home) -> None:
    """Create whatever is missing; quick when nothing is."""
    wanted = _fingerprint(home)
    if home.provisioned == wanted:
        return
    with server.connect(home) as connection:
        for role in (OWNER, APP, QUEUE):
            _ensure_role(connection, role, home.passwords[role])
        _ensure_database(connection, DATABASE, owner=OWNER)
        _ensure_database(connection, QUEUE, owner=QUEUE)
    with server.connect(home, DATABASE) as connection:
        apply_grants(connection)
    _install_queue(home)
    home.provisioned = wanted
    home.save()


def _fingerprint(home: Home) -> str:
    """Identify what `provision` would do, so that a start does it once."""
    parts = [ROLES_SQL.read_text(encoding="utf-8"), get_embedded_install_sql()]
    parts += [home.passwords[role] for role in sorted(home.passwords)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def apply_grants(connection: psycopg.Connection) -> None:
    """Run roles.sql in the connection's database as superuser."""
    connection.execute(ROLES_SQL.read_bytes())


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    name = sql.Identifier(role)
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(password)))


def _ensure_database(connection: psycopg.Connection, name: str, *, owner: str) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
        create_database_for(connection, name, owner=owner)


def create_database_for(
    connection: psycopg.Connection, name: str, *, owner: str, template: str | None = None
) -> None:
    """Create a database that only its owner and the runtime role may enter."""
    database = sql.Identifier(name)
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            database, sql.Identifier(owner), sql.Identifier(template or "template1")
        )
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    if owner == OWNER:
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                database, sql.Identifier(APP)
            )
        )


def _exists(connection: psycopg.Connection, query: str, value: str) -> bool:
    return connection.execute(query.encode(), [value]).fetchone() is not None


def _install_queue(home: Home) -> None:
    """Install PGMQ's plain SQL as the role that will use it.

    The script grants to pg_monitor, which any role may do for its own tables.
    """
    with server.connect(home, QUEUE) as connection:
        if _exists(connection, "SELECT 1 FROM pg_namespace WHERE nspname = %s", "pgmq"):
            return
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(QUEUE)))
            connection.execute(get_embedded_install_sql().encode())
