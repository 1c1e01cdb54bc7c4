"""Forged tokens, each at three doors: as bearer, as cookie, and to be refreshed (row 19)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import AuthSession, RefreshToken, User
from accounts.tests.api import session_of
from accounts.tests.factories import AdminFactory, UserFactory

OPEN_PATH = "/api/auth/sessions"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)

Claims = dict[str, Any]
Attack = Callable[[Claims], str]

pytestmark = pytest.mark.django_db


def b64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def written(claims: Claims) -> bytes:
    return json.dumps(claims).encode()


def put_together(header: bytes, payload: bytes, *, key: bytes | None = None) -> str:
    """Write a token by hand; signed with HS256 if there is a key."""
    told = f"{b64(header)}.{b64(payload)}"
    signature = hmac.new(key, told.encode(), hashlib.sha256).digest() if key else b""
    return f"{told}.{b64(signature)}"


def office_key() -> bytes:
    return str(settings.JWT_SECRET).encode()


def sign(claims: Claims, **headers: Any) -> str:
    return jwt.encode(claims, settings.JWT_SECRET, algorithm="HS256", headers=headers or None)


def with_header(**header: Any) -> Attack:
    """Return a token with a header of the attacker's and no signature of ours."""
    return lambda claims: put_together(json.dumps(header).encode(), written(claims))


def with_key(key: bytes, **header: Any) -> Attack:
    """Return a token signed with a key of the attacker's."""
    full = {"alg": "HS256", "typ": "JWT", **header}
    return lambda claims: put_together(json.dumps(full).encode(), written(claims), key=key)


def with_claims(**changes: Any) -> Attack:
    """Return a token that we signed, with claims that we would not."""

    def attack(claims: Claims) -> str:
        changed = claims | changes
        kept = {name: value for name, value in changed.items() if value is not DROPPED}
        return put_together(b'{"alg":"HS256"}', written(kept), key=office_key())

    return attack


def with_text(change: Callable[[str], str]) -> Attack:
    return lambda claims: change(sign(claims))


def duplicated(claims: Claims) -> str:
    """Name a stranger first and somebody real last, unsigned: parsers disagree on which counts."""
    real = json.dumps(claims)
    return put_together(b'{"alg":"none","alg":"HS256"}', f'{{"userId":"x",{real[1:]}'.encode())


DROPPED = object()
FAR = 10**11
JWK = {"kty": "oct", "k": b64(b"k" * 64)}
ATTACKS: dict[str, Attack] = {
    "alg none": with_header(alg="none", typ="JWT"),
    "alg None": with_header(alg="None"),
    "alg NONE": with_header(alg="NONE"),
    "alg nOnE": with_header(alg="nOnE"),
    "alg empty": with_header(alg=""),
    "alg null": with_header(alg=None),
    "alg a list": with_header(alg=["HS256"]),
    "no alg": with_header(typ="JWT"),
    "unsigned HS256": with_header(alg="HS256", typ="JWT"),
    "none, but signed": with_key(b"x" * 64, alg="none"),
    "HS256 with a public key": with_key(PUBLIC_PEM),
    "RS256": lambda claims: jwt.encode(claims, RSA, algorithm="RS256"),
    "PS256": lambda claims: jwt.encode(claims, RSA, algorithm="PS256"),
    "ES256": lambda claims: jwt.encode(claims, ELLIPTIC, algorithm="ES256"),
    "HS384": lambda claims: jwt.encode(claims, settings.JWT_SECRET, algorithm="HS384"),
    "HS512": lambda claims: jwt.encode(claims, settings.JWT_SECRET, algorithm="HS512"),
    "another key": with_key(b"y" * 64),
    "an empty key": with_key(b"\x00"),
    "the key of Django": with_key(settings.SECRET_KEY.encode()),
    "a sample key": with_key(b"your-secret-key"),
    "kid of a file": with_key(b"\x00", kid="../../../../dev/null"),
    "kid of a query": with_key(b"k" * 64, kid="' UNION SELECT 'k'--"),
    "jku": with_key(b"k" * 64, jku="https://evil.example/jwks.json"),
    "jwk": with_key(b"k" * 64, jwk=JWK),
    "x5u": with_key(b"k" * 64, x5u="https://evil.example/cert.pem"),
    "crit": lambda claims: put_together(
        b'{"alg":"HS256","crit":["exp"]}', written(claims), key=b"k" * 64
    ),
    "not base64 encoded": lambda claims: put_together(
        b'{"alg":"HS256","b64":false,"crit":["b64"]}', written(claims), key=b"k" * 64
    ),
    "another issuer": with_claims(iss="https://evil.example"),
    "no issuer": with_claims(iss=DROPPED),
    "a list of issuers": with_claims(iss=["chitfund"]),
    "an audience": with_claims(aud="another service", iss=DROPPED),
    "wrong kind": with_claims(token_type="sliding"),
    "no kind": with_claims(token_type=DROPPED),
    "no end": with_claims(exp=DROPPED),
    "an end that is no time": with_claims(exp="tomorrow"),
    "an end beyond all times": with_claims(exp=10**30),
    "issued in the future": with_claims(iat=FAR),
    "not valid yet": with_claims(nbf=FAR),
    "no jti": with_claims(jti=DROPPED),
    "a jti that is a number": with_claims(jti=1),
    "a session that is not there": with_claims(sid=str(uuid4())),
    "a session that is a query": with_claims(sid="' OR 1=1 --"),
    "no session": with_claims(sid=DROPPED),
    "a version to come": with_claims(ver=1),
    "a version that is true": with_claims(ver=False),
    "a version beyond all numbers": with_claims(ver=2**63),
    "a user that is not there": with_claims(userId=str(uuid4())),
    "a user that is an object": with_claims(userId={"$ne": None}),
    "a user with a zero byte": with_claims(userId="\x00"),
    "duplicate claims": duplicated,
    "signature cut off": with_text(lambda token: token.rsplit(".", 1)[0]),
    "signature empty": with_text(lambda token: token.rsplit(".", 1)[0] + "."),
    "signature of zeros": with_text(lambda token: token.rsplit(".", 1)[0] + "." + "A" * 43),
    "another payload": lambda claims: _with_payload_of(sign(claims), claims | {"role": "ADMIN"}),
    "four parts": with_text(lambda token: token + ".AAAA"),
    "five parts": with_text(lambda token: token + ".AAAA.AAAA"),
    "huge": with_text(lambda token: token + "A" * 3000),
    "a payload that is a list": lambda claims: put_together(
        b'{"alg":"HS256"}', b"[1]", key=office_key()
    ),
    "a payload that is no JSON": lambda claims: put_together(
        b'{"alg":"HS256"}', b"\xff\xfe{", key=office_key()
    ),
    "nested deeply": lambda claims: put_together(
        b'{"alg":"HS256"}', b"[" * 900 + b"]" * 900, key=office_key()
    ),
    "a header that is no JSON": lambda claims: "%%%.%%%.%%%",
    "dots": lambda claims: "..",
}


def _with_payload_of(token: str, claims: Claims) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{b64(written(claims))}.{signature}"


def claims_of(user: User, session: AuthSession, kind: str, jti: UUID) -> Claims:
    now = int(time.time())
    role = user.role.lower() if kind == "portal" else user.role
    return {
        "userId": str(user.pk), "role": role, "ucfsin": user.ucfsin, "sid": str(session.pk),
        "ver": user.token_version, "jti": str(jti), "iat": now, "exp": now + 900,
        "iss": "chitfund", "token_type": kind,
    }  # fmt: skip


def at_the_bearers_door(token: str) -> tuple[int, Any]:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    response = client.get(OPEN_PATH)
    return response.status_code, response.json()


def at_the_cookies_door(token: str) -> tuple[int, Any]:
    client = APIClient()
    client.cookies["adminToken"] = token
    response = client.get(OPEN_PATH)
    return response.status_code, response.json()


def at_the_refresh_door(token: str) -> tuple[int, Any]:
    response = APIClient().post("/api/auth/refresh-token", {"refresh_token": token})
    return response.status_code, response.json()


DOORS = {
    "access": at_the_bearers_door,
    "portal": at_the_cookies_door,
    "refresh": at_the_refresh_door,
}


@pytest.fixture(params=list(DOORS))
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def claims(door: str) -> Claims:
    """Return the claims that open this door when the office signs them."""
    user = AdminFactory.create()
    session = session_of(user)
    row = RefreshToken.objects.create(jti=uuid4(), session=session, expires_at=session.expires_at)
    return claims_of(user, session, door, row.jti)


def test_there_are_forty_attacks_and_more() -> None:
    assert len(ATTACKS) >= 40


def test_the_same_claims_open_the_door_when_we_sign_them(door: str, claims: Claims) -> None:
    assert DOORS[door](sign(claims))[0] == 200


def test_our_own_signature_by_hand_opens_it_so_the_forgeries_are_well_formed(
    door: str, claims: Claims
) -> None:
    token = put_together(b'{"alg":"HS256","typ":"JWT"}', written(claims), key=office_key())
    assert DOORS[door](token)[0] == 200


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_forged_token_is_401_at_every_door(door: str, claims: Claims, attack: Attack) -> None:
    status, answer = DOORS[door](attack(claims))

    assert status == 401
    assert answer["code"] == "not_authenticated"
    assert not RefreshToken.objects.exclude(used_at=None).exists()


def test_a_token_of_one_door_opens_no_other(claims: Claims, door: str) -> None:
    token = sign(claims)
    for other, ask in DOORS.items():
        assert (ask(token)[0] == 200) == (other == door)


@pytest.mark.parametrize("age", [0, 1, 60, 10**9])
def test_an_old_token_is_refused_to_the_second(claims: Claims, door: str, age: int) -> None:
    if door == "refresh":  # its row knows its age
        RefreshToken.objects.update(expires_at="2020-01-01T00:00:00Z")
    aged = sign(claims | {"exp": int(time.time()) - age})

    assert DOORS[door](aged)[0] == 401


@pytest.mark.parametrize(
    "asked",
    [
        lambda token: APIClient().get(f"{OPEN_PATH}?access_token={token}"),
        lambda token: APIClient().get(f"{OPEN_PATH}?token={token}"),
        lambda token: APIClient().get(OPEN_PATH, {"adminToken": token}),
        lambda token: APIClient().get(OPEN_PATH, HTTP_X_ACCESS_TOKEN=token),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION=token),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION=f"Basic {token}"),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION=f"Token {token}"),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION=f"Bearer {token} {token}"),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION=f"Bearer {token},{token}"),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION="Bearer"),
        lambda token: APIClient().get(OPEN_PATH, HTTP_AUTHORIZATION="Bearer \xff\xfe"),
    ],
)
def test_a_good_token_in_the_wrong_place_is_not_looked_at(asked: Callable[[str], Any]) -> None:
    user = UserFactory.create()
    token = sign(claims_of(user, session_of(user), "access", uuid4()))

    assert asked(token).status_code == 401


def test_the_role_in_the_token_gives_nobody_rights() -> None:
    user = UserFactory.create()
    forged = sign(claims_of(user, session_of(user), "access", uuid4()) | {"role": "ADMIN"})
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {forged}")

    assert client.get("/api/users").status_code == 403
