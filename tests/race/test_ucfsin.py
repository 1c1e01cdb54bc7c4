"""Everybody who registers gets the next number: none twice, none left out, none of last year."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from accounts.models import BusinessClock, NumberSeries, User
from accounts.services import create_user_account, registration
from chitfund import business_date as calendar
from chitfund.business_date import IST
from chitfund.exceptions import Conflict
from tests.race.crowd import Answer, Caller, Crowd, statuses

REGISTRATIONS, THREADS = 2000, 16
ROLLED_BACK = 300  # 15 %
FORM = re.compile(r"UCFSIN-[0-9]{4}-[0-9]{6}")


def person(number: int) -> dict[str, Any]:
    return {
        "full_name": f"Person {number}",
        "email": f"registrant{number}@example.com",
        "phone_number": f"+9190{number:08d}",
        "password": "a long winding road",
        "date_of_birth": date(1990, 1, 15),
    }


def register(number: int) -> str:
    """Register somebody and return what became of it."""
    create_user_account(**person(number))
    return "registered"


def register_and_fail(number: int) -> str:
    """Register somebody in a transaction that is undone, as by a failure that follows."""
    with transaction.atomic():
        create_user_account(**person(number))
        transaction.set_rollback(True)
    return "rolled back"


def register_again(number: int) -> str:
    """Register the address of somebody who is there already: the insert itself fails."""
    try:
        create_user_account(**person(number) | {"email": "first@example.com"})
    except Conflict:
        return "rolled back"
    return "registered twice"


def histories(dice: random.Random, *, count: int, failures: int) -> list[Callable[[], str]]:
    """Return registrations in a random order, so many of which are undone."""
    numbers = iter(range(count))
    kinds = [register_and_fail, register_again] * (failures // 2)
    calls = [partial(kind, next(numbers)) for kind in kinds]
    calls += [partial(register, number) for number in numbers]
    dice.shuffle(calls)
    return calls


def in_threads(crowd: Crowd, calls: list[Callable[[], str]]) -> Counter[str]:
    """Do the calls in sixteen threads, each with one connection and its share of them."""

    def work(share: list[Callable[[], str]]) -> Counter[str]:
        return Counter(call() for call in share)

    shares = [calls[first::THREADS] for first in range(THREADS)]
    return sum(crowd.at_once([partial(work, share) for share in shares]), Counter())


def given(year: int) -> list[int]:
    """Return the numbers given in a year, in order."""
    prefix = f"UCFSIN-{year}-"
    numbers = User.objects.filter(ucfsin__startswith=prefix).values_list("ucfsin", flat=True)
    assert all(FORM.fullmatch(number) for number in numbers)
    return sorted(int(number.removeprefix(prefix)) for number in numbers)


def is_gapless(numbers: list[int]) -> bool:
    return numbers == list(range(1, len(numbers) + 1))


class NewYearsEve(datetime):
    """A clock at 23:59:59 in India, where midnight comes after so many looks at it."""

    looks = itertools.count()
    until_midnight = 0

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        is_new_year = next(cls.looks) >= cls.until_midnight
        second = timedelta(seconds=1 if is_new_year else 0)
        return datetime(2027, 12, 31, 23, 59, 59, tzinfo=IST) + second


@pytest.fixture
def new_years_eve(monkeypatch: pytest.MonkeyPatch) -> type[NewYearsEve]:
    """Let the office go by that clock; half of the registrations see the old year."""
    BusinessClock.objects.all().delete()
    monkeypatch.setattr(calendar, "datetime", NewYearsEve)
    NewYearsEve.looks = itertools.count()
    return NewYearsEve


@pytest.mark.slow
def test_two_thousand_registrations_over_new_year_are_numbered_without_a_gap(
    crowd: Crowd, dice: random.Random, new_years_eve: type[NewYearsEve]
) -> None:
    create_user_account(**person(REGISTRATIONS) | {"email": "first@example.com"})
    looked = next(new_years_eve.looks)
    new_years_eve.until_midnight = looked * (REGISTRATIONS // 2)
    calls = histories(dice, count=REGISTRATIONS, failures=ROLLED_BACK)
    assert in_threads(crowd, calls) == {
        "registered": REGISTRATIONS - ROLLED_BACK,
        "rolled back": ROLLED_BACK,
    }
    old, new = given(2027), given(2028)
    assert is_gapless(old)
    assert is_gapless(new)
    assert min(len(old), len(new)) > REGISTRATIONS / 4
    assert len(old) + len(new) == User.objects.count() == REGISTRATIONS - ROLLED_BACK + 1
    last = dict(NumberSeries.objects.values_list("name", "last"))
    assert last == {"UCFSIN-2027": len(old), "UCFSIN-2028": len(new)}


def test_people_who_register_over_http_are_numbered_without_a_gap(
    live_office: str, crowd: Crowd, dice: random.Random
) -> None:
    everybody = [person(number) | {"date_of_birth": "1990-01-15"} for number in range(160)]
    taken = everybody[0]
    first = Caller(live_office).post("auth/register", taken)
    assert first.status == 201
    # 15 % want an address or a number that somebody has; they are told the same.
    for number in dice.sample(range(1, 160), 24):
        field = dice.choice(["email", "phone_number"])
        everybody[number][field] = taken[field]
    send: list[Callable[[], Answer]] = [
        partial(Caller(live_office).post, "auth/register", body) for body in everybody[1:]
    ]
    assert statuses(crowd.one_after_another(send)) == {201: 159}
    numbers = given(2027)
    assert len(numbers) == 160 - 24
    assert is_gapless(numbers)


# -- the two usual ways to number people ---------------------------------------------------


def highest_plus_one() -> str:
    year = calendar.business_date().year
    last = User.objects.filter(ucfsin__startswith=f"UCFSIN-{year}-").aggregate(Max("ucfsin"))
    time.sleep(0.005)
    highest = last["ucfsin__max"] or f"UCFSIN-{year}-000000"
    return f"UCFSIN-{year}-{int(highest[-6:]) + 1:06d}"


def from_a_sequence() -> str:
    year = calendar.business_date().year
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('idempotency_records', 'id'))")
        return f"UCFSIN-{year}-{cursor.fetchone()[0]:06d}"


def register_or_collide(number: int) -> str:
    try:
        return register(number)
    except IntegrityError:
        return "collided"


def test_negative_control_the_highest_number_plus_one_collides(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "_next_ucfsin", highest_plus_one)
    calls: list[Callable[[], str]] = [
        partial(register_or_collide, number) for number in range(THREADS * 10)
    ]
    assert in_threads(crowd, calls)["collided"] > 0


def test_negative_control_a_sequence_leaves_gaps_where_a_registration_is_undone(
    crowd: Crowd, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "_next_ucfsin", from_a_sequence)
    create_user_account(**person(200) | {"email": "first@example.com"})
    in_threads(crowd, histories(dice, count=200, failures=30))
    numbers = given(2027)
    assert numbers != list(range(numbers[0], numbers[0] + len(numbers)))
