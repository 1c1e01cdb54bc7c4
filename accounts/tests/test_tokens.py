"""Forged, foreign and outdated tokens (reliability.md row 19), and who decides: the database."""

from __future__ import annotations

import base64
import json
import time
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import RefreshToken, Role, UserStatus
from accounts.services import change_role, suspend_user
from accounts.services.people import change_password
from accounts.tests.api import client_for, session_of
from accounts.tests.factories import AdminFactory, UserFactory
from accounts.tokens import access_token_for, refresh_token_for

OPEN_PATH = "/api/notifications"


def asking_with(token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.get(OPEN_PATH)


def claims_of(user, session, **changes):
    now = int(time.time())
    claims = {
        "userId": str(user.pk), "role": user.role, "ucfsin": user.ucfsin, "sid": str(session.pk),
        "ver": user.token_version, "jti": str(uuid4()), "iat": now, "exp": now + 900,
        "iss": "chitfund", "token_type": "access",
    }  # fmt: skip
    claims |= changes
    return {key: value for key, value in claims.items() if value is not None}


def signed(claims, key=None, algorithm="HS256", headers=None):
    return jwt.encode(claims, key or settings.JWT_SECRET, algorithm=algorithm, headers=headers)


def raw(header, claims, signature=b""):
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.django_db
def test_our_own_token_is_accepted_so_the_forgeries_below_fail_for_their_own_reason():
    user = UserFactory.create()

    assert asking_with(signed(claims_of(user, session_of(user)))).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"exp": 10**30},
        {"iat": 10**12}, {"nbf": 10**12},
        {"iss": "somebody"}, {"iss": None},
        {"token_type": "refresh"}, {"token_type": None}, {"token_type": ["access"]},
        {"jti": None}, {"jti": 5}, {"jti": "x"},
        {"sid": None}, {"sid": "x"}, {"sid": 7}, {"sid": str(uuid4())},
        {"userId": None}, {"userId": "x"}, {"userId": str(uuid4())}, {"userId": {"a": 1}},
        {"ver": None}, {"ver": 99}, {"ver": "0"}, {"ver": True}, {"ver": -1}, {"ver": 2**70},
    ],
)  # fmt: skip
def test_a_claim_that_is_not_right_is_refused(changes):
    user = UserFactory.create()

    response = asking_with(signed(claims_of(user, session_of(user), **changes)))

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.django_db
def test_another_signature_is_refused():
    user = UserFactory.create()
    claims = claims_of(user, session_of(user))
    good = signed(claims)
    head, body, _ = good.split(".")
    forged = [
        raw({"alg": "none", "typ": "JWT"}, claims),
        raw({"alg": "None"}, claims),
        raw({"alg": "HS256"}, claims, b"x" * 32),
        raw({"alg": "RS256"}, claims, b"x" * 256),
        signed(claims, key="x" * 64),
        signed(claims, key=settings.SECRET_KEY),
        signed(claims, algorithm="HS512"),
        signed(claims, key="y" * 64, headers={"kid": "../../dev/null"}),
        signed(claims, key="y" * 64, headers={"jwk": {"kty": "oct", "k": "eXl5"}}),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{'A' * 43}",
        good[:-4] + "AAAA",
        good + "A" * 5000,
        "..",
        "é",
        "a b",
    ]

    assert [asking_with(token).status_code for token in forged] == [401] * len(forged)


@pytest.mark.django_db
def test_a_refresh_token_is_no_access_token():
    user = UserFactory.create()
    session = session_of(user)
    row = RefreshToken.objects.create(jti=uuid4(), session=session, expires_at=session.expires_at)
    token = refresh_token_for(user, session, row)

    assert asking_with(token).status_code == 401


@pytest.mark.django_db
def test_a_token_in_the_address_is_not_looked_at():
    user = UserFactory.create()
    token = access_token_for(user, session_of(user))

    assert APIClient().get(f"{OPEN_PATH}?access_token={token}").status_code == 401


@pytest.mark.django_db
def test_a_token_of_somebody_elses_session_is_refused():
    user, other = UserFactory.create_batch(2)

    assert asking_with(signed(claims_of(user, session_of(other)))).status_code == 401


@pytest.mark.django_db
def test_a_token_ends():
    client = client_for(UserFactory.create())

    with time_machine.travel(timezone.now() + settings.ACCESS_TOKEN_LIFETIME):
        assert client.get(OPEN_PATH).status_code == 401


@pytest.mark.django_db
def test_the_role_of_the_database_counts_and_not_the_one_in_the_token():
    user = UserFactory.create()
    forged_upwards = signed(claims_of(user, session_of(user), role="ADMIN"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {forged_upwards}")

    assert client.get("/api/users").status_code == 403


@pytest.mark.django_db
def test_suspension_a_new_role_and_a_new_password_bite_on_the_next_request():
    admin = AdminFactory.create()
    decisions = [
        lambda user: suspend_user(user_id=user.pk, actor=admin, reason="fraud"),
        lambda user: change_role(user_id=user.pk, role=Role.ADMIN, actor=admin, reason="hired"),
        lambda user: change_password(user_id=user.pk, actor=user, password="another good one"),
    ]
    for decide in decisions:
        user = UserFactory.create()
        clients = [client_for(user) for _ in range(3)]
        assert [client.get(OPEN_PATH).status_code for client in clients] == [200] * 3
        decide(user)
        assert [client.get(OPEN_PATH).status_code for client in clients] == [401] * 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"status": UserStatus.SUSPENDED}, {"token_version": 1}], ids=["status", "version"]
)
def test_status_and_version_are_each_asked(change):
    """Each alone shuts out, though the services change them together with the sessions."""
    user = UserFactory.create()
    client = client_for(user)
    type(user).objects.filter(pk=user.pk).update(**change)

    assert client.get(OPEN_PATH).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["ended_at", "expires_at"])
def test_an_ended_and_an_expired_session_shut_out(change):
    user = UserFactory.create()
    session = session_of(user)
    token = access_token_for(user, session)
    setattr(session, change, timezone.now())
    session.save()

    assert asking_with(token).status_code == 401


@pytest.mark.django_db
def test_a_request_is_authenticated_by_one_query(django_assert_num_queries):
    from accounts.authentication import signed_in_user
    from accounts.tokens import read_access_token

    user = UserFactory.create()
    claims = read_access_token(access_token_for(user, session_of(user)))
    with django_assert_num_queries(1):
        assert signed_in_user(claims).role == Role.USER
