"""Forcing a race instead of hoping for one.

Hold the lock in the test, start the rival in a thread, wait until PostgreSQL reports it
blocked, then commit: the rival has read nothing yet, whatever the machine's mood.
"""

import functools
import os
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psycopg

P = ParamSpec("P")
R = TypeVar("R")

BLOCKED = """
    SELECT count(*) FROM pg_catalog.pg_locks JOIN pg_catalog.pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
"""


def in_own_connection(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function for use in a thread, whose connection it closes afterwards.

    A connection left open would keep the test database from being emptied and dropped.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from django.db import connections

        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return wrapped


def wait_for_blocked_query(*, count: int = 1, timeout: float = 5) -> None:
    """Return once PostgreSQL reports that many queries waiting for a lock.

    Asked over a connection of its own without a transaction: inside one the statistics
    are frozen at the first look.
    """
    deadline = time.monotonic() + timeout
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(BLOCKED).fetchone()
            if row and row[0] >= count:
                return
            time.sleep(0.01)
    raise AssertionError(f"Fewer than {count} queries were blocked after {timeout} seconds.")
