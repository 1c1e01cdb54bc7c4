"""The databases of a test run: one template, a copy for each process."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from chitfund.embedded.files import exclusive_lock, make_folder
from chitfund.embedded.home import OWNER, QUEUE
from chitfund.embedded.provision import ROLES_SQL, apply_grants, create_database_for

ROOT = Path(__file__).resolve().parent.parent.parent
PREFIX = "chitfund_test"
TEMPLATE_PREFIX = f"{PREFIX}_template"
ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL")


def name_for_this_process() -> None:
    """Point the environment's addresses at this process's own database."""
    missing = [name for name in ADDRESSES if not os.environ.get(name)]
    if missing:
        raise pytest.UsageError(f"To test on a server of yours, set {', '.join(missing)} too.")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"{PREFIX}_{os.environ['CHITFUND_TEST_RUN']}_{worker}"
    for address in ADDRESSES:
        os.environ[address] = with_database(os.environ[address], name)
    # Queues and cache are shared by the processes of a run, so each has its own corner.
    os.environ["QUEUE_PREFIX"] = f"{name.removeprefix(PREFIX)}_".lstrip("_")
    if os.environ.get("REDIS_URL"):
        number = worker.removeprefix("gw")
        corner = int(number) + 1 if number.isdigit() else 0
        os.environ["REDIS_URL"] = with_database(os.environ["REDIS_URL"], str(corner))


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def superuser_connection(database: str | None = None) -> psycopg.Connection:
    """Open a connection that may do what the tests' own role may not."""
    url = os.environ["DATABASE_SUPERUSER_URL"]
    return psycopg.connect(with_database(url, database) if database else url, autocommit=True)


class TestDatabase:
    """This process's database, and how it is emptied after a test that commits."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.connection = superuser_connection(name)
        # Triggers and foreign keys are for the office; the broom goes under them.
        self.connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        self.reference = {table: self._rows(table) for table in self._tables_with_rows()}

    @classmethod
    def create(cls) -> "TestDatabase":
        name = urlsplit(os.environ["DATABASE_URL"]).path[1:]
        with _only_one(), superuser_connection("postgres") as connection:
            _drop_leftovers(connection)
            template = _migrated_template(connection)
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            create_database_for(connection, name, owner=OWNER, template=template)
        return cls(name)

    def drop(self) -> None:
        self.connection.close()
        with superuser_connection("postgres") as connection:
            _drop(connection, self.name)

    def empty(self) -> None:
        """Return every table to what the migrations left in it.

        Only tables with rows are touched: a TRUNCATE of all takes a second, this a few
        milliseconds.
        """
        filled = self._tables_with_rows()
        for table in filled - self.reference.keys():
            self.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        for table, rows in self.reference.items():
            if self._rows(table) != rows:
                self._restore(table, rows)

    def _tables_with_rows(self) -> set[str]:
        names = self.connection.execute(
            "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        if not names:
            return set()
        looks = [
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
                sql.Literal(name), sql.Identifier(name)
            )
            for (name,) in names
        ]
        query = sql.SQL(" UNION ALL ").join(looks)
        return {name for (name,) in self.connection.execute(query).fetchall()}

    def _rows(self, table: str) -> list[bytes]:
        command = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
        with self.connection.cursor().copy(command) as copy:
            return sorted(b"".join(bytes(part) for part in copy).splitlines(keepends=True))

    def _restore(self, table: str, rows: list[bytes]) -> None:
        name = sql.Identifier(table)
        with self.connection.transaction():
            self.connection.execute(sql.SQL("DELETE FROM {}").format(name))
            command = sql.SQL("COPY {} FROM STDIN").format(name)
            with self.connection.cursor().copy(command) as copy:
                copy.write(b"".join(rows))


@contextmanager
def _only_one() -> Iterator[None]:
    folder = Path(os.environ["DATA_DIR"])
    make_folder(folder, mode=0o711)
    with exclusive_lock(folder / "template.lock"):
        yield


def _migrated_template(connection: psycopg.Connection) -> str:
    """Return a database with the present migrations, made once for as long as they stay."""
    name = f"{TEMPLATE_PREFIX}_{_fingerprint()}"
    databases = _databases(connection, TEMPLATE_PREFIX)
    if name in databases:
        return name
    for outdated in databases:
        _drop(connection, outdated)
    unfinished = f"{TEMPLATE_PREFIX}_unfinished"
    create_database_for(connection, unfinished, owner=OWNER)
    with superuser_connection(unfinished) as inside:
        apply_grants(inside)
    _migrate(unfinished)
    connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"'.encode())
    return name


def _fingerprint() -> str:
    """Identify the schema: migrations, grants, the apps and what they bring along."""
    files = sorted(ROOT.glob("*/migrations/*.py"))
    files += [ROLES_SQL, ROOT / "chitfund" / "settings" / "base.py"]
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    digest.update(" ".join(version(name) for name in ("django", "django-celery-beat")).encode())
    return digest.hexdigest()[:16]


def _migrate(name: str) -> None:
    """Migrate as the owner in a process of its own, which leaves ours as the runtime role."""
    environment = os.environ | {
        address: with_database(os.environ[address], name) for address in ADDRESSES
    }
    for command in (["migrate", "--verbosity=0", "--skip-checks"], ["createcachetable"]):
        result = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode:
            pytest.exit(f"manage.py {' '.join(command)} failed:\n{result.stdout}", returncode=3)


def _databases(connection: psycopg.Connection, prefix: str) -> list[str]:
    rows = connection.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE starts_with(datname, %s)", [prefix]
    ).fetchall()
    return [name for (name,) in rows]


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _drop_leftovers(connection: psycopg.Connection) -> None:
    """Drop the databases of runs that were killed: their names hold a dead process's id."""
    for name in _databases(connection, f"{PREFIX}_"):
        run = name.removeprefix(f"{PREFIX}_").split("_")[0]
        if run.isdigit() and not _is_alive(int(run)):
            _drop(connection, name)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def drop_queues() -> None:
    """Drop this process's queues from the embedded broker; Redis forgets by itself."""
    if os.environ.get("CELERY_BROKER_URL", "").startswith("pgmq:"):
        with superuser_connection(QUEUE) as connection:
            connection.execute(
                "SELECT pgmq.drop_queue(queue_name) FROM pgmq.list_queues()"
                " WHERE starts_with(queue_name, %s)",
                [os.environ["QUEUE_PREFIX"]],
            )
