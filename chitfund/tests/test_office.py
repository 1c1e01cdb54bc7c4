"""`manage.py office`: opened and closed as one, and clear about why not."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chitfund.embedded import postgres
from chitfund.embedded.home import find_home
from chitfund.management.guard import end_groups
from chitfund.testing.servers import free_port
from chitfund.tests.test_embedded import discard

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURED = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL")


class Office:
    """One `manage.py office` with a data folder and a port of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.environment = {k: v for k, v in os.environ.items() if k not in CONFIGURED} | {
            "APP_ENV": "office",
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "WEB_WORKERS": "1",
        }

    def open(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-Wignore", "manage.py", "office"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_open(self, process: subprocess.Popen[str]) -> str:
        """Return what was said until the sign was turned around."""
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "Mail, SMS" in line:
                return said
        raise AssertionError(f"The office did not open:\n{said}")

    def children(self) -> list[int]:
        """Return the living processes that were started with this office's port."""
        marker = f"PORT={self.port}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def worker(self) -> int:
        """Return the process id of the task worker's leader."""
        return next(
            pid
            for pid in sorted(self.children())
            if b"worker@office" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )


@pytest.fixture
def office(tmp_path_factory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    for pid in office.children():
        os.kill(pid, signal.SIGKILL)
    discard(office.data_dir)


def wait_for(condition, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


@pytest.mark.slow
def test_it_opens_closes_on_ctrl_c_and_opens_again_with_its_data(office):
    process = office.open()
    said = office.wait_until_open(process)
    assert f"http://localhost:{office.port}/api-docs" in said
    assert httpx.get(f"http://127.0.0.1:{office.port}/healthz").status_code == 200
    secrets = (office.data_dir / "secrets.json").read_text()

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    assert office.children() == []
    assert postgres.find_running(office.data_dir) is None

    began = time.monotonic()
    again = office.open()
    office.wait_until_open(again)
    assert time.monotonic() - began < 15
    assert (office.data_dir / "secrets.json").read_text() == secrets
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=20)
    assert again.returncode == 0
    assert office.children() == []


@pytest.mark.slow
def test_it_closes_and_says_why_when_a_process_of_it_dies(office):
    process = office.open()
    office.wait_until_open(process)
    os.kill(office.worker(), signal.SIGKILL)

    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "The office closes: worker ended with exit code -9" in output
    assert office.children() == []
    assert postgres.find_running(office.data_dir) is None


@pytest.mark.slow
def test_a_killed_office_leaves_no_process_but_the_database(office):
    process = office.open()
    office.wait_until_open(process)
    process.kill()
    process.communicate()

    wait_for(lambda: office.children() == [], seconds=30)
    assert [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in office.children()] == []
    assert postgres.find_running(office.data_dir) is not None


def test_the_guard_kills_a_group_that_does_not_listen():
    deaf = "from signal import *; signal(SIGTERM, SIG_IGN); print(flush=True); pause()"
    process = subprocess.Popen(
        [sys.executable, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    end_groups([process.pid], seconds=0.3)
    assert process.wait(timeout=5) == -signal.SIGKILL
    process.stdout.close()


def test_a_taken_port_is_named(office):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", office.port))
        squatter.listen()
        output, _ = office.open().communicate(timeout=30)
    assert re.search(rf"Port {office.port} is taken .*Set PORT to another one", output)
    assert find_home(office.data_dir) is not None


def test_without_a_broker_beside_a_database_it_does_not_open(office):
    office.environment["DATABASE_URL"] = os.environ["DATABASE_URL"]
    process = office.open()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Beside DATABASE_URL, set REDIS_URL or CELERY_BROKER_URL." in output
