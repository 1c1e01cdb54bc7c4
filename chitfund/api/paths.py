"""Paths as clients may write them: with or without a trailing slash, with or without a version."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chitfund.api.errors import error_response


class ApiPathMiddleware:
    """Route `/api/v1/x/` as `/api/x`, and answer every unrouted API path in JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.alias = f"/api/{settings.API_VERSION}/"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith("/api/"):
            return self.get_response(request)
        if "\x00" in path:
            return error_response(404)
        if path.startswith(self.alias):
            path = "/api/" + path.removeprefix(self.alias)
        request.path_info = path.rstrip("/")
        return self.get_response(request)
