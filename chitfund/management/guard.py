"""Ends the office's processes when the office itself was killed and cannot do it.

Runs as a program of its own with one line per process on its input: the id of a process
that leads a group. The end of the input is the end of the office, however it came about.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

STOP_SECONDS = 10
# Written by an office that has closed in good order: nothing is left to do.
CLOSED = "closed"


def end_groups(leaders: Iterable[int], *, seconds: float = STOP_SECONDS) -> None:
    """Ask each leader to finish, and kill the groups of which anything is left then.

    Only the leaders are asked: Celery was seen to hang when its pool is told too.
    """
    living = [pid for pid in leaders if _send(os.kill, pid, signal.SIGTERM)]
    deadline = time.monotonic() + seconds
    while living and time.monotonic() < deadline:
        time.sleep(0.1)  # the office's children, not ours: there is no event to wait for
        living = [pid for pid in living if _send(os.killpg, pid, 0)]
    for pid in living:
        _send(os.killpg, pid, signal.SIGKILL)


def _send(kill, pid: int, number: int) -> bool:
    try:
        kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Wait for the office's last word."""
    leaders = []
    for line in sys.stdin:
        if line.strip() == CLOSED:
            return
        leaders.append(int(line))
    end_groups(leaders)


if __name__ == "__main__":
    main()
