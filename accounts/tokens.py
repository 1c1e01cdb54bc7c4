"""Access and refresh tokens: HS256 through simplejwt, which only signs and verifies here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import AuthSession, User
from accounts.models import RefreshToken as RefreshTokenRow
from chitfund.exceptions import NotAuthenticated

# However often it is refreshed, one sign-in ends after this.
SESSION_LIFETIME = timedelta(days=30)
LONGEST_TOKEN = 4096
# As long as the portal's own cookie; the database is asked on every request all the same.
PORTAL_LIFETIME = timedelta(days=1)


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


def refresh_token_for(user: User, session: AuthSession, row: RefreshTokenRow) -> str:
    """Return the signed form of one row of refresh_tokens, the same bytes every time."""
    token = RefreshToken()
    _describe(token, user, session)
    token["jti"] = str(row.jti)
    token["iat"] = int(row.created_at.timestamp())
    token["exp"] = int(row.expires_at.timestamp())
    return str(token)


def successor_of(jti: UUID) -> UUID:
    """Return what a refresh token is exchanged for; only the office can tell it beforehand.

    Whoever exchanges a token, and however often, arrives at the same row.
    """
    digest = salted_hmac(
        "accounts.tokens.successor", jti.bytes, secret=settings.JWT_SECRET, algorithm="sha256"
    ).digest()
    return UUID(bytes=digest[:16], version=4)


def portal_token_for(user: User, session: AuthSession) -> str:
    """Return the token that the portal's middleware reads from its cookie: role in lower case.

    It goes wherever the browser goes, so it names nobody: no e-mail address is in it.
    """
    token = PortalToken()
    _describe(token, user, session)
    token["role"] = user.role.lower()
    token["exp"] = token["iat"] + portal_seconds(session)
    return str(token)


def portal_seconds(session: AuthSession) -> int:
    """Return how long the portal's cookie lives: a day, but never longer than the session."""
    left = min(PORTAL_LIFETIME, session.expires_at - timezone.now())
    return max(0, int(left.total_seconds()))


def _describe(token: Token, user: User, session: AuthSession) -> None:
    token["userId"] = str(user.pk)
    token["role"] = user.role
    token["ucfsin"] = user.ucfsin
    token["sid"] = str(session.pk)
    token["ver"] = user.token_version
    token["jti"] = str(uuid4())


class PortalToken(Token):
    """Good in a cookie only: sent as a bearer token it is of the wrong kind."""

    token_type = "portal"  # noqa: S105 - a kind of token
    lifetime = PORTAL_LIFETIME


class LateRefreshToken(RefreshToken):
    """A refresh token that may have expired while its session could still be alive."""

    def get_token_backend(self) -> TokenBackend:
        return TokenBackend(
            algorithm=settings.SIMPLE_JWT["ALGORITHM"],
            signing_key=settings.SIMPLE_JWT["SIGNING_KEY"],
            issuer=settings.SIMPLE_JWT["ISSUER"],
            leeway=SESSION_LIFETIME,
        )


def read_portal_token(text: str) -> Claims:
    return _read(PortalToken, text)


def read_access_token(text: str) -> Claims:
    return _read(AccessToken, text)


def read_refresh_token(text: str) -> Claims:
    """Verify all but the age: the row knows it, and a used token that comes late tells too."""
    return _read(LateRefreshToken, text)


def _read(kind: type[Token], text: str) -> Claims:
    """Verify signature, issuer, age and kind; every failure is the same 401."""
    if len(text) > LONGEST_TOKEN:
        raise invalid_token()
    try:
        token = kind(text)  # type: ignore[arg-type]
        _text(token, "iss")  # whose value is checked, in a list of several too
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
