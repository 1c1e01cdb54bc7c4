"""A refresh token has one successor, and whoever uses a copy ends the session (rows 16, 17)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.clients import Client
from accounts.models import AccountMail, AuditEvent, AuthSession, MailPurpose, RefreshToken, User
from accounts.services import SignedIn, end_session, refresh_session
from accounts.services.sessions import open_session
from accounts.tests.factories import UserFactory
from accounts.tokens import read_refresh_token
from tests.auth.watching import WatchedOffice
from tests.race.crowd import Answer, Caller, Crowd, statuses

TOKENS, AT_ONCE = 100, 8
FAMILIES = 50
HERE = Client(ip="127.0.0.1", user_agent="tests")
OPEN_PATH = "auth/sessions"


def signed_in(user: User) -> SignedIn:
    return open_session(user_id=user.pk, version=user.token_version, client=HERE)


def refresh(office: str, token: str) -> Answer:
    return Caller(office).post("auth/refresh-token", {"refresh_token": token})


def opens(office: str, access_token: str) -> bool:
    answer = Caller(office, access_token).send("GET", OPEN_PATH)
    assert answer.status in (200, 401)
    return answer.status == 200


def exchanged_by_all(office: str, crowd: Crowd, token: str) -> list[Answer]:
    return crowd.at_once([partial(refresh, office, token)] * AT_ONCE)


def test_a_hundred_tokens_sent_eight_times_at_once_have_one_successor_each(
    live_office: str, crowd: Crowd
) -> None:
    user = UserFactory.create()
    successors = []
    for _ in range(TOKENS):
        first = signed_in(user)
        answers = exchanged_by_all(live_office, crowd, first.refresh_token)
        assert statuses(answers) == {200: AT_ONCE}
        told = {answer.json["refresh_token"] for answer in answers}
        assert len(told) == 1
        successors += told
        assert first.session.tokens.count() == 2
    assert len(set(successors)) == TOKENS
    # All of them still work, and nobody was suspected of theft.
    again = crowd.one_after_another([partial(refresh, live_office, token) for token in successors])
    assert statuses(again) == {200: TOKENS}
    assert not AuthSession.objects.exclude(ended_at=None).exists()
    assert not AuditEvent.objects.filter(verb="session.reuse_detected").exists()


def test_negative_control_without_single_use_a_token_has_several_successors(
    watched_office: Callable[..., WatchedOffice], crowd: Crowd
) -> None:
    office = watched_office(WITHOUT="single_refresh").url
    answers = exchanged_by_all(office, crowd, signed_in(UserFactory.create()).refresh_token)
    told = {answer.json["refresh_token"] for answer in answers if answer.status == 200}
    print(f"without single use: {len(told)} successors of one token")
    assert len(told) > 1


@dataclass
class Family:
    """A session with three generations of tokens; only the youngest is unused."""

    session: AuthSession
    generations: list[SignedIn]

    @classmethod
    def founded(cls, user: User) -> Family:
        generations = [signed_in(user)]
        for _ in range(2):
            generations.append(refresh_session(refresh_token=generations[-1].refresh_token))
        return cls(generations[0].session, generations)

    @property
    def youngest(self) -> SignedIn:
        return self.generations[-1]

    def age(self) -> None:
        """Let the grace of every used token go by."""
        past = timedelta(seconds=settings.REFRESH_GRACE_SECONDS + 1)
        used = self.session.tokens.filter(used_at__isnull=False)
        used.update(used_at=F("used_at") - past)


def parent_after_grace(family: Family) -> str:
    family.age()
    return family.generations[-2].refresh_token


def grandparent(family: Family) -> str:
    return family.generations[-3].refresh_token


def parent_after_logout(family: Family) -> str:
    end_session(session_id=family.session.pk, actor=family.youngest.user)
    return parent_after_grace(family)


def parent_after_idle_expiry(family: Family) -> str:
    jti = read_refresh_token(family.youngest.refresh_token).jti
    RefreshToken.objects.filter(jti=jti).update(expires_at=timezone.now())
    return family.generations[-2].refresh_token


def parent_after_absolute_expiry(family: Family) -> str:
    now = timezone.now()
    family.session.tokens.update(expires_at=now)
    AuthSession.objects.filter(pk=family.session.pk).update(expires_at=now)
    return family.generations[-2].refresh_token


WAYS = [
    parent_after_grace,
    grandparent,
    parent_after_logout,
    parent_after_idle_expiry,
    parent_after_absolute_expiry,
]


@pytest.mark.parametrize("reuse", WAYS, ids=lambda way: way.__name__)
def test_fifty_families_end_when_a_used_token_comes_again(
    live_office: str, crowd: Crowd, dice: random.Random, reuse: Callable[[Family], str]
) -> None:
    people = UserFactory.create_batch(5)
    families = [Family.founded(dice.choice(people)) for _ in range(FAMILIES)]
    bystander = signed_in(people[0])
    copies = [reuse(family) for family in families]

    sent = [partial(refresh, live_office, copy) for copy in copies]
    assert statuses(crowd.one_after_another(sent)) == {401: FAMILIES}

    descendants = [each for family in families for each in family.generations]
    refreshed = [partial(refresh, live_office, each.refresh_token) for each in descendants]
    assert statuses(crowd.one_after_another(refreshed)) == {401: len(descendants)}
    asked = [partial(opens, live_office, each.access_token) for each in descendants]
    assert not any(crowd.one_after_another(asked))
    assert opens(live_office, bystander.access_token)

    # Each is recorded and told once, however often the copy is sent.
    noticed = AuditEvent.objects.filter(verb="session.reuse_detected")
    assert {event.target_id for event in noticed} == {family.session.pk for family in families}
    assert noticed.count() == FAMILIES
    mails = AccountMail.objects.filter(purpose=MailPurpose.SESSION_REUSED)
    assert mails.count() == FAMILIES
    assert set(mails.values_list("user", flat=True)) == {f.session.user_id for f in families}


@pytest.mark.parametrize("reuse", [parent_after_grace, grandparent], ids=lambda way: way.__name__)
def test_negative_control_without_the_end_of_the_family_a_thief_stays_in(
    watched_office: Callable[..., WatchedOffice], reuse: Callable[[Family], str]
) -> None:
    office = watched_office(WITHOUT="ending_families").url
    family = Family.founded(UserFactory.create())
    assert refresh(office, reuse(family)).status == 401
    assert opens(office, family.youngest.access_token)
    assert refresh(office, family.youngest.refresh_token).status == 200


def test_within_the_grace_a_lost_reply_is_given_again_byte_for_byte(live_office: str) -> None:
    first = signed_in(UserFactory.create())
    told = [refresh(live_office, first.refresh_token).json["refresh_token"] for _ in range(5)]
    assert len(set(told)) == 1
    assert refresh(live_office, told[0]).status == 200
    # The successor is used: now the first one can only be a copy.
    assert refresh(live_office, first.refresh_token).status == 401
    assert not opens(live_office, first.access_token)
