"""Who is asking: a bearer token is verified, then the database decides in one query."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import AuthSession, User, UserStatus
from accounts.tokens import Claims, invalid_token, read_access_token
from chitfund.exceptions import NotAuthenticated
from chitfund.observability.trace import remember_user

SCHEME = "bearer"


class AccessTokenAuthentication(BaseAuthentication):
    """Bearer access tokens. Suspension, a new role or password bite on the next request."""

    def authenticate(self, request: Request) -> tuple[User, Claims] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != SCHEME.encode():
            return None
        if len(parts) != 2:  # noqa: PLR2004 - the scheme and the token
            raise AuthenticationFailed(invalid_token().message)
        try:
            claims = read_access_token(parts[1].decode("ascii", "replace"))
            user = signed_in_user(claims)
        except NotAuthenticated as exc:
            # DRF's own kind, or it would try again whenever somebody asks for the user.
            raise AuthenticationFailed(exc.message) from exc
        remember_user(str(user.pk))
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="chitfund"'


def signed_in_user(claims: Claims) -> User:
    """Return the user with the role the database has now, or refuse; one indexed query."""
    session = (
        AuthSession.objects.select_related("user")
        .filter(pk=claims.session_id, ended_at=None, expires_at__gt=timezone.now())
        .filter(user=claims.user_id, user__status=UserStatus.ACTIVE)
        .filter(user__token_version=claims.version)
        .first()
    )
    if session is None:
        raise invalid_token()
    return session.user


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it."""

    target_class = AccessTokenAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME, "bearerFormat": "JWT"}
