"""Attempts are counted before the secret is looked at, in parallel too (row 22)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from rest_framework.test import APIClient, APIRequestFactory

from accounts import limits
from accounts.clients import Client, client_of
from accounts.limits import SIGN_IN_PAIR
from accounts.models import AttemptCounter, User
from accounts.tests.factories import UserFactory
from chitfund.testing import in_own_connection


@pytest.mark.django_db(transaction=True)
def test_forty_wrong_passwords_at_once_are_five_looks_at_the_password(monkeypatch):
    user = UserFactory.create()
    looks = []
    check = User.check_password
    monkeypatch.setattr(
        User, "check_password", lambda self, text: looks.append(1) or check(self, text)
    )

    def guess(n):
        body = {"identifier": user.email, "password": f"wrong {n}"}
        return APIClient().post("/api/auth/login", body).status_code

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(in_own_connection(guess), range(40)))

    assert len(looks) == SIGN_IN_PAIR.attempts
    assert sorted(codes) == [401] * 5 + [429] * 35


@pytest.mark.django_db
def test_giving_back_never_goes_below_nothing():
    limits.give_back(SIGN_IN_PAIR, "a", "b")
    limits.reserve(SIGN_IN_PAIR, "a", "b")
    limits.give_back(SIGN_IN_PAIR, "a", "b")
    limits.give_back(SIGN_IN_PAIR, "a", "b")

    assert AttemptCounter.objects.get().count == 0


def client_from(**meta):
    return client_of(APIRequestFactory().get("/", **meta))


def test_without_a_trusted_proxy_only_the_socket_counts(settings):
    settings.TRUSTED_PROXY_COUNT = 0
    for forwarded in ("1.2.3.4", "1.2.3.4, 5.6.7.8", "::1", "garbage", "unknown", ""):
        client = client_from(REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded)
        assert client.ip == "10.0.0.9"


@pytest.mark.parametrize(
    ("count", "forwarded", "ip"),
    [
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.9"),
        (1, "6.6.6.6, garbage", "10.0.0.9"),
        (1, "", "10.0.0.9"),
    ],
)
def test_behind_proxies_the_address_that_the_outermost_of_ours_saw_counts(
    settings, count, forwarded, ip
):
    settings.TRUSTED_PROXY_COUNT = count

    assert client_from(REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded).ip == ip


def test_one_ipv6_network_is_one_neighbour():
    first = Client(ip="2001:db8:1:2::1", user_agent="")
    second = Client(ip="2001:db8:1:2:ffff::9", user_agent="")
    third = Client(ip="2001:db8:1:3::1", user_agent="")

    assert first.neighbourhood == second.neighbourhood != third.neighbourhood


def test_a_client_without_an_address_is_counted_too():
    assert Client(ip=None, user_agent="").neighbourhood == "unknown"


def test_a_long_user_agent_is_cut():
    assert len(client_from(HTTP_USER_AGENT="x" * 1000 + "\x00").user_agent) == 255
