"""Who is asking: a bearer token is verified, then the database decides in one query."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.audit import record_audit_event
from accounts.cookies import FOREIGN_ORIGIN, PORTAL_COOKIES, ForeignSite, check_own_site
from accounts.models import AuthSession, Role, User, UserStatus
from accounts.tokens import Claims, invalid_token, read_access_token, read_portal_token
from chitfund.exceptions import NotAuthenticated
from chitfund.observability.trace import remember_user

SCHEME = "bearer"
SIGN_IN_PATH = "/api/auth/token"


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


class PortalCookieAuthentication(BaseAuthentication):
    """The portal's cookie, for browsers that signed in with `?session=cookie`.

    A bearer token is looked at first. A cookie that no longer holds makes nobody of its
    sender: a browser cannot leave it away.
    """

    def authenticate(self, request: Request) -> tuple[User, Claims] | None:
        for role, name in PORTAL_COOKIES.items():
            known = _holder(request.COOKIES.get(name), role)
            if known is not None:
                remember_user(str(known[0].pk))
                self._check_site(request, known[0])
                return known
        return None

    def _check_site(self, request: Request, user: User) -> None:
        try:
            check_own_site(request)
        except ForeignSite:
            record_audit_event(actor=user, verb="access.denied", target=user, reason=FOREIGN_ORIGIN)
            raise

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="chitfund"'


def _holder(cookie: str | None, role: Role) -> tuple[User, Claims] | None:
    if not cookie:
        return None
    try:
        claims = read_portal_token(cookie)
        user = signed_in_user(claims)
    except NotAuthenticated:
        return None
    return (user, claims) if user.role == role else None


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
    user = session.user
    # What the session has shown is known to whoever asks the user about it.
    user.auth_session = session
    return user


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it: a token pasted in, or Swagger's own sign-in."""

    target_class = AccessTokenAuthentication
    name = ["accessToken", "signIn"]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, object]]:
        return [
            {"type": "http", "scheme": SCHEME, "bearerFormat": "JWT"},
            {
                "type": "oauth2",
                "description": "E-mail address, phone number or UCFSIN, and the password. "
                "A client id and secret are not asked for.",
                "flows": {"password": {"tokenUrl": SIGN_IN_PATH, "scopes": {}}},
            },
        ]


class PortalCookieScheme(OpenApiAuthenticationExtension):
    """One of three cookies, whichever the role has."""

    target_class = PortalCookieAuthentication
    name = list(PORTAL_COOKIES.values())

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[str]]]:
        return [{name: []} for name in PORTAL_COOKIES.values()]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return [
            {
                "type": "apiKey",
                "in": "cookie",
                "name": name,
                "description": f"Set by a sign-in with `?session=cookie`, for the role {role}. "
                "A request that changes something needs an `Origin` of the office's own.",
            }
            for role, name in PORTAL_COOKIES.items()
        ]
