"""The cookie session: for browsers, whose scripts should never hold a token.

The portal's middleware finds its own cookie, named after the role; the refresh token sits in
another that is sent to the API only. Both are out of scripts' reach, so a script of a foreign
site could only ride on them: whatever changes something must come from the office's own pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import Role
from accounts.tokens import portal_seconds, portal_token_for
from chitfund.exceptions import NotAllowed

if TYPE_CHECKING:
    from accounts.services import SignedIn

PORTAL_COOKIES = {
    Role.ADMIN: "adminToken",
    Role.FOREMAN: "foremanToken",
    Role.USER: "userToken",
}
REFRESH_PATH = "/api"
FOREIGN_ORIGIN = "foreign_origin"
DEFAULT_PORTS = {"http": 80, "https": 443}


class ForeignSite(NotAllowed, APIException):
    """A page of another site tries to use somebody's cookies.

    DRF's kind as well: it is raised while DRF looks for the user, who is then nobody.
    """


def refresh_cookie() -> str:
    """Name the refresh cookie. Browsers take the prefix with `Secure` only."""
    return "__Secure-refreshToken" if settings.PORTAL_COOKIES_SECURE else "refreshToken"


def set_session_cookies(response: HttpResponseBase, signed_in: SignedIn) -> None:
    """Set the portal's cookie of this role and the refresh cookie; other roles' cookies go."""
    name = PORTAL_COOKIES[Role(signed_in.user.role)]
    token = portal_token_for(signed_in.user, signed_in.session)
    _set(response, name, token, seconds=portal_seconds(signed_in.session), path="/")
    for other in PORTAL_COOKIES.values():
        if other != name:
            _forget(response, other, path="/")
    left = int((signed_in.refresh_expires_at - timezone.now()).total_seconds())
    _set(response, refresh_cookie(), signed_in.refresh_token, seconds=left, path=REFRESH_PATH)


def forget_session_cookies(response: HttpResponseBase) -> None:
    """Have the browser forget all of them."""
    for name in PORTAL_COOKIES.values():
        _forget(response, name, path="/")
    _forget(response, refresh_cookie(), path=REFRESH_PATH)


def _set(response: HttpResponseBase, name: str, value: str, *, seconds: int, path: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=settings.PORTAL_COOKIES_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _forget(response: HttpResponseBase, name: str, *, path: str) -> None:
    """Expire a cookie with the attributes it was set with, or browsers would keep it."""
    _set(response, name, "", seconds=0, path=path)


def has_session_cookies(request: Request | HttpRequest) -> bool:
    names = {*PORTAL_COOKIES.values(), refresh_cookie()}
    return not names.isdisjoint(request.COOKIES)


def check_own_site(request: Any) -> None:
    """Refuse a change that cookies vouch for, unless it comes from a page of the office's own.

    Browsers say where a request comes from and let no page lie about it. A client that says
    nothing is no browser, and uses a bearer token.
    """
    if request.method in SAFE_METHODS or _is_own(request):
        return
    raise ForeignSite(
        "With a cookie session, changes come from the office's own pages: the Origin of this "
        "request is not among them. Other clients send a bearer token.",
        code=FOREIGN_ORIGIN,
    )


def _is_own(request: Any) -> bool:
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin"
    return _plain(origin) in own_origins()


def own_origins() -> set[str]:
    """Return the office's public address, and those whose pages it lets read its answers."""
    allowed = [settings.PUBLIC_URL, *getattr(settings, "CORS_ALLOWED_ORIGINS", ())]
    return {plain for plain in map(_plain, allowed) if plain}


def _plain(address: str) -> str:
    """Return scheme, host and port of an address; nothing for what is none, such as `null`."""
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or port is None or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"
