"""A real PostgreSQL from a wheel, kept in the data folder.

`ensure_running` starts it or finds it running, `stop` ends it. The server outlives the
process that started it, so whoever shares a data folder shares one server, and one that a
crash left behind is used again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from chitfund.embedded import server
from chitfund.embedded.errors import EmbeddedPostgresError
from chitfund.embedded.files import exclusive_lock, make_folder
from chitfund.embedded.home import (
    APP,
    OWNER,
    QUEUE,
    SUPERUSER,
    Home,
    find_home,
    open_home,
    records_of,
)
from chitfund.embedded.provision import DATABASE, apply_grants, create_database_for, provision

__all__ = [
    "APP",
    "DATABASE",
    "OWNER",
    "QUEUE",
    "SUPERUSER",
    "Cluster",
    "EmbeddedPostgresError",
    "ensure_running",
    "find_running",
    "stop",
]


@dataclass(frozen=True)
class Cluster:
    """A running server and how to reach it."""

    host: str
    port: int
    socket_dir: str
    started: bool
    """Whether this call started it, rather than finding it running."""
    home: Home

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Return the address of a database through the socket."""
        folder = quote(self.socket_dir, safe="")
        return (
            f"postgresql://{role}:{self.home.passwords[role]}@/{database}"
            f"?host={folder}&port={self.port}"
        )

    def queue_url(self) -> str:
        """Return the task queue's address, for CELERY_BROKER_URL.

        By TCP: the queue's client cannot be given a socket's folder in an address.
        """
        return f"pgmq://{QUEUE}:{self.home.passwords[QUEUE]}@{self.host}:{self.port}/{QUEUE}"

    def connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        """Open a superuser connection, each statement its own transaction."""
        return server.connect(self.home, database)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database with the office's grants and return the runtime role's URL.

        With a template the grants inside come along with the tables.
        """
        with self.connect() as connection:
            create_database_for(connection, name, owner=OWNER, template=template)
        if template is None:
            with self.connect(name) as connection:
                apply_grants(connection)
        return self.url(database=name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the sessions in it."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def ensure_running(data_dir: Path, *, durable: bool = True) -> Cluster:
    """Start the data folder's server or find it running; ready with roles and databases.

    With `durable` off a power cut may destroy the data: for tests only.
    """
    with _only_one(data_dir):
        home = open_home(data_dir, durable=durable)
        started = not server.is_running(home)
        if started:
            _start(home)
        provision(home)
    return _cluster(home, started=started)


def _start(home: Home) -> None:
    """Start the server; a test database that a power cut or a newer wheel broke is made anew."""
    try:
        server.start(home)
    except EmbeddedPostgresError:
        if home.durable or not home.data.is_dir():
            raise
        shutil.rmtree(home.data)
        home.provisioned = ""
        server.start(home)


def find_running(data_dir: Path) -> Cluster | None:
    """Return the data folder's server if it runs; start nothing."""
    home = find_home(data_dir)
    if home is None or not server.is_running(home):
        return None
    return _cluster(home, started=False)


def stop(data_dir: Path, *, mode: str = "fast") -> None:
    """Stop the data folder's server if it runs."""
    if find_home(data_dir) is None:
        return
    with _only_one(data_dir):
        home = find_home(data_dir)
        if home and server.is_running(home):
            server.stop(home, mode=mode)


def _cluster(home: Home, *, started: bool) -> Cluster:
    return Cluster(
        host="127.0.0.1",
        port=home.port,
        socket_dir=home.socket_dir,
        started=started,
        home=home,
    )


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server of a data folder."""
    folder = records_of(data_dir).parent
    make_folder(folder, mode=0o711)
    with exclusive_lock(folder / "start.lock"):
        yield
