"""Real processes for tests: web server and worker as production runs them."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chitfund.management.processes import web_command, worker_command

START_SECONDS = 30
STOP_SECONDS = 10
# What only the tests' own process may know.
NOT_FOR_THE_OFFICE = ("DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL", "DB_ROLE")


@dataclass
class RealProcess:
    """One running process of the office and what it has logged."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Stop it and its children; one that does not listen is killed."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]


@dataclass
class OfficeServer(RealProcess):
    """A running web server."""

    url: str

    @classmethod
    def start(cls, environment: Mapping[str, str], *, workers: int = 2) -> "OfficeServer":
        """Start granian on this test process's database and wait until it answers.

        TEST_WSGI names another door than production's: an office without one of its guards,
        in which a race must do the harm that the guard prevents.
        """
        port = free_port()
        command = web_command(host="127.0.0.1", port=port, workers=workers, threads=4)
        if door := environment.get("TEST_WSGI"):
            command[-1] = door
        process, log = _start(f"web-{port}", command, {"PORT": str(port), **environment})
        server = cls(process=process, log=log, url=f"http://127.0.0.1:{port}")
        server._wait_until_it_answers()
        return server

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()  # noqa: S310 - http
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"The web server did not start:\n{self.last_words()}")


@dataclass
class Worker(RealProcess):
    """A running task worker. It may be rung before it is ready: the queue waits for it."""

    @classmethod
    def start(cls, *, queues: Sequence[str] = ("high", "default", "reports")) -> "Worker":
        command = worker_command(queues=queues, processes=2)
        process, log = _start(f"worker-{free_port()}", command, {})
        return cls(process=process, log=log)

    def stop(self) -> None:
        """Kill it with its pool: a polite goodbye takes five seconds and is tested elsewhere."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _start(
    name: str, command: Sequence[str], environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], Path]:
    log = Path(os.environ["DATA_DIR"]) / f"{name}.log"
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_FOR_THE_OFFICE}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            env={**inherited, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
