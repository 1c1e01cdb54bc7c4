"""Access and refresh tokens: HS256 through simplejwt, which only signs and verifies here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import AuthSession, User
from chitfund.exceptions import NotAuthenticated

# However often it is refreshed, one sign-in ends after this.
SESSION_LIFETIME = timedelta(days=30)
LONGEST_TOKEN = 4096


@dataclass(frozen=True)
class Claims:
    """What a verified token says; hints only, the database decides."""

    user_id: UUID
    session_id: UUID
    version: int
    jti: UUID


def access_token_for(user: User, session: AuthSession) -> str:
    """Return a signed access token of a session."""
    token = AccessToken()
    _describe(token, user, session)
    return str(token)


def refresh_token_for(user: User, session: AuthSession, *, jti: UUID, expires_at: datetime) -> str:
    """Return the signed form of one row of refresh_tokens."""
    token = RefreshToken()
    _describe(token, user, session)
    token["jti"] = str(jti)
    token["exp"] = int(expires_at.timestamp())
    return str(token)


def _describe(token: Token, user: User, session: AuthSession) -> None:
    token["userId"] = str(user.pk)
    token["role"] = user.role
    token["ucfsin"] = user.ucfsin
    token["sid"] = str(session.pk)
    token["ver"] = user.token_version
    token["jti"] = str(uuid4())


def read_access_token(text: str) -> Claims:
    return _read(AccessToken, text)


def read_refresh_token(text: str) -> Claims:
    return _read(RefreshToken, text)


def _read(kind: type[Token], text: str) -> Claims:
    """Verify signature, issuer, age and kind; every failure is the same 401."""
    if len(text) > LONGEST_TOKEN:
        raise invalid_token()
    try:
        token = kind(text)  # type: ignore[arg-type]
        return Claims(
            user_id=UUID(_text(token, "userId")),
            session_id=UUID(_text(token, "sid")),
            version=_integer(token, "ver"),
            jti=UUID(_text(token, "jti")),
        )
    except (TokenError, KeyError, ValueError, TypeError, OverflowError) as exc:
        raise invalid_token() from exc


def _text(token: Token, claim: str) -> str:
    value: Any = token[claim]
    if not isinstance(value, str):
        raise TypeError(claim)
    return value


def _integer(token: Token, claim: str) -> int:
    value: Any = token[claim]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(claim)
    return value


def invalid_token() -> NotAuthenticated:
    return NotAuthenticated("This token is not valid or has expired. Sign in again.")


def access_seconds() -> int:
    """Return how long an access token lives, for `expires_in`."""
    return int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
