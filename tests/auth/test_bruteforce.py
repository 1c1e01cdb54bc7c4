"""Guessing passwords, at once and one by one, and lying about where one sits (rows 22, 23)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from accounts import passwords
from accounts.clients import Client
from accounts.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SIGN_IN_PAIR
from accounts.models import AuditEvent
from accounts.services import sign_in
from accounts.tests.factories import PASSWORD, UserFactory
from chitfund.exceptions import DomainError
from chitfund.testing import OfficeServer
from tests.auth.watching import WatchedOffice
from tests.race.conftest import NO_MAIL
from tests.race.crowd import Answer, Caller, Crowd, statuses

GUESSES = 40
NAMES = 5000
STOP = 100
COMMON = "Summer2024!"


def guess(office: str, identifier: str, number: int) -> Answer:
    body = {"identifier": identifier, "password": f"wrong {number}"}
    return Caller(office).post("auth/login", body)


def guessed_at_once(office: WatchedOffice, forty: Crowd, identifier: str) -> list[Answer]:
    calls = [partial(guess, office.url, identifier, number) for number in range(GUESSES)]
    return forty.at_once(calls)


@pytest.mark.parametrize("is_known", [True, False])
def test_of_forty_wrong_sign_ins_at_once_five_reach_the_hash(
    watched_office: Callable[..., WatchedOffice], forty: Crowd, is_known: bool
) -> None:
    identifier = UserFactory.create().email if is_known else "nobody@example.com"
    office = watched_office()
    answers = guessed_at_once(office, forty, identifier)

    assert office.looks == SIGN_IN_PAIR.attempts
    assert statuses(answers) == {401: 5, 429: 35}
    waits = [int(answer.headers["retry-after"]) for answer in answers if answer.status == 429]
    assert all(0 < wait <= SIGN_IN_PAIR.window.total_seconds() for wait in waits)


def test_negative_control_counting_after_the_look_lets_a_crowd_through(
    watched_office: Callable[..., WatchedOffice], forty: Crowd
) -> None:
    office = watched_office(WITHOUT="reservations")
    guessed_at_once(office, forty, UserFactory.create().email)

    assert office.looks > SIGN_IN_PAIR.attempts


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by one with every hash that is computed."""
    done: list[int] = []
    hash_it = passwords.OfficePasswordHasher.encode
    monkeypatch.setattr(
        passwords.OfficePasswordHasher,
        "encode",
        lambda hasher, text, salt: done.append(1) or hash_it(hasher, text, salt),
    )
    return done


def login(ip: str, identifier: str, password: str = COMMON, **headers: str) -> int:
    client = APIClient(REMOTE_ADDR=ip, **headers)
    body = {"identifier": identifier, "password": password}
    return client.post("/api/auth/login", body).status_code


def status_of_sign_in(ip: str, identifier: str) -> int:
    try:
        sign_in(identifier=identifier, password=COMMON, client=Client(ip=ip, user_agent=""))
    except DomainError as refusal:
        return refusal.status
    return 200


@pytest.mark.slow
@pytest.mark.django_db
def test_five_thousand_names_with_one_password_are_stopped_within_a_hundred(
    hashes: list[int],
) -> None:
    known = {n: UserFactory.create().email for n in range(0, NAMES, 500)}
    hashes.clear()
    names = [known.get(n, f"person-{n}@example.org") for n in range(NAMES)]
    # Through the API until well after the stop, then by what the API calls: it is quicker.
    codes = [login("203.0.113.7", name) for name in names[: 2 * STOP]]
    codes += [status_of_sign_in("203.0.113.7", name) for name in names[2 * STOP :]]

    assert len(codes) == NAMES
    assert len(hashes) <= STOP
    assert codes.count(401) == len(hashes)
    assert set(codes[STOP:]) == {429}


@pytest.mark.django_db
def test_ones_own_sign_in_clears_neither_the_victims_nor_the_lines_counter(
    hashes: list[int],
) -> None:
    attacker, victim = UserFactory.create_batch(2)
    codes = []
    for n in range(SIGN_IN_PAIR.attempts + 1):
        codes.append(login("203.0.113.7", victim.email, f"wrong {n}"))
        assert login("203.0.113.7", attacker.email, PASSWORD) == 200
    assert codes == [401] * SIGN_IN_PAIR.attempts + [429]

    tried = SIGN_IN_PAIR.attempts + 1
    for n in range(SIGN_IN_ADDRESS.attempts - tried):
        assert login("203.0.113.7", f"person-{n}@example.org") == 401
        if n % 10 == 0:
            assert login("203.0.113.7", attacker.email, PASSWORD) == 200
    assert login("203.0.113.7", "somebody-else@example.org") == 429


@pytest.mark.django_db
def test_the_victim_is_not_locked_out_of_a_device_that_is_known() -> None:
    victim = UserFactory.create()
    assert login("198.51.100.7", victim.email, PASSWORD) == 200
    codes = [
        login(f"203.0.113.{n}", victim.email, "wrong") for n in range(SIGN_IN_ACCOUNT.attempts + 5)
    ]

    assert codes[-1] == 429  # the account is shut to strangers,
    assert login("192.0.2.1", victim.email, PASSWORD) == 429
    assert login("198.51.100.7", victim.email, PASSWORD) == 200  # and open to its owner


# Row 23. What somebody may write to seem to sit elsewhere.

Headers = Sequence[tuple[str, str]]
V4 = ["1.1.1.1", "10.0.0.1", "203.0.113.99", "8.8.8.8", "127.0.0.2"]
V6 = ["2001:db8::1", "::1", "fe80::1", "2001:db8:ffff::9", "::ffff:9.9.9.9"]
GARBAGE = ["", " ", "unknown", "_hidden", "localhost", "1.1.1.1:443", "[2001:db8::1]:443",
           "-1", "999.1.1.1", "1.1.1.1'--", "%00", "a" * 2000, ",", ",,,,",
           "1.1.1.1,,1.1.1.1"]  # fmt: skip
OTHER_NAMES = ["X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP",
               "X-Cluster-Client-IP", "Fastly-Client-IP", "X-Originating-IP", "X-Remote-IP",
               "X-Remote-Addr", "Remote-Addr", "X-Forwarded", "Forwarded-For", "X-Host",
               "Via"]  # fmt: skip
SPOOFS: list[Headers] = [
    *([("X-Forwarded-For", ", ".join(V4[:count]))] for count in range(1, 6)),
    *([("X-Forwarded-For", ", ".join(V6[:count]))] for count in range(1, 6)),
    *([("X-Forwarded-For", text)] for text in GARBAGE),
    *([(name, "1.1.1.1")] for name in OTHER_NAMES),
    [("Forwarded", "for=1.1.1.1")],
    [("Forwarded", 'for="[2001:db8::1]:4711";proto=https;by=203.0.113.43')],
    [("Forwarded", "for=1.1.1.1, for=10.0.0.1"), ("X-Forwarded-For", "1.1.1.1")],
    [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "10.0.0.1")],
    [("X_Forwarded_For", "1.1.1.1")],
    [("x-forwarded-for", "1.1.1.1"), ("X-FORWARDED-FOR", "2001:db8::1")],
    [("X-Forwarded-For", "1.1.1.1"), ("X_Forwarded_For", "10.0.0.1")],
    [("X-Forwarded-For", "1.1.1.1"), ("X-Real-IP", "10.0.0.1"), ("Forwarded", "for=8.8.8.8")],
    [("REMOTE_ADDR", "1.1.1.1")],
    [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Host", "1.1.1.1"), ("X-Forwarded-Port", "1")],
]
CLIENT = "198.51.100.7"


def test_there_are_fifty_ways_to_lie() -> None:
    assert len(SPOOFS) == 50
    assert len({str(spoof) for spoof in SPOOFS}) == 50


def sign_in_with(office: str, headers: Headers, identifier: str) -> int:
    """Send a wrong password with these very header lines, doubled ones and all."""
    connection = http.client.HTTPConnection(urlsplit(office).netloc, timeout=60)
    body = json.dumps({"identifier": identifier, "password": "wrong"}).encode()
    try:
        connection.putrequest("POST", "/api/auth/login")
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def addresses_seen() -> set[str | None]:
    failures = AuditEvent.objects.filter(verb="user.sign_in_failed")
    return {event.ip_address for event in failures}


def test_without_a_proxy_only_the_socket_says_where_one_sits(
    transactional_db: None, office_with: Callable[..., OfficeServer]
) -> None:
    office = office_with(**NO_MAIL).url
    codes = [sign_in_with(office, spoof, f"n{n}@example.com") for n, spoof in enumerate(SPOOFS)]

    assert codes == [401] * 50
    assert addresses_seen() == {"127.0.0.1"}
    left = SIGN_IN_ADDRESS.attempts - 50
    more = [sign_in_with(office, SPOOFS[n], f"m{n}@example.com") for n in range(left + 1)]
    assert more == [401] * left + [429]


def let_through(spoof: Headers) -> Headers:
    """Return what any proxy before us must let through: no header with an underscore.

    In a WSGI environment `X_Forwarded_For` and `X-Forwarded-For` are one name, and the server
    keeps whichever comes last. nginx drops such headers unless it is told not to.
    """
    return [(name, value) for name, value in spoof if "_" not in name]


def joined(spoof: Headers, hops: Sequence[str]) -> Headers:
    """Return what arrives behind proxies that append to the line that is there (nginx)."""
    lines = [value for name, value in spoof if name.lower() == "x-forwarded-for"]
    rest = [(name, value) for name, value in spoof if name.lower() != "x-forwarded-for"]
    return [*rest, ("X-Forwarded-For", ", ".join([*lines, *hops]))]


def added(spoof: Headers, hops: Sequence[str]) -> Headers:
    """Return what arrives behind proxies that add a line of their own (HAProxy)."""
    return [*spoof, *(("X-Forwarded-For", hop) for hop in hops)]


@pytest.mark.parametrize("hops", [[CLIENT], [CLIENT, "10.0.0.5"]], ids=["one", "two"])
@pytest.mark.parametrize("append", [joined, added])
def test_behind_proxies_only_what_the_outermost_of_ours_saw_counts(
    transactional_db: None,
    office_with: Callable[..., OfficeServer],
    hops: Sequence[str],
    append: Callable[[Headers, Sequence[str]], Headers],
) -> None:
    office = office_with(TRUSTED_PROXY_COUNT=str(len(hops)), **NO_MAIL).url
    codes = [
        sign_in_with(office, append(let_through(spoof), hops), f"n{n}@example.com")
        for n, spoof in enumerate(SPOOFS)
    ]

    assert codes == [401] * 50
    assert addresses_seen() == {CLIENT}


@pytest.mark.django_db
def test_all_of_ipv4_is_not_one_neighbour_on_a_socket_for_both_families() -> None:
    for n in range(SIGN_IN_PAIR.attempts):
        assert login("::ffff:203.0.113.7", "victim@example.com", f"wrong {n}") == 401

    assert login("203.0.113.7", "victim@example.com") == 429
    assert login("::ffff:203.0.113.8", "victim@example.com") == 401
