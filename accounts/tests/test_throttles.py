"""One person's and one address's share of the office's time, and what happens without a count."""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts import throttles
from accounts.tests.api import client_for, session_of
from accounts.tests.factories import UserFactory
from accounts.tokens import access_token_for
from chitfund.observability.metrics import uncounted_requests
from chitfund.settings import env

pytestmark = pytest.mark.django_db

OPEN_TO_ALL = "/api/auth/oauth"
OWN = "/api/auth/me"
HOUR = 3600  # a window that does not end in the middle of a test


@pytest.fixture(autouse=True)
def _nothing_has_failed():
    throttles.breaker.reset()
    uncounted_requests.reset()
    yield
    throttles.breaker.reset()
    uncounted_requests.reset()


@pytest.fixture
def three_an_address(settings):
    settings.API_RATE_ADDRESS = (3, HOUR)


@pytest.fixture
def three_a_person(settings):
    settings.API_RATE_USER = (3, HOUR)


def test_the_request_beyond_the_limit_is_told_when_to_come_back(three_an_address):
    client = Client()
    assert [client.get(OPEN_TO_ALL).status_code for _ in range(3)] == [200] * 3
    refused = client.get(OPEN_TO_ALL)
    assert refused.status_code == 429
    assert refused.json()["code"] == "throttled"
    assert refused.json()["trace_id"]
    assert 0 < int(refused.headers["Retry-After"]) <= HOUR


def test_a_new_window_begins_from_nothing(settings, monkeypatch):
    settings.API_RATE_ADDRESS = (1, 60)
    now = time.time()
    monkeypatch.setattr(throttles.time, "time", lambda: now)
    assert [Client().get(OPEN_TO_ALL).status_code for _ in range(2)] == [200, 429]
    monkeypatch.setattr(throttles.time, "time", lambda: now + 60)
    assert Client().get(OPEN_TO_ALL).status_code == 200


def test_each_person_has_a_share_of_their_own(three_a_person):
    one, other = client_for(UserFactory()), client_for(UserFactory())
    assert [one.get(OWN).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert other.get(OWN).status_code == 200


def test_who_is_signed_in_is_not_counted_with_the_neighbours(three_an_address):
    client = client_for(UserFactory())
    assert {client.get(OWN).status_code for _ in range(6)} == {200}


@pytest.mark.parametrize("token", [None, "Bearer forged"])
def test_refused_requests_count_as_well(three_an_address, token):
    headers = {"Authorization": token} if token else {}
    client = Client(headers=headers)
    assert [client.get(OWN).status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.parametrize(("proxies", "forged"), [(0, "{}"), (1, "{}, 203.0.113.9")])
def test_a_made_up_forwarded_address_brings_no_new_share(
    three_an_address, settings, proxies, forged
):
    settings.TRUSTED_PROXY_COUNT = proxies
    answers = [
        Client().get(
            OPEN_TO_ALL, headers={"X-Forwarded-For": forged.format(f"198.51.100.{number}")}
        )
        for number in range(5)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]


def test_behind_our_proxy_each_address_has_its_own_share(three_an_address, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    codes = {
        Client().get(OPEN_TO_ALL, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(6)
    }
    assert codes == {200}


def test_off_counts_nothing(settings, monkeypatch):
    settings.API_RATE_ADDRESS = None
    monkeypatch.setattr(throttles, "_counted", lambda *_: pytest.fail("was counted"))
    assert Client().get(OPEN_TO_ALL).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_sixty_at_once_exactly_ten_pass(office_with):
    url = office_with(API_RATE_USER="10/h", API_RATE_ADDRESS="10/h").url
    user = UserFactory()
    token = access_token_for(user, session_of(user))
    before_the_hour_ends()

    def ask(headers: dict[str, str]) -> int:
        return httpx.get(url + (OWN if headers else OPEN_TO_ALL), headers=headers).status_code

    for headers in ({"Authorization": f"Bearer {token}"}, {}):
        with ThreadPoolExecutor(20) as crowd:
            answers = Counter(crowd.map(ask, [headers] * 60))
        assert answers == {200: 10, 429: 50}


def before_the_hour_ends() -> None:
    """Wait for the new window where this one is about to end in the middle of the crowd."""
    left = HOUR - time.time() % HOUR
    if left < 20:
        time.sleep(left)  # windows go by the machine's clock, which a live office shares


def redis_at(settings, port: int) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": throttles.REDIS_CACHE,
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": redis_options(),
        }
    }


def redis_options() -> dict[str, object]:
    """Return what the office's own settings say of a Redis."""
    from chitfund.settings.database import caches

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        return caches()["default"]["OPTIONS"]


def test_a_refused_counter_refuses_nobody(three_an_address, settings, caplog):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        redis_at(settings, closed.getsockname()[1])
    with caplog.at_level(logging.WARNING, "accounts.throttles"):
        assert {Client().get(OPEN_TO_ALL).status_code for _ in range(6)} == {200}
    assert uncounted_requests.total == 6
    told = [record for record in caplog.records if record.name == "accounts.throttles"]
    assert [record.levelname for record in told] == ["WARNING"]

    ready = Client().get("/readyz").json()
    assert ready["degraded"] is True
    assert ready["checks"]["throttles"] == "not counting"


def test_a_counter_that_hangs_costs_one_request_a_quarter_of_a_second(three_an_address, settings):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        redis_at(settings, silent.getsockname()[1])
        began = time.monotonic()
        assert {Client().get(OPEN_TO_ALL).status_code for _ in range(6)} == {200}
        spent = time.monotonic() - began
    assert 0.2 < spent < 0.8
    assert uncounted_requests.total == 6


def test_it_counts_again_when_the_counter_is_back(three_an_address, settings, monkeypatch):
    throttles.breaker.trip()
    assert {Client().get(OPEN_TO_ALL).status_code for _ in range(6)} == {200}
    later = time.monotonic() + throttles.PAUSE_SECONDS
    monkeypatch.setattr(throttles.time, "monotonic", lambda: later)
    assert [Client().get(OPEN_TO_ALL).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("written", "meant"), [("600/min", (600, 60)), ("5/s", (5, 1)), ("9/h", (9, 3600))]
)
def test_a_rate_is_read(monkeypatch, written, meant):
    monkeypatch.setenv("API_RATE_USER", written)
    assert env.rate("API_RATE_USER", "off") == meant


@pytest.mark.parametrize("written", ["0/min", "-1/min", "600", "600/day", "600 / min", "many"])
def test_what_is_no_rate_is_refused_by_name(monkeypatch, written):
    monkeypatch.setenv("API_RATE_USER", written)
    with pytest.raises(ImproperlyConfigured, match="API_RATE_USER"):
        env.rate("API_RATE_USER", "off")
