"""Codes that work once work once, in two processes and for a crowd that begins together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pyotp
import pytest
import time_machine
from django.utils import timezone

from accounts.clients import Client
from accounts.models import CodeChannel, CodePurpose, OneTimeCode, User
from accounts.models.factors import MOST_GUESSES
from accounts.services.one_time_codes import issue_code, send_code
from accounts.services.second_factor import begin_second_factor, confirm_second_factor
from accounts.tests.factories import PASSWORD, UserFactory
from tests.auth.watching import WatchedOffice
from tests.race.crowd import Caller, Crowd, statuses

HERE = Client(ip="198.51.100.1", user_agent="tests")
PHONE = "+919876543210"
# As many as may try a second factor from one line before the limit answers.
CROWD = 5


def code_on_its_way() -> str:
    code = send_code(
        address=PHONE, purpose=CodePurpose.REGISTRATION, channel=CodeChannel.SMS, client=HERE
    )
    return str(issue_code(code))


def verified(office: str, forty: Crowd, digits: str, times: int) -> dict[int, int]:
    body = {"phone_number": PHONE, "purpose": "REGISTRATION", "otp": digits}
    calls = [partial(Caller(office).post, "otp/verify", body)] * times
    return statuses(forty.at_once(calls))


def enrolled(user: User) -> tuple[str, list[str]]:
    """Set up a factor some minutes ago; return its secret and recovery codes."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        secret = begin_second_factor(user=user, password=PASSWORD, client=HERE).secret
        code = pyotp.TOTP(secret).at(timezone.now())
        return secret, confirm_second_factor(user=user, code=code, client=HERE)


def signed_in(office: str, forty: Crowd, user: User, code: str) -> dict[int, int]:
    body = {"identifier": user.email, "password": PASSWORD, "code": code}
    calls = [partial(Caller(office).post, "auth/login", body)] * CROWD
    return statuses(forty.at_once(calls))


def app_code(secret: str) -> str:
    return pyotp.TOTP(secret).at(timezone.now())


def test_forty_wrong_guesses_at_once_are_five_guesses(live_office: str, forty: Crowd) -> None:
    digits = code_on_its_way()
    wrong = f"{(int(digits) + 1) % 10**6:06d}"

    assert verified(live_office, forty, wrong, 40) == {400: 40}
    assert OneTimeCode.objects.get().guesses == MOST_GUESSES
    assert verified(live_office, forty, digits, 1) == {400: 1}


def test_a_right_code_is_exchanged_once(live_office: str, forty: Crowd) -> None:
    digits = code_on_its_way()

    assert verified(live_office, forty, digits, CROWD) == {200: 1, 400: CROWD - 1}


def test_a_code_of_the_app_signs_in_once(live_office: str, forty: Crowd) -> None:
    user = UserFactory.create()
    secret, _ = enrolled(user)

    assert signed_in(live_office, forty, user, app_code(secret)) == {200: 1, 401: CROWD - 1}


def test_a_recovery_code_signs_in_once(live_office: str, forty: Crowd) -> None:
    user = UserFactory.create()
    _, codes = enrolled(user)

    assert signed_in(live_office, forty, user, codes[0]) == {200: 1, 401: CROWD - 1}


@pytest.mark.parametrize("kind", ["code", "app", "recovery"])
def test_negative_control_looking_before_writing_lets_several_in(
    watched_office: Callable[..., WatchedOffice], forty: Crowd, kind: str
) -> None:
    office = watched_office(WITHOUT="single_use").url
    if kind == "code":
        told = verified(office, forty, code_on_its_way(), CROWD)
    else:
        user = UserFactory.create()
        secret, codes = enrolled(user)
        told = signed_in(office, forty, user, codes[0] if kind == "recovery" else app_code(secret))

    assert told[200] > 1
