"""Nothing that a stranger sees tells who has an account: not the answer, not the wait (row 24).

What can be counted is counted: the same answer to the byte, the same SQL statements, the same
hashes. The clock is looked at too, with a rule that a busy machine does not upset: the two kinds
of request take turns, so both meet the same noise, and a leak is one that shows in every one of
three rounds. A round shows it when the medians differ by 5 % or more *and* Mann-Whitney's test
says that this is no chance (p < 0.01). The control has a leak and must be found in all three.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.passwords import OfficePasswordHasher
from accounts.services import credentials
from accounts.tests.factories import PASSWORD, ForemanFactory, UserFactory

SAMPLES = 200
ROUNDS = 3
GAP, CHANCE = 0.05, 0.01
# What a signed or numbered answer says of itself, and the echo of what was sent.
OWN_WORDS = ("trace_id", "message_id", "email", "phone_number")
OWN_HEADERS = ("X-Request-ID", "Date")
# How a transaction ends is not a statement of ours.
ENDS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT", "ROLLBACK")

_numbers = count(1)
Ask = Callable[[User], HttpResponse]


def stranger() -> APIClient:
    """Return somebody from a line of their own, or the limits would answer instead."""
    number = next(_numbers)
    return APIClient(REMOTE_ADDR=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")


def sign_in(person: User) -> HttpResponse:
    body = {"identifier": person.email, "password": "not the right one"}
    return stranger().post("/api/auth/login", body)


def sign_in_by_phone(person: User) -> HttpResponse:
    body = {"identifier": person.phone_number, "password": "not the right one"}
    return stranger().post("/api/auth/login", body)


def register(person: User) -> HttpResponse:
    body = {
        "full_name": "Asha Rao",
        "email": person.email,
        "phone_number": f"+9197{next(_numbers):08d}",
        "password": "a long winding road",
        "date_of_birth": "1990-01-15",
    }
    return stranger().post("/api/auth/register", body)


def forget(person: User) -> HttpResponse:
    return stranger().post("/api/auth/forgot-password", {"email": person.email})


def resend(person: User) -> HttpResponse:
    return stranger().post("/api/auth/resend-verification", {"email": person.email})


def send_code(person: User) -> HttpResponse:
    body = {"phone_number": person.phone_number, "purpose": "REGISTRATION"}
    return stranger().post("/api/otp/send", body)


ASKS: list[Ask] = [sign_in, sign_in_by_phone, register, forget, resend, send_code]


def missing() -> User:
    return UserFactory.build()


PERSONS: dict[str, Callable[[], User]] = {
    "missing": missing,
    "existing": UserFactory.create,
    "suspended": lambda: UserFactory.create(suspended=True),
    "pending": lambda: UserFactory.create(pending=True),
    "foreman who waits": lambda: ForemanFactory.create(unapproved=True),
}


@dataclass(frozen=True)
class Seen:
    """All that a stranger gets, and what it cost the office."""

    status: int
    body: str
    headers: str
    statements: int
    hashes: int


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    done: list[int] = []
    hash_it = OfficePasswordHasher.encode
    monkeypatch.setattr(
        OfficePasswordHasher,
        "encode",
        lambda hasher, text, salt: done.append(1) or hash_it(hasher, text, salt),
    )
    return done


def seen(ask: Ask, person: User, hashes: list[int]) -> Seen:
    before = len(hashes)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer: Any = ask(person)
    body = {key: value for key, value in answer.json().items() if key not in OWN_WORDS}
    headers = {key: value for key, value in answer.headers.items() if key not in OWN_HEADERS}
    if "message_id" in answer.json() or "email" in answer.json():
        headers.pop("Content-Length", None)
    ours = [q for q in queries if not q["sql"].lstrip().upper().startswith(ENDS)]
    return Seen(answer.status_code, str(body), str(headers), len(ours), len(hashes) - before)


@pytest.mark.django_db
@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__)
def test_everybody_gets_the_same_answer_for_the_same_work(ask: Ask, hashes: list[int]) -> None:
    ask(missing())  # what is looked up once is looked up now
    views = {name: seen(ask, make(), hashes) for name, make in PERSONS.items()}

    assert views == dict.fromkeys(PERSONS, views["missing"])
    assert views["missing"].status in (200, 201, 202, 401)


def p_value(first: list[float], second: list[float]) -> float:
    """Return Mann-Whitney's two-sided p by its normal approximation; for 20 or more each."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, group) in enumerate(ranked, start=1) if group == 0)
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    spread = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


def test_the_statistic_knows_the_same_from_the_different() -> None:
    dice = random.Random(22)
    same = [dice.gauss(100, 10) for _ in range(2 * SAMPLES)]

    assert p_value(same[::2], same[1::2]) > CHANCE
    assert p_value(same[::2], [value + 10 for value in same[1::2]]) < CHANCE
    # Worked by hand: 1..3 against 4..6 is U = 0, z = -1.964.
    assert p_value([1, 2, 3], [4, 5, 6]) == pytest.approx(0.0495, abs=0.0001)


def timed(ask: Ask, person: User) -> float:
    started = time.perf_counter()
    ask(person)
    return time.perf_counter() - started


def leaks(ask: Ask, known: Callable[[], User], name: str) -> bool:
    """Time a round of both kinds in turns, the first of each pair by lot; tell if it shows."""
    dice = random.Random(next(_numbers))
    absent: list[float] = []
    present: list[float] = []
    for _ in range(SAMPLES):
        pair = [(absent, missing()), (present, known())]
        dice.shuffle(pair)
        for times, person in pair:
            times.append(timed(ask, person))
    a, b = statistics.median(absent), statistics.median(present)
    gap, p = abs(a - b) / max(a, b), p_value(absent, present)
    print(
        f"{name}: {a * 1000:.2f} ms missing, {b * 1000:.2f} ms existing, gap {gap:.1%}, p {p:.3f}"
    )
    return gap >= GAP and p < CHANCE


def rounds(ask: Ask, known: Callable[[], User], name: str) -> Iterator[bool]:
    return (leaks(ask, known, name) for _ in range(ROUNDS))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[], User]:
    """Return who makes people whose hash costs sixteen times a test's: a gap, not a grain."""
    monkeypatch.setattr(OfficePasswordHasher, "rounds", 8)
    hasher = OfficePasswordHasher()
    hashed = hasher.encode(PASSWORD, hasher.salt())
    return lambda: UserFactory.create(password=hashed)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.__name__)
def test_nobody_waits_longer_for_being_known(ask: Ask, known: Callable[[], User]) -> None:
    timed(ask, missing())

    assert not all(rounds(ask, known, ask.__name__))


@pytest.mark.slow
@pytest.mark.django_db
def test_negative_control_an_unknown_person_without_a_hash_is_found_out(
    monkeypatch: pytest.MonkeyPatch, known: Callable[[], User]
) -> None:
    monkeypatch.setattr(credentials, "make_password", lambda text: "")

    assert all(rounds(sign_in, known, "without the hash"))
