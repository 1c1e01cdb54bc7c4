"""Twelve people join a chit that has one seat left."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from schemes.models import Scheme
from subscriptions.models import HOLDING, Subscription
from tests.race import chits
from tests.race.crowd import Answer, Caller, Crowd, faults, statuses
from tests.race.database import without_constraints

TRIALS, RIVALS = 200, 12
ONE_HOLDER = "subscription_one_holder_per_ticket"
# What the database would say to a seat that is sold twice, were there no lock.
SECOND_LINE = (ONE_HOLDER, "subscriptions_are_counted", "schemes_count_their_tickets_again")


def rivals(office: str) -> list[Caller]:
    return [Caller.signed_in(office, person) for person in chits.people(RIVALS)]


def join(rival: Caller, scheme: Scheme, **wish: Any) -> Callable[[], Answer]:
    return partial(rival.post, "subscriptions", {"scheme": str(scheme.pk), **wish})


def sold(scheme: Scheme) -> int:
    return Subscription.objects.filter(scheme=scheme, status__in=HOLDING).count()


def is_oversold(scheme: Scheme) -> bool:
    return sold(scheme) > scheme.max_subscribers


def everybody_joins(
    crowd: Crowd, people: list[Caller], schemes: list[Scheme]
) -> list[list[Answer]]:
    return [crowd.at_once([join(rival, scheme) for rival in people]) for scheme in schemes]


@pytest.mark.slow
def test_the_last_seat_is_sold_to_one_of_twelve(
    live_office: str, crowd: Crowd, dice: random.Random
) -> None:
    people = rivals(live_office)
    schemes = chits.with_one_seat_left(TRIALS)
    named = chits.people(1)[0]
    foreman = Caller.signed_in(live_office, schemes[0].foreman)
    buyers: Counter[str] = Counter()
    for scheme in schemes:
        # Half of them ask for the last number by name; one is the foreman, for somebody else.
        wishes = [dice.choice([{}, {"ticket_number": 3}]) for _ in people]
        calls = [join(rival, scheme, **wish) for rival, wish in zip(people, wishes, strict=True)]
        calls[dice.randrange(RIVALS)] = join(foreman, scheme, subscriber=str(named.pk))
        answers = crowd.at_once(calls)
        assert statuses(answers) == {201: 1, 409: RIVALS - 1}
        assert not any(answer.is_told_by_the_database for answer in answers)
        winner = next(answer for answer in answers if answer.status == 201)
        assert winner.json["ticket_number"] == 3
        buyers[winner.json["subscriber"]] += 1
        scheme.refresh_from_db()
        assert sold(scheme) == scheme.current_subscribers == scheme.max_subscribers
    assert buyers.total() == TRIALS
    assert len(buyers) > 1


def test_a_seat_that_is_given_back_while_others_ask_for_it_is_sold_once(
    live_office: str, crowd: Crowd
) -> None:
    people = rivals(live_office)
    for scheme in chits.with_one_seat_left(20):
        buyer, *others = people
        first = join(buyer, scheme)().json["id"]
        give_back = partial(buyer.send, "DELETE", f"subscriptions/{first}")
        answers = crowd.at_once([give_back, *(join(rival, scheme) for rival in others)])
        assert faults(answers) == []
        assert not any(answer.is_told_by_the_database for answer in answers)
        scheme.refresh_from_db()
        assert statuses(answers)[204] == 1
        assert statuses(answers)[201] == 1 - scheme.seats_left
        assert sold(scheme) == scheme.current_subscribers <= scheme.max_subscribers


def test_without_constraints_the_lock_alone_sells_the_last_seat_once(
    live_office: str, crowd: Crowd
) -> None:
    people, schemes = rivals(live_office), chits.with_one_seat_left(20)
    with without_constraints(*SECOND_LINE):
        for answers in everybody_joins(crowd, people, schemes):
            assert statuses(answers) == {201: 1, 409: RIVALS - 1}
        assert [sold(scheme) for scheme in schemes] == [3] * len(schemes)


def test_negative_control_without_the_lock_the_constraints_have_to_refuse(
    unguarded_office: Callable[[str], str], crowd: Crowd
) -> None:
    people, schemes = rivals(unguarded_office("row_locks"))[:4], chits.with_one_seat_left(10)
    trials = everybody_joins(crowd, people, schemes)
    told = [any(answer.is_told_by_the_database for answer in answers) for answers in trials]
    assert sum(told) >= 0.9 * len(trials)
    assert [statuses(answers)[201] for answers in trials] == [1] * len(trials)


def test_negative_control_without_lock_and_constraints_the_last_seat_is_sold_twice(
    unguarded_office: Callable[[str], str], crowd: Crowd
) -> None:
    people, schemes = rivals(unguarded_office("row_locks"))[:4], chits.with_one_seat_left(10)
    with without_constraints(*SECOND_LINE):
        everybody_joins(crowd, people, schemes)
        assert sum(map(is_oversold, schemes)) >= 0.9 * len(schemes)
