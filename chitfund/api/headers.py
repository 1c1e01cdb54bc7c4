"""What every answer carries for the browser's sake: pages, files, errors and the API alike."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from chitfund.api.errors import error_response

ALWAYS = {
    # The web server would put its own name here.
    "Server": "chitfund",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Data and files run nothing and load nothing, wherever a browser is made to show them.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGES = (
    "default-src 'none'; connect-src 'self'; font-src 'self' data:; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; script-src 'self'"
)
# The desk's theme evaluates its attributes as expressions (Alpine); no script may stand in a page.
DESK = "/admin/"
POLICIES = {DESK: f"{_PAGES} 'unsafe-eval'", "/api-docs": _PAGES}
LEAST_ERROR = 400
CREDENTIALS = ("Authorization", "Cookie")


class HeadersMiddleware:
    """Adds the headers to whatever is answered, also by the middleware within. Goes first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Kept: the middleware within may rewrite the path.
        path = request.path_info
        response = self.get_response(request)
        if not path.startswith(DESK):
            response = _spoken(response)
        for name, value in ALWAYS.items():
            response.setdefault(name, value)
        response.setdefault("Content-Security-Policy", policy_of(path))
        if path.startswith("/api/"):
            patch_vary_headers(response, CREDENTIALS)
        return response


class ExactCorsMiddleware(CorsMiddleware):
    """Lets pages of the listed origins read answers; listed is what is equal letter by letter."""

    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        """Compare as browsers write origins. The parent would take other spellings too."""
        return origin in settings.CORS_ALLOWED_ORIGINS


def policy_of(path: str) -> str:
    """Return the content security policy of a page, or of what is none."""
    for start, policy in POLICIES.items():
        if path.startswith(start):
            return policy
    return NOTHING


def _spoken(response: HttpResponse) -> HttpResponse:
    """Say in the envelope what Django or a page refuses in HTML, such as a wrong method."""
    kind = response.headers.get("Content-Type", "")
    if response.status_code < LEAST_ERROR or kind.startswith("application/json"):
        return response
    told = error_response(response.status_code)
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length", "Content-Language"):
            told[name] = value
    return told
