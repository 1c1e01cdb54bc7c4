"""Signing in."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SIGN_IN_PAIR
from accounts.models import AttemptCounter, AuditEvent, AuthSession, MailPurpose, User
from accounts.services.mails import ask_for_mail
from accounts.tests.factories import PASSWORD, AdminFactory, ForemanFactory, UserFactory


def login(client=None, **body):
    return (client or APIClient()).post("/api/auth/login", {"password": PASSWORD} | body)


def from_ip(ip):
    return APIClient(REMOTE_ADDR=ip)


@pytest.mark.django_db
def test_the_right_password_gets_a_pair_of_tokens_and_the_user():
    user = UserFactory.create()
    response = login(identifier=user.email)

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert body["user"]["id"] == str(user.pk)
    assert body["user"].keys() == {
        "id", "ucfsin", "role", "email", "phone_number", "full_name", "date_of_birth",
        "status", "kyc_status", "chit_score", "created_at", "updated_at",
    }  # fmt: skip


@pytest.mark.django_db
def test_the_access_token_carries_the_guides_claims_and_no_personal_data():
    user = ForemanFactory.create()
    token = login(identifier=user.email).json()["access_token"]
    claims = jwt.decode(token, settings.JWT_SECRET, algorithms=["HS256"], issuer="chitfund")

    assert claims.keys() == {
        "userId", "role", "ucfsin", "exp", "iat", "jti", "sid", "ver", "iss", "token_type",
    }  # fmt: skip
    assert (claims["userId"], claims["role"]) == (str(user.pk), "FOREMAN")
    assert claims["ucfsin"] == user.ucfsin
    assert claims["exp"] - claims["iat"] == 900
    assert claims["token_type"] == "access"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "known_as",
    [
        "asha@example.com", " ASHA@Example.com ", "+919840012345", "9840012345", "98400 12345",
        "09840012345", "UCFSIN-2024-000123", "ucfsin-2024-000123",
    ],
)  # fmt: skip
def test_one_is_known_by_address_number_or_ucfsin_in_any_case(known_as):
    UserFactory.create(
        email="asha@example.com", phone_number="+919840012345", ucfsin="UCFSIN-2024-000123"
    )

    assert login(identifier=known_as).status_code == 200


@pytest.mark.django_db
def test_email_is_another_name_for_identifier():
    user = UserFactory.create()

    assert login(email=user.email).status_code == 200
    assert login().status_code == 400


@pytest.mark.django_db
def test_all_wrong_credentials_are_refused_in_the_same_words():
    user = UserFactory.create()
    pending = UserFactory.create(pending=True)
    suspended = UserFactory.create(suspended=True)
    answers = [
        login(identifier=user.email, password="wrong"),
        login(identifier=pending.email, password="wrong"),
        login(identifier=suspended.email, password="wrong"),
        login(identifier="nobody@example.com"),
        login(identifier="+919999999999"),
        login(identifier="not even a number"),
        login(identifier=user.email, role="ADMIN"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    told = [{k: v for k, v in answer.json().items() if k != "trace_id"} for answer in answers]
    assert all(one == told[0] for one in told)
    assert all("WWW-Authenticate" in answer.headers for answer in answers)


@pytest.mark.django_db
def test_an_unknown_person_costs_a_hash_like_a_known_one(monkeypatch):
    hashed = []
    monkeypatch.setattr(
        "accounts.services.credentials.make_password", lambda text: hashed.append(text) or ""
    )
    login(identifier="nobody@example.com")

    assert hashed == [PASSWORD]


@pytest.mark.django_db
def test_a_role_that_fits_is_accepted_in_either_case():
    admin = AdminFactory.create()

    assert login(identifier=admin.email, role="admin").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"suspended": True}, "account_suspended"),
        ({"pending": True}, "email_not_verified"),
    ],
)
def test_who_may_not_sign_in_is_told_why_after_the_right_password_only(state, code):
    user = UserFactory.create(**state)
    response = login(identifier=user.email)

    assert response.status_code == 403
    assert response.json()["code"] == code
    assert not AuthSession.objects.exists()
    assert AuditEvent.objects.get().verb == "user.sign_in_refused"


@pytest.mark.django_db
def test_a_foreman_waits_for_the_approval():
    foreman = ForemanFactory.create(unapproved=True)

    assert login(identifier=foreman.email).json()["code"] == "approval_pending"


@pytest.mark.django_db
def test_a_failed_sign_in_is_in_the_audit_trail_without_an_actor():
    user = UserFactory.create()
    login(identifier=user.email, password="wrong")

    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.target_id) == ("user.sign_in_failed", None, user.pk)


@pytest.mark.django_db
def test_guessing_at_somebody_who_does_not_exist_is_in_the_audit_trail():
    login(identifier="nobody@example.com", password="wrong")

    event = AuditEvent.objects.get()
    assert (event.verb, event.target_id.int) == ("user.sign_in_failed", 0)
    assert "nobody" not in str(event.details)


@pytest.mark.django_db
def test_after_too_many_wrong_passwords_the_right_one_waits_too():
    user = UserFactory.create()
    for _ in range(SIGN_IN_PAIR.attempts):
        assert login(identifier=user.email, password="wrong").status_code == 401
    response = login(identifier=user.email)

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= SIGN_IN_PAIR.window.total_seconds()


@pytest.mark.django_db
def test_the_limit_of_somebody_unknown_looks_the_same():
    codes = [
        login(identifier="nobody@example.com", password="wrong").status_code
        for _ in range(SIGN_IN_PAIR.attempts + 1)
    ]

    assert codes == [401] * SIGN_IN_PAIR.attempts + [429]


@pytest.mark.django_db
def test_each_name_of_a_person_has_its_own_count_and_all_stop_at_the_lines():
    """A shared count would tell which address and which number are one person's."""
    user = UserFactory.create()
    for name in (user.email, user.phone_number, user.ucfsin):
        tries = [login(identifier=name, password="wrong").status_code for _ in range(6)]
        assert tries == [401] * 5 + [429]


@pytest.mark.django_db
def test_the_wait_ends():
    user = UserFactory.create()
    for _ in range(SIGN_IN_PAIR.attempts):
        login(identifier=user.email, password="wrong")

    with time_machine.travel(timezone.now() + SIGN_IN_PAIR.window + timedelta(seconds=1)):
        assert login(identifier=user.email).status_code == 200


@pytest.mark.django_db
def test_right_passwords_use_no_attempt_up():
    user = UserFactory.create()
    for _ in range(SIGN_IN_PAIR.attempts + 2):
        assert login(identifier=user.email).status_code == 200


@pytest.mark.django_db
def test_an_attackers_own_sign_in_clears_nobody_elses_counter():
    victim, attacker = UserFactory.create_batch(2)
    for _ in range(SIGN_IN_PAIR.attempts):
        login(identifier=victim.email, password="wrong")
        login(identifier=attacker.email)

    assert login(identifier=victim.email).status_code == 429


@pytest.mark.django_db
def test_one_line_that_tries_many_people_is_stopped():
    codes = [
        login(identifier=f"person-{n}@example.org", password="wrong").status_code
        for n in range(SIGN_IN_ADDRESS.attempts + 1)
    ]

    assert codes == [401] * SIGN_IN_ADDRESS.attempts + [429]


@pytest.mark.django_db
def test_many_lines_that_try_one_person_are_stopped():
    user = UserFactory.create()
    codes = [
        login(from_ip(f"203.0.113.{n}"), identifier=user.email, password="wrong").status_code
        for n in range(SIGN_IN_ACCOUNT.attempts + 1)
    ]

    assert codes == [401] * SIGN_IN_ACCOUNT.attempts + [429]


@pytest.mark.django_db
def test_the_owner_is_not_locked_out_where_they_have_signed_in_before():
    user = UserFactory.create()
    home = from_ip("198.51.100.7")
    assert login(home, identifier=user.email).status_code == 200
    for n in range(SIGN_IN_ACCOUNT.attempts + 1):
        login(from_ip(f"203.0.113.{n}"), identifier=user.email, password="wrong")

    assert login(from_ip("203.0.113.200"), identifier=user.email).status_code == 429
    assert login(home, identifier=user.email).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP"])
def test_a_header_makes_no_other_line(name):
    user = UserFactory.create()
    codes = [
        login(
            APIClient(**{f"HTTP_{name}": f"203.0.113.{n}"}), identifier=user.email, password="no"
        ).status_code
        for n in range(SIGN_IN_PAIR.attempts + 1)
    ]

    assert codes[-1] == 429


@pytest.mark.django_db
def test_counters_tell_nobody_whom_they_count():
    login(identifier="nobody@example.com", password="wrong")

    assert AttemptCounter.objects.count() == 3
    assert not AttemptCounter.objects.filter(key__contains="nobody").exists()


@pytest.mark.django_db
def test_a_sign_in_voids_an_open_wish_for_a_new_password():
    user = UserFactory.create()
    mail = ask_for_mail(user=user, purpose=MailPurpose.PASSWORD_RESET)
    login(identifier=user.email)

    mail.refresh_from_db()
    assert mail.used_at is not None


@pytest.mark.django_db
def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(monkeypatch):
    monkeypatch.setattr("accounts.passwords.OfficePasswordHasher.rounds", 5)
    user = UserFactory.create(password=make_password(PASSWORD))
    monkeypatch.undo()
    login(identifier=user.email)

    renewed = User.objects.get(pk=user.pk).password
    assert "$04$" in renewed
    assert renewed != user.password


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        {"identifier": "a\x00b"},
        {"identifier": ["x"]},
        {"identifier": {"a": 1}},
        {"identifier": "x" * 256},
        {"identifier": "x", "role": ["ADMIN"]},
        {"identifier": "x", "role": "KING"},
        {"identifier": "x", "password": "y" * 129},
        {"identifier": None},
    ],
)
def test_strange_bodies_are_refused_and_not_an_error(body):
    assert login(**body).status_code == 400


@pytest.mark.django_db
def test_a_bad_bearer_token_does_not_keep_one_from_signing_in():
    user = UserFactory.create()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert login(client, identifier=user.email).status_code == 200
