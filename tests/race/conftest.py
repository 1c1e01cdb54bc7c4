"""What every race begins with: a seed, threads, a day that does not end, and the offices."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from accounts.models import BusinessClock
from chitfund.doorbell import _Bell
from chitfund.testing import OfficeServer
from tests.race.crowd import Crowd

# The office's date stands still, so that no race depends on the hour at which it is run.
DAY = date(2027, 2, 10)
# Tasks are rung and nobody answers: sending mail is a worker's business and not what races.
NO_MAIL = {"CELERY_TASK_ALWAYS_EAGER": "false", "CELERY_BROKER_URL": "memory://"}


@pytest.fixture(scope="session")
def seed() -> int:
    """Return what every random choice of this run grows from: SEED, or a new one."""
    return int(os.environ.get("SEED") or secrets.randbelow(1_000_000))


@pytest.fixture(autouse=True)
def dice(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Return random choices that are the same for this test whenever SEED is the same."""
    print(f"SEED={seed}")  # shown with a failure, and by `pytest -rP`
    return random.Random(f"{seed}:{request.node.name}")


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    crowd = Crowd(16)
    yield crowd
    crowd.close()


@pytest.fixture(autouse=True)
def day(transactional_db: None) -> date:
    """Hold the office's calendar at one day; every process reads it from the same row."""
    BusinessClock.objects.create(moved_to=DAY)
    return DAY


@pytest.fixture(autouse=True)
def _no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the mail to a worker that does not run, here as in the offices below."""
    monkeypatch.setattr(_Bell, "__call__", lambda bell: None)


@pytest.fixture
def live_office(transactional_db: None, office_with: Callable[..., OfficeServer]) -> str:
    """Return the address of a real server, two processes of four threads, on this database."""
    return office_with(**NO_MAIL).url


@pytest.fixture
def unguarded_office(
    transactional_db: None, office_with: Callable[..., OfficeServer]
) -> Callable[[str], str]:
    """Return what opens an office without one of its guards: `unguarded_office("row_locks")`."""

    def address(guard: str) -> str:
        door = "tests.race.unguarded:application"
        return office_with(TEST_WSGI=door, WITHOUT=guard, **NO_MAIL).url

    return address
