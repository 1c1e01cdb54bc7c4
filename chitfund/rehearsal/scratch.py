"""A scratch office: a database of its own, a real web server on it, people who may act."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management.base import CommandError

from chitfund.embedded import postgres
from chitfund.embedded.home import OWNER
from chitfund.embedded.provision import apply_grants, create_database_for
from chitfund.management.processes import web_command

START_SECONDS = 30
STOP_SECONDS = 10


@contextmanager
def scratch_environment() -> Iterator[dict[str, str]]:
    """Yield the environment of a new, migrated database that is dropped afterwards."""
    superuser = _superuser_url()
    name = f"chitfund_scratch_{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="chitfund-scratch-") as folder:
        with psycopg.connect(superuser, autocommit=True) as connection:
            create_database_for(connection, name, owner=OWNER)
        try:
            with psycopg.connect(_named(superuser, name), autocommit=True) as connection:
                apply_grants(connection)
            environment = _environment(name, Path(folder))
            _manage(environment, "migrate", "--verbosity=0")
            _manage(environment, "createcachetable")
            yield environment
        finally:
            with psycopg.connect(superuser, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _superuser_url() -> str:
    """Return who may create databases: the embedded server's superuser, or the one given."""
    if given := os.environ.get("DATABASE_SUPERUSER_URL"):
        return given
    cluster = postgres.find_running(settings.DATA_DIR)
    if cluster is None:
        raise CommandError(
            "A scratch database needs a server: run this without DATABASE_URL to use the embedded "
            "one, or set DATABASE_SUPERUSER_URL beside DATABASE_URL and DATABASE_OWNER_URL."
        )
    return cluster.url(postgres.SUPERUSER)


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _environment(name: str, folder: Path) -> dict[str, str]:
    """A test office: cheap passwords, no queue to fill, its files in a folder that goes."""
    return {
        **os.environ,
        "APP_ENV": "test",
        "DATABASE_URL": _named(os.environ["DATABASE_URL"], name),
        "DATABASE_OWNER_URL": _named(os.environ["DATABASE_OWNER_URL"], name),
        "DATA_DIR": str(folder),
        "CELERY_BROKER_URL": "memory://",
        "CELERY_TASK_ALWAYS_EAGER": "false",
        "LOG_LEVEL": "ERROR",
        "REDIS_URL": "",
    }


def _manage(environment: dict[str, str], *command: str) -> None:
    manage = str(settings.BASE_DIR / "manage.py")
    result = subprocess.run(  # noqa: S603 - our own program, no shell
        [sys.executable, manage, *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise CommandError(f"manage.py {' '.join(command)} failed:\n{result.stdout}")


@contextmanager
def web_server(workers: int = 2) -> Iterator[str]:
    """Run a real web server on this process's database; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = Path(settings.DATA_DIR) / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            web_command(host="127.0.0.1", port=port, workers=workers, threads=2),
            env={**os.environ, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def server_log() -> str:
    """Return what the web server has written."""
    return (Path(settings.DATA_DIR) / "web.log").read_text()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()  # noqa: S310 - http, ours
        except urllib.error.URLError:
            time.sleep(0.05)
        else:
            return
    raise CommandError(f"The web server did not start:\n{log.read_text()[-3000:]}")
