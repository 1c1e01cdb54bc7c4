"""The second factor: set up, asked for, used once, lost, and demanded of staff."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.views import APIView

from accounts.clients import Client
from accounts.limits import OWN_PASSWORD, SECOND_FACTOR_ACCOUNT, SECOND_FACTOR_PAIR
from accounts.models import (
    AccountMail,
    AuditEvent,
    AuthSession,
    MailPurpose,
    RecoveryCode,
    SignInMethod,
    TimeBasedFactor,
    User,
)
from accounts.sealing import NotOpenedError
from accounts.sealing import opened as unsealed
from accounts.services import second_factor
from accounts.services.second_factor import (
    RECOVERY_CODES,
    begin_second_factor,
    check_second_factor,
    confirm_second_factor,
)
from accounts.services.sessions import open_session, refresh_session
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.exceptions import NotAuthenticated, Unavailable
from chitfund.testing import in_own_connection

HERE = Client(ip="198.51.100.1", user_agent="tests")
PATH = "/api/auth/second-factor"
# So far from the confirmation that its step is not the present one any more.
LATER = timedelta(minutes=5)


def code_at(secret, when=None):
    return pyotp.TOTP(secret).at(when or timezone.now())


def wrong_code(secret):
    near = {code_at(secret, timezone.now() + timedelta(seconds=30 * off)) for off in range(-3, 4)}
    return next(code for code in map("{:06d}".format, range(99)) if code not in near)


def enrolled(user):
    """Set up a factor five minutes ago; return its secret and recovery codes."""
    with time_machine.travel(timezone.now() - LATER):
        secret = begin_second_factor(user=user, password=PASSWORD, client=HERE).secret
        return secret, confirm_second_factor(user=user, code=code_at(secret), client=HERE)


def login(user, client=None, **body):
    wish = {"identifier": user.email, "password": PASSWORD} | body
    return (client or APIClient()).post("/api/auth/login", wish)


@pytest.mark.django_db
def test_an_app_is_set_up_in_two_steps():
    user = UserFactory.create()
    client = client_for(user)
    begun = client.post(PATH, {"password": PASSWORD})
    uri = urlsplit(begun.json()["otpauth_uri"])
    before = client.get(PATH).json()
    confirmed = client.post(f"{PATH}/confirm", {"code": code_at(begun.json()["secret"])})

    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [begun.json()["secret"]]
    assert begun.json()["qr_svg"].startswith("data:image/svg+xml")
    assert before == {
        "is_enrolled": False, "is_required": False, "confirmed_at": None,
        "recovery_codes_left": 0,
    }  # fmt: skip
    assert confirmed.status_code == 200
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == RECOVERY_CODES
    after = client.get(PATH).json()
    assert (after["is_enrolled"], after["recovery_codes_left"]) == (True, RECOVERY_CODES)
    assert AuthSession.objects.get(user=user).second_factor_at is not None
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert [*verbs] == ["second_factor.begun", "second_factor.added"]
    assert AccountMail.objects.get(user=user).purpose == MailPurpose.FACTOR_ADDED


@pytest.mark.django_db
def test_an_app_that_is_not_confirmed_is_asked_of_nobody():
    user = UserFactory.create()
    begin_second_factor(user=user, password=PASSWORD, client=HERE)

    assert login(user).status_code == 200


@pytest.mark.django_db
def test_setting_up_takes_the_password_and_five_guesses_at_it():
    user = UserFactory.create()
    client = client_for(user)
    answers = [client.post(PATH, {"password": "wrong"}) for _ in range(OWN_PASSWORD.attempts + 1)]

    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[0].json()["code"] == "wrong_password"
    assert client.post(PATH, {"password": PASSWORD}).status_code == 429
    assert not TimeBasedFactor.objects.exists()


@pytest.mark.django_db
def test_a_wrong_code_confirms_nothing_and_counts():
    user = UserFactory.create()
    client = client_for(user)
    secret = client.post(PATH, {"password": PASSWORD}).json()["secret"]
    guess = {"code": wrong_code(secret)}
    assert client.post(f"{PATH}/confirm", {"code": "१२३४५६"}).status_code == 400
    answers = [client.post(f"{PATH}/confirm", guess) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [400] * 4 + [429]
    assert answers[0].json()["code"] == "wrong_second_factor"
    assert not RecoveryCode.objects.exists()
    assert login(user).status_code == 200


@pytest.mark.django_db
def test_there_is_one_app_at_a_time():
    user = UserFactory.create()
    client = client_for(user)
    assert client.post(f"{PATH}/confirm", {"code": "123456"}).status_code == 409
    enrolled(user)

    assert client.post(PATH, {"password": PASSWORD}).status_code == 409
    assert client.post(f"{PATH}/confirm", {"code": "123456"}).status_code == 409


@pytest.mark.django_db
def test_the_secret_is_sealed_to_its_owner_and_recovery_codes_are_hashed():
    user, other = UserFactory.create_batch(2)
    secret, codes = enrolled(user)
    box = bytes(TimeBasedFactor.objects.get().secret)

    assert secret.encode() not in box
    assert unsealed(box, label=f"time-based factor of {user.pk}".encode()) == secret.encode()
    with pytest.raises(NotOpenedError):
        unsealed(box, label=f"time-based factor of {other.pk}".encode())
    kept = str([*RecoveryCode.objects.values_list("code_hash", flat=True)])
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


@pytest.mark.django_db
def test_signing_in_takes_the_code_after_the_right_password_only():
    user = UserFactory.create()
    secret, _ = enrolled(user)
    without, guessed = login(user), login(user, password="wrong")
    wrong = login(user, code=wrong_code(secret))
    right = login(user, code=code_at(secret))

    assert [answer.status_code for answer in (without, guessed, wrong, right)] == [
        401, 401, 401, 200,
    ]  # fmt: skip
    assert [answer.json().get("code") for answer in (without, guessed, wrong)] == [
        "second_factor_required", "wrong_credentials", "wrong_second_factor",
    ]  # fmt: skip
    assert AuthSession.objects.get().second_factor_at is not None


@pytest.mark.django_db
def test_a_session_without_a_factor_says_so():
    login(UserFactory.create(), code="123456")

    assert AuthSession.objects.get().second_factor_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_clock_may_be_half_a_minute_off(off):
    user = UserFactory.create()
    secret, _ = enrolled(user)

    code = code_at(secret, timezone.now() + timedelta(seconds=30 * off))
    with time_machine.travel(timezone.now(), tick=False):
        code = code_at(secret, timezone.now() + timedelta(seconds=30 * off))
        assert login(user, code=f" {code[:3]} {code[3:]}").status_code == 200


@pytest.mark.django_db
def test_a_code_works_once_and_so_does_none_before_it():
    user = UserFactory.create()
    secret, _ = enrolled(user)
    with time_machine.travel(timezone.now(), tick=False):
        now, earlier = code_at(secret), code_at(secret, timezone.now() - timedelta(seconds=30))
        answers = [login(user, code=code).status_code for code in (now, now, earlier)]

    assert answers == [200, 401, 401]


@pytest.mark.django_db
def test_the_code_that_confirmed_the_app_does_not_sign_in():
    user = UserFactory.create()
    with time_machine.travel(timezone.now(), tick=False):
        secret = begin_second_factor(user=user, password=PASSWORD, client=HERE).secret
        code = code_at(secret)
        confirm_second_factor(user=user, code=code, client=HERE)

        assert login(user, code=code).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_show_one_code_at_once_one_signs_in():
    user = UserFactory.create()
    secret, _ = enrolled(user)

    def show(n):
        return login(user, APIClient(REMOTE_ADDR=f"203.0.113.{n}"), code=code).status_code

    with time_machine.travel(timezone.now(), tick=False):
        code = code_at(secret)
        with ThreadPoolExecutor(10) as pool:
            codes = list(pool.map(in_own_connection(show), range(10)))

    assert sorted(codes) == [200] + [401] * 9


@pytest.mark.django_db(transaction=True)
def test_negative_control_looking_before_writing_lets_a_code_work_twice(monkeypatch):
    """Without the compare-and-set, two who look at the same time both get in."""
    user = UserFactory.create()
    secret, _ = enrolled(user)
    both_have_looked = threading.Barrier(2)

    def look_then_write(factor, digits):
        step = second_factor._step_of(secret, digits)
        is_unused = TimeBasedFactor.objects.get(pk=factor.pk).last_used_step < step
        both_have_looked.wait(20)
        TimeBasedFactor.objects.filter(pk=factor.pk).update(last_used_step=step)
        return is_unused

    monkeypatch.setattr(second_factor, "_use_step", look_then_write)
    with time_machine.travel(timezone.now(), tick=False):
        code = code_at(secret)
        with ThreadPoolExecutor(2) as pool:
            show = in_own_connection(lambda n: login(user, code=code).status_code)
            assert list(pool.map(show, range(2))) == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_of_forty_guesses_at_once_five_are_looked_at(monkeypatch):
    user = UserFactory.create()
    secret, _ = enrolled(user)
    looks = []
    look = second_factor._code_holds
    monkeypatch.setattr(second_factor, "_code_holds", lambda *args: looks.append(1) or look(*args))
    code = wrong_code(secret)

    def guess(_):
        try:
            check_second_factor(user=user, code=code, client=HERE)
        except NotAuthenticated:
            return 401
        except Exception as exc:
            return exc.status
        return 200

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(in_own_connection(guess), range(40)))

    assert sorted(codes) == [401] * 5 + [429] * 35
    assert len(looks) == SECOND_FACTOR_PAIR.attempts


@pytest.mark.django_db
def test_whoever_knows_the_password_guesses_thirty_times_a_day_from_any_number_of_lines():
    user = UserFactory.create()
    secret, _ = enrolled(user)
    code = wrong_code(secret)
    codes = [
        login(user, APIClient(REMOTE_ADDR=f"203.0.113.{n}"), code=code).status_code
        for n in range(SECOND_FACTOR_ACCOUNT.attempts + 1)
    ]

    assert codes == [401] * 30 + [429]


@pytest.mark.django_db
def test_right_codes_use_no_attempt_up():
    user = UserFactory.create()
    secret, codes = enrolled(user)

    assert [login(user, code=code).status_code for code in codes[:7]] == [200] * 7
    assert login(user, code=code_at(secret)).status_code == 200


@pytest.mark.django_db
def test_a_recovery_code_stands_in_once_in_any_writing_and_its_owner_is_told():
    user, other = UserFactory.create_batch(2)
    _, codes = enrolled(user)
    _, others = enrolled(other)
    AccountMail.objects.all().delete()
    written = codes[0].lower().replace("-", " ")

    assert login(user, code=others[0]).status_code == 401
    assert [login(user, code=written).status_code for _ in range(2)] == [200, 401]
    assert AccountMail.objects.get().purpose == MailPurpose.RECOVERY_CODE_USED
    event = AuditEvent.objects.get(verb="recovery_code.used")
    assert (event.actor, event.details) == (user, {"left": 9})


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_use_one_recovery_code_at_once_one_signs_in():
    user = UserFactory.create()
    _, codes = enrolled(user)

    def show(n):
        line = APIClient(REMOTE_ADDR=f"203.0.113.{n}")
        return login(user, line, code=codes[0]).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(in_own_connection(show), range(10)))

    assert sorted(answers) == [200] + [401] * 9


@pytest.mark.django_db
def test_new_recovery_codes_void_the_old_ones():
    user = UserFactory.create()
    secret, old = enrolled(user)
    client = client_for(user)
    both = {"password": PASSWORD, "code": code_at(secret)}
    assert client.post(f"{PATH}/recovery-codes", both | {"code": "000"}).status_code == 400
    assert client.post(f"{PATH}/recovery-codes", both | {"password": "no"}).status_code == 400
    renewed = client.post(f"{PATH}/recovery-codes", both)

    assert renewed.status_code == 200
    new = renewed.json()["recovery_codes"]
    assert not set(new) & set(old)
    assert login(user, code=old[0]).status_code == 401
    assert login(user, code=new[0]).status_code == 200
    assert AuditEvent.objects.filter(verb="recovery_codes.renewed").count() == 1


@pytest.mark.django_db
def test_one_takes_ones_own_factor_off_with_password_and_code():
    user = UserFactory.create()
    secret, codes = enrolled(user)
    client = client_for(user)
    wrong = client.post(f"{PATH}/remove", {"password": PASSWORD, "code": wrong_code(secret)})
    removed = client.post(f"{PATH}/remove", {"password": PASSWORD, "code": codes[0]})

    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_second_factor")
    assert removed.status_code == 204
    assert login(user).status_code == 200
    assert not RecoveryCode.objects.exists()
    assert AccountMail.objects.filter(purpose=MailPurpose.FACTOR_REMOVED).count() == 1
    assert client.post(
        f"{PATH}/remove", {"password": PASSWORD, "code": codes[1]}
    ).status_code == 409  # fmt: skip


@pytest.mark.django_db
def test_an_administrator_resets_a_lost_factor_with_a_reason():
    user, clerk = UserFactory.create(), AdminFactory.create(is_superuser=False)
    enrolled(user)
    path = f"/api/users/{user.pk}/reset-second-factor"
    reason = {"reason": "came in with their passport"}
    assert client_for(clerk).post(path, reason).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="reset_second_factor"))
    signed_in = client_for(user)
    desk = client_for(User.objects.get(pk=clerk.pk))

    assert desk.post(path, {}).status_code == 400
    assert desk.post(path, reason).status_code == 200
    assert signed_in.get(PATH).status_code == 401
    assert login(user).status_code == 200
    assert desk.post(path, reason).status_code == 409
    event = AuditEvent.objects.get(verb="second_factor.reset")
    assert (event.actor, event.target_id, event.details) == (clerk, user.pk, reason)
    assert AccountMail.objects.filter(user=user, purpose=MailPurpose.FACTOR_REMOVED).exists()


@pytest.mark.django_db
def test_nobody_resets_their_own_factor():
    admin = AdminFactory.create()
    enrolled(admin)
    path = f"/api/users/{admin.pk}/reset-second-factor"

    assert client_for(admin).post(path, {"reason": "lost it"}).status_code == 403
    assert TimeBasedFactor.objects.exists()


@pytest.mark.django_db
def test_a_factor_outlives_a_change_of_the_offices_keys(settings):
    user = UserFactory.create()
    secret, codes = enrolled(user)
    old = settings.PII_ENCRYPTION_KEY
    settings.PII_ENCRYPTION_KEY = "another key of the office, as long as it has to be"
    settings.PII_RETIRED_KEYS = ["one that never was", old]
    settings.SECRET_KEY = "another secret key, which signs tokens and nothing that is kept"

    assert login(user, code=code_at(secret)).status_code == 200
    assert login(user, code=codes[0]).status_code == 200
    settings.PII_RETIRED_KEYS = []
    box = bytes(TimeBasedFactor.objects.get().secret)
    with pytest.raises(NotOpenedError):
        unsealed(box, label=f"time-based factor of {user.pk}".encode())


@pytest.mark.django_db
def test_what_was_begun_ten_minutes_ago_is_begun_again():
    user = UserFactory.create()
    with time_machine.travel(timezone.now() - second_factor.BEGUN_LIFETIME):
        secret = begin_second_factor(user=user, password=PASSWORD, client=HERE).secret
    client = client_for(user)
    answers = [client.post(f"{PATH}/confirm", {"code": code_at(secret)}) for _ in range(7)]

    assert {answer.status_code for answer in answers} == {409}  # and none of them counts
    secret = client.post(PATH, {"password": PASSWORD}).json()["secret"]
    assert client.post(f"{PATH}/confirm", {"code": code_at(secret)}).status_code == 200


@pytest.mark.django_db
def test_older_sessions_show_a_new_factor_before_they_go_on():
    user = UserFactory.create()
    other = open_session(user_id=user.pk, version=user.token_version, client=HERE)
    mine = client_for(user)
    secret = mine.post(PATH, {"password": PASSWORD}).json()["secret"]
    assert opened_with(other).get("/api/auth/sessions").status_code == 200
    with time_machine.travel(timezone.now() - LATER):
        confirm = {"user": user, "code": code_at(secret), "client": HERE}
        codes = confirm_second_factor(
            **confirm, session_id=AuthSession.objects.exclude(pk=other.session.pk).get().pk
        )
    renewed = refresh_session(refresh_token=other.refresh_token)

    for signed_in in (other, renewed):
        refused = opened_with(signed_in).get("/api/auth/sessions")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert mine.get("/api/auth/sessions").status_code == 200
    shown = opened_with(renewed).post(f"{PATH}/show", {"code": code_at(secret)})
    assert shown.status_code == 204
    assert opened_with(other).get("/api/auth/sessions").status_code == 200
    assert len(codes) == RECOVERY_CODES


@pytest.mark.django_db
def test_a_factor_that_was_taken_off_is_asked_of_no_session():
    user = UserFactory.create()
    other = client_for(user)
    _, codes = enrolled(user)
    assert other.get("/api/auth/sessions").status_code == 403
    token = login(user, code=codes[0]).json()["access_token"]
    mine = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = mine.post(f"{PATH}/remove", {"password": PASSWORD, "code": codes[1]})

    assert answer.status_code == 204
    assert other.get("/api/auth/sessions").status_code == 200


@pytest.mark.django_db
def test_guesses_of_strangers_lock_the_owner_out_neither_at_home_nor_with_a_recovery_code():
    user = UserFactory.create()
    secret, codes = enrolled(user)
    home, away = (APIClient(REMOTE_ADDR=ip) for ip in ("192.0.2.1", "192.0.2.99"))
    assert login(user, home, code=codes[0]).status_code == 200
    # A session that showed no factor makes its line nobody's home.
    signed_in_with = SignInMethod.OIDC
    elsewhere = Client(ip="192.0.2.99", user_agent="tests")
    open_session(user_id=user.pk, version=0, client=elsewhere, signed_in_with=signed_in_with)
    for n in range(SECOND_FACTOR_ACCOUNT.attempts):
        login(user, APIClient(REMOTE_ADDR=f"203.0.113.{n}"), code=wrong_code(secret))

    assert login(user, away, code=code_at(secret)).status_code == 429
    assert login(user, home, code=code_at(secret)).status_code == 200
    assert login(user, away, code=codes[1]).status_code == 200


@pytest.mark.django_db
def test_a_password_that_could_not_be_compared_uses_no_attempt_up(monkeypatch):
    user = UserFactory.create()

    def busy(*_):
        raise Unavailable("Too many are at the door.")

    with monkeypatch.context() as patched:
        patched.setattr(User, "check_password", busy)
        for _ in range(OWN_PASSWORD.attempts + 1):
            with pytest.raises(Unavailable):
                begin_second_factor(user=user, password=PASSWORD, client=HERE)

    assert begin_second_factor(user=user, password=PASSWORD, client=HERE).secret


# Where the office demands it of its staff.


@pytest.fixture
def demanded(settings):
    settings.REQUIRE_STAFF_SECOND_FACTOR = True


@pytest.mark.django_db
def test_staff_without_a_factor_reach_nothing_but_its_enrolment(demanded):
    admin = AdminFactory.create()
    client = client_for(admin)
    refused = [
        client.get("/api/users"),
        client.get("/api/auth/sessions"),
        client.get("/api/notifications"),
        client.post("/api/users", {}),
        client.post(f"/api/users/{UserFactory.create().pk}/suspend", {"reason": "because"}),
        client.post(f"{PATH}/remove", {}),
        client.post(f"{PATH}/recovery-codes", {}),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert {answer.json()["code"] for answer in refused} == {"second_factor_required"}
    assert client.get("/api/auth/me").status_code == 200
    assert client.get(PATH).json()["is_required"] is True
    secret = client.post(PATH, {"password": PASSWORD}).json()["secret"]
    assert client.post(f"{PATH}/confirm", {"code": code_at(secret)}).status_code == 200
    assert client.get("/api/users").status_code == 200
    assert client.post("/api/auth/logout").status_code == 204


@pytest.mark.django_db
def test_staff_with_a_factor_show_it_in_every_session(demanded):
    admin = AdminFactory.create()
    secret, _ = enrolled(admin)
    earlier = client_for(admin)
    assert earlier.get("/api/users").status_code == 403

    token = login(admin, code=code_at(secret)).json()["access_token"]
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/api/users").status_code == 200


@pytest.mark.django_db
def test_staff_do_not_take_theirs_off(demanded):
    admin = AdminFactory.create()
    secret, _ = enrolled(admin)
    token = login(admin, code=code_at(secret)).json()["access_token"]
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = client.post(f"{PATH}/remove", {"password": PASSWORD, "code": "123456"})

    assert answer.status_code == 409
    assert TimeBasedFactor.objects.exists()


@pytest.mark.django_db
def test_nothing_is_demanded_of_customers(demanded):
    assert client_for(UserFactory.create()).get("/api/auth/sessions").status_code == 200


@pytest.mark.django_db
def test_the_answer_to_an_enrolment_is_kept_for_no_replay():
    user = UserFactory.create()
    client = client_for(user)
    first, second = (
        client.post(PATH, {"password": PASSWORD}, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2)
    )

    assert first.json()["secret"] != second.json()["secret"]


# A session that was opened by another way than the password.


def opened(user, **shown):
    signed_in = open_session(
        user_id=user.pk,
        version=user.token_version,
        client=HERE,
        signed_in_with=SignInMethod.OIDC,
        **shown,
    )
    return opened_with(signed_in)


def opened_with(signed_in):
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {signed_in.access_token}")


@pytest.mark.django_db
def test_who_has_a_factor_shows_it_after_another_providers_sign_in_too():
    user = UserFactory.create()
    secret, _ = enrolled(user)
    client = opened(user)
    refused = client.get("/api/auth/sessions")

    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert client.post(f"{PATH}/show", {"code": wrong_code(secret)}).status_code == 400
    assert client.get("/api/auth/sessions").status_code == 403
    assert client.post(f"{PATH}/show", {"code": code_at(secret)}).status_code == 204
    assert client.get("/api/auth/sessions").status_code == 200
    assert AuditEvent.objects.filter(verb="second_factor.shown").count() == 1
    assert opened(user, second_factor=True).get("/api/auth/sessions").status_code == 200


@pytest.mark.django_db
def test_who_has_none_is_asked_for_none():
    client = opened(UserFactory.create())

    assert client.get("/api/auth/sessions").status_code == 200
    assert client.post(f"{PATH}/show", {"code": "123456"}).status_code == 409


@pytest.mark.django_db
def test_staff_show_it_in_a_session_from_before(demanded):
    admin = AdminFactory.create()
    client = client_for(admin)
    secret, _ = enrolled(admin)

    assert client.get("/api/users").status_code == 403
    assert client.post(f"{PATH}/show", {"code": code_at(secret)}).status_code == 204
    assert client.get("/api/users").status_code == 200


def api_views():
    """Yield the class of every view below /api/ that is ours."""
    waiting = [get_resolver()]
    while waiting:
        for pattern in waiting.pop().url_patterns:
            if isinstance(pattern, URLResolver):
                waiting.append(pattern)
            elif (view := getattr(pattern.callback, "cls", None)) and issubclass(view, APIView):
                yield view


def test_every_view_asks_for_it_but_those_named_here():
    ours = {view for view in api_views() if not view.__module__.startswith("drf_spectacular")}
    without = {view.__name__ for view in ours if not getattr(view, "needs_second_factor", False)}

    assert len(ours) > 40
    assert without == {
        "ConfirmFactorView", "LogoutAllView", "LogoutView", "MeView", "SecondFactorView",
        "ShowFactorView",
    }  # fmt: skip
