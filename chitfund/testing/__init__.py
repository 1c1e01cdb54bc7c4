"""How the tests get their office: a pytest plugin (`-p chitfund.testing`).

The server is PostgreSQL and the roles are production's: the owner makes the tables and
tests run as the runtime role, so a test that passes has proved the grants as well. The
schema is migrated once into a template, of which each test process gets a copy.

With DATABASE_URL, DATABASE_OWNER_URL and DATABASE_SUPERUSER_URL set, the same suite runs on
that server instead of the embedded one.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from chitfund.testing import database
from chitfund.testing.races import in_own_connection, wait_for_blocked_query
from chitfund.testing.servers import OfficeServer, Worker

__all__ = ["OfficeServer", "Worker", "in_own_connection", "wait_for_blocked_query"]

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Name the server and this process's database before Django reads its settings.

    A wrapper, because pytest-django reads them in the same hook and insists to be first.
    """
    os.environ["APP_ENV"] = "test"
    # Not DATA_DIR: whoever has that set means their office.
    os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or str(ROOT / ".data" / "test")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _find_server()
    database.name_for_this_process()
    return (yield)


def _find_server() -> None:
    """Start the embedded server in the process that outlives the test workers."""
    os.environ["CHITFUND_TEST_RUN"] = str(os.getpid())
    if os.environ.get("DATABASE_URL"):
        return
    from chitfund.embedded.launch import lend_embedded_server
    from chitfund.embedded.postgres import SUPERUSER

    data_dir = Path(os.environ["DATA_DIR"]).resolve()
    cluster = lend_embedded_server(data_dir, os.environ, durable=False)
    os.environ["DATABASE_SUPERUSER_URL"] = cluster.url(SUPERUSER)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Give this process its own copy of the migrated database, used as the runtime role."""
    from django.db import connections
    from django.test import TransactionTestCase

    copy = database.TestDatabase.create()
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # Django would TRUNCATE, which the runtime role may not, and would empty the tables
        # that migrations fill.
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: copy.empty())
        yield
        connections.close_all()
    copy.drop()


@pytest.fixture(scope="session")
def office_with(django_db_setup: None) -> Iterator[Callable[..., OfficeServer]]:
    """Start real web servers: `office_with(SKIP_LOCKS="1").url`, variables as given.

    Servers are stopped at the end of the session; the same variables give the same server.
    """
    running: dict[tuple[tuple[str, str], ...], OfficeServer] = {}

    def start(**environment: str) -> OfficeServer:
        key = tuple(sorted(environment.items()))
        if key not in running:
            running[key] = OfficeServer.start(environment)
        return running[key]

    yield start
    for server in running.values():
        server.stop()


@pytest.fixture
def live_office(transactional_db: None, office_with: Callable[..., OfficeServer]) -> str:
    """Return the address of a real server, two processes of four threads, on this database."""
    return office_with().url


@pytest.fixture(scope="session")
def _worker(django_db_setup: None) -> Iterator[Worker]:
    worker = Worker.start()
    yield worker
    worker.stop()
    database.drop_queues()


@pytest.fixture
def live_worker(transactional_db: None, _worker: Worker) -> Iterator[Worker]:
    """Have tasks done by a real worker on this database, through the real broker.

    What a `live_office` rings is still done in its own process, unless that was started by
    `office_with(CELERY_TASK_ALWAYS_EAGER="false")`.
    """
    from chitfund.celery import app

    app.conf.task_always_eager = False
    yield _worker
    app.conf.task_always_eager = True


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Begin with an empty cache, where it is not a table that is rolled back."""
    if os.environ.get("REDIS_URL"):
        from django.core.cache import cache

        cache.clear()
