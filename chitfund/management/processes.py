"""The office's processes: their commands, their output, and their orderly end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chitfund.management import guard
from chitfund.management.guard import STOP_SECONDS

GUARD = Path(guard.__file__)


def web_command(*, host: str, port: int, workers: int, threads: int) -> list[str]:
    """Return the command of the web server: WSGI, the quickest for synchronous Django."""
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface=wsgi",
        f"--host={host}",
        f"--port={port}",
        f"--workers={workers}",
        f"--blocking-threads={threads}",
        "--backlog=2048",
        "--no-ws",
        "--respawn-failed-workers",
        "--log-level=warning",
        "chitfund.wsgi:application",
    ]


def worker_command(*, queues: Sequence[str], processes: int) -> list[str]:
    """Return the command of the task worker.

    The name is fixed: with a long host name in it the queue's client refuses to start.
    """
    return [
        sys.executable,
        "-Wignore:You're running the worker",
        "-m",
        "celery",
        "--quiet",
        "--app=chitfund",
        "worker",
        "--hostname=worker@office",
        f"--queues={','.join(queues)}",
        f"--concurrency={processes}",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "--loglevel=WARNING",
    ]


def beat_command() -> list[str]:
    """Return the command of the clock. Two of them do no harm, one is enough."""
    return [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "--app=chitfund",
        "beat",
        "--pidfile=",
        "--loglevel=WARNING",
    ]


@dataclass
class Child:
    """One process of the office, leader of a group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    forwarder: threading.Thread


class Children:
    """The processes that open and close together."""

    def __init__(self, output: IO[bytes]) -> None:
        self.output = output
        self.children: list[Child] = []
        # Not through the environment or a signal: an input that ends outlives any kind of death.
        self.guard = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-I", str(GUARD)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start one in a process group of its own and show what it says under its name.

        In the terminal's group it would get Ctrl-C itself, at the same time as its parent
        and its own children; Celery was seen to hang on that.
        """
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._tell_guard(str(process.pid))
        forwarder = threading.Thread(target=self._forward, args=(name, process), daemon=True)
        forwarder.start()
        self.children.append(Child(name, process, forwarder))

    def ended(self) -> str | None:
        """Return the name and the exit code of a process that ended by itself."""
        for child in self.children:
            if (code := child.process.poll()) is not None:
                return f"{child.name} ended with exit code {code}"
        return None

    def stop(self) -> None:
        """Ask each leader to finish, and end the groups that have not after ten seconds."""
        for child in self.children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            try:
                child.process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._write("office", f"{child.name} does not stop and is killed.\n".encode())
            # Also after an orderly end: a leader that died leaves its pool behind.
            _kill_group(child.process)
            child.forwarder.join(1)
        self._tell_guard(guard.CLOSED)
        self.guard.wait()

    def _tell_guard(self, line: str) -> None:
        if self.guard.stdin is None:
            return
        self.guard.stdin.write(f"{line}\n")
        self.guard.stdin.flush()

    def _forward(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        for line in process.stdout:
            if line.strip():
                self._write(name, line)

    def _write(self, name: str, line: bytes) -> None:
        # One write a line: two processes that speak at once do not mix their words.
        self.output.write(f"{name:<6} | ".encode() + line)
        self.output.flush()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
