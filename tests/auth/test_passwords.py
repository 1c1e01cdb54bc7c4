"""Hard passwords, big bodies, common words, cheap hashes and a crowd of them (row 26)."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.core.management import CommandError, call_command
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts import passwords
from accounts.models import User, UserStatus
from accounts.passwords import AT_ONCE, OfficePasswordHasher
from accounts.services.registration import check_password_strength
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.views.sign_in import PublicView
from chitfund.api.parsers import SMALL_BODY
from chitfund.exceptions import InvalidInput
from chitfund.testing import OfficeServer
from tests.race.conftest import NO_MAIL
from tests.race.crowd import Caller, Crowd, statuses

ROOT = Path(__file__).resolve().parent.parent.parent
TOP = 3000
LEAST_ROUNDS = 10
LOGINS, MOST_GROWTH = 20, 600 * 2**20
# Bytes, by what they are made of. bcrypt by itself looks at 72.
TEXTS = {
    "72 of one byte": "Kolam" * 14 + "x1",
    "73 of one byte": "Kolam" * 14 + "x12",
    "128 of one byte": "Kolam" * 25 + "x12",
    "72 in 24 signs": "अ" * 23 + "क",
    "73 in 25 signs": "अ" * 24 + "1",
    "128 in 32 signs": "🪔" * 31 + "🎉",
    "384 in 128 signs": "தமிழ்நாடு" * 14 + "அஆ",
    "a mix": "é€🪔ß" * 30 + "x1é",
}


def register(password: str) -> int:
    person = {
        "full_name": "Asha Rao",
        "email": "asha@example.com",
        "phone_number": "9840012345",
        "date_of_birth": "1990-01-15",
    }
    return APIClient().post("/api/auth/register", person | {"password": password}).status_code


def login(password: str) -> int:
    body = {"identifier": "asha@example.com", "password": password}
    return APIClient().post("/api/auth/login", body).status_code


@pytest.mark.django_db
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_long_password_counts_to_its_last_byte(text: str) -> None:
    assert register(text) == 201
    User.objects.update(status=UserStatus.ACTIVE)

    assert login(text) == 200
    # Another last sign, none, and one more.
    assert [login(text[:-1] + "z"), login(text[:-1]), login((text + "z")[-128:])] == [401] * 3


def test_the_texts_are_as_long_as_they_say() -> None:
    lengths = [int(name.split()[0]) for name in TEXTS if name[0].isdigit()]
    assert [len(text.encode()) for text in TEXTS.values()][:6] == lengths[:6]
    assert all(len(text) <= 128 for text in TEXTS.values())


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["x1" * 65, "nul \x00 in it 1", "\ud800 alone 12345"])
def test_what_cannot_be_a_password_is_refused_and_breaks_nothing(text: str) -> None:
    body = json.dumps({"identifier": "asha@example.com", "password": text})
    answer = APIClient().generic("POST", "/api/auth/login", body, "application/json")

    assert answer.status_code == 400


def public_routes() -> dict[str, str]:
    """Return the paths that strangers may post to and what each takes, as the resolver has them."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                view = getattr(pattern.callback, "cls", None)
                is_public = isinstance(view, type) and issubclass(view, PublicView)
                if is_public and hasattr(view, "post"):
                    path = "/" + re.sub("<[a-z]+:[a-z]+>", "x", route)
                    yield path, view.parser_classes[0].media_type

    return dict(walk(get_resolver().url_patterns, ""))


@pytest.mark.django_db
@pytest.mark.parametrize("size", [SMALL_BODY + 1, 2**20])
def test_no_stranger_is_listened_to_for_longer_than_four_kilobytes(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(OfficePasswordHasher, "encode", None)  # nobody gets so far
    routes = public_routes()
    fill = "x" * (size - len(json.dumps({"password": ""})))
    bodies = {
        "application/json": json.dumps({"password": fill}),
        "application/x-www-form-urlencoded": f"password={'x' * (size - len('password='))}",
    }
    answers = {
        path: APIClient().generic("POST", path, bodies[kind], kind).status_code
        for path, kind in routes.items()
    }

    assert {len(body) for body in bodies.values()} == {size}
    assert {"/api/auth/login", "/api/auth/register", "/api/otp/send"} <= routes.keys()
    assert answers == dict.fromkeys(routes, 413)


@pytest.mark.django_db
def test_the_longest_honest_sign_in_fits() -> None:
    user = UserFactory.create()
    body = json.dumps({"identifier": user.email, "password": PASSWORD, "pad": ""})
    body = body.replace('"pad": ""', '"pad": "' + "x" * (SMALL_BODY - len(body)) + '"')

    assert len(body) == SMALL_BODY
    answer = APIClient().generic("POST", "/api/auth/login", body, "application/json")
    assert answer.status_code == 200


def common_passwords() -> list[str]:
    """Return Django's list, which begins with the most common one."""
    file = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    return gzip.decompress(file.read_bytes()).decode().split("\n")[:TOP]


def test_the_three_thousand_most_common_passwords_are_refused_as_common() -> None:
    person = User(full_name="Asha Rao", email="asha@example.com")
    words = common_passwords()
    passed = []
    for written in (str, str.upper, str.capitalize, " {} ".format):
        for word in words:
            try:
                check_password_strength(written(word), person)
            except InvalidInput as refusal:
                if "password_too_common" in {error.code for error in refusal.errors}:
                    continue
            passed.append(written(word))

    assert len(set(words)) == TOP
    assert passed == []


@pytest.mark.django_db
def test_the_routes_that_set_a_password_refuse_a_common_one() -> None:
    long_enough = [word for word in common_passwords() if len(word) >= 8][:20]

    assert {register(word) for word in long_enough} == {400}
    assert not User.objects.exists()


def hash_in(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Compute a hash in a process of its own with these settings."""
    program = (
        "import django; django.setup()\n"
        "from django.contrib.auth.hashers import make_password\n"
        "print(make_password('correct horse battery'))"
    )
    clean = {k: v for k, v in os.environ.items() if k not in ("BCRYPT_ROUNDS", "APP_ENV")}
    own = {"DJANGO_SETTINGS_MODULE": "chitfund.settings", "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean | own | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_hashes_outside_tests_cost_what_the_policy_says(tmp_path: Path) -> None:
    usual = hash_in({"APP_ENV": "office"}, tmp_path).stdout
    cheap = hash_in({"APP_ENV": "office", "BCRYPT_ROUNDS": str(LEAST_ROUNDS - 1)}, tmp_path)

    assert usual.startswith("bcrypt_sha256$$2b$12$")
    assert cheap.returncode != 0
    assert "BCRYPT_ROUNDS must be a whole number, 10 or more" in cheap.stderr


@pytest.mark.django_db
def test_a_cheaper_hash_is_renewed_at_the_next_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory.create()
    monkeypatch.setattr(OfficePasswordHasher, "rounds", 5)
    client = APIClient()
    body = {"identifier": user.email, "password": PASSWORD}

    assert client.post("/api/auth/login", body).status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("bcrypt_sha256$$2b$05$")


def busiest_moment(monkeypatch: pytest.MonkeyPatch, hash_one: Callable[[int], object]) -> int:
    """Return how many hashes a crowd of twenty had computed at the same moment, at most."""
    lock, present, most = threading.Lock(), 0, 0
    compute = BCryptSHA256PasswordHasher.encode

    def slowly(hasher: BCryptSHA256PasswordHasher, password: str, salt: bytes) -> str:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        time.sleep(0.02)  # a cheap hash is over before a second one could be seen beside it
        try:
            return compute(hasher, password, salt)
        finally:
            with lock:
                present -= 1

    monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", slowly)
    with ThreadPoolExecutor(LOGINS) as pool:
        list(pool.map(hash_one, range(LOGINS)))
    return most


def test_a_process_computes_two_hashes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert busiest_moment(monkeypatch, lambda n: make_password(f"password {n}")) == AT_ONCE


def test_negative_control_without_turns_everybody_hashes_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "_turn", threading.BoundedSemaphore(LOGINS))

    assert busiest_moment(monkeypatch, lambda n: make_password(f"password {n}")) > AT_ONCE


@pytest.mark.django_db
def test_whoever_waits_too_long_for_their_turn_is_told_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.05)
    for _ in range(AT_ONCE):
        passwords._turn.acquire()
    try:
        answer = APIClient().post("/api/auth/login", {"identifier": "a@b.in", "password": "x"})
    finally:
        for _ in range(AT_ONCE):
            passwords._turn.release()

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


class Watch:
    """The most memory that a family of processes held together while it was watched."""

    def __init__(self, pid: int) -> None:
        head = psutil.Process(pid)
        self.family = [head, *head.children(recursive=True)]
        self.before = self.peak = self._held()
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look)

    def _held(self) -> int:
        return sum(process.memory_info().rss for process in self.family)

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self.peak = max(self.peak, self._held())

    def __enter__(self) -> Watch:
        self._looker.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._looker.join()


@pytest.mark.slow
def test_twenty_sign_ins_at_once_take_no_memory_to_speak_of(
    transactional_db: None, office_with: Callable[..., OfficeServer], forty: Crowd
) -> None:
    server = office_with(BCRYPT_ROUNDS="12", **NO_MAIL)
    hasher = OfficePasswordHasher()
    hasher.rounds = 12
    hashed = hasher.encode(PASSWORD, hasher.salt())
    users = [UserFactory.create(password=hashed) for _ in range(LOGINS)]
    bodies = [{"identifier": user.email, "password": PASSWORD} for user in users]
    sign_in = [partial(Caller(server.url).post, "auth/login", body) for body in bodies]
    assert sign_in[0]().status == 200
    with Watch(server.process.pid) as watch:
        answers = forty.at_once(sign_in)

    growth = watch.peak - watch.before
    print(f"grew by {growth / 2**20:.1f} MiB in {len(watch.family)} processes")
    assert len(watch.family) >= 2
    assert statuses(answers) == {200: LOGINS}
    assert growth <= MOST_GROWTH


@pytest.mark.parametrize("command", ["changepassword", "createsuperuser"])
def test_djangos_own_commands_do_not_pass_by_the_services(command: str) -> None:
    with pytest.raises(CommandError, match="create_admin"):
        call_command(command)
