"""Every route of the office and its methods, read from the URL resolver and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")
# What is not the API, and the test that answers for it.
ELSEWHERE = {
    "healthz": "public: liveness",
    "readyz": "public: readiness",
    "api/schema": "the description, public in development (chitfund/settings)",
    "api-docs": "Swagger UI of the description",
}
# The desk's own pages ask Django's permissions; accounts/tests/test_admin.py and the
# test_admin.py of each app go through them.
DESK = "admin/"


def all_routes() -> Iterator[tuple[str, URLPattern]]:
    """Yield every pattern with its path; of two with the same path the first one answers."""
    seen: set[str] = set()
    for route, pattern in _walk(get_resolver().url_patterns):
        if route not in seen:
            seen.add(route)
            yield route, pattern


def _walk(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def api_routes() -> list[tuple[str, str]]:
    """Return (method, route) of the whole API, in the resolver's order."""
    return [
        (method.upper(), route)
        for route, pattern in all_routes()
        if route.startswith("api/") and route not in ELSEWHERE
        for method in _methods(pattern)
    ]


def _methods(pattern: URLPattern) -> list[str]:
    actions = getattr(pattern.callback, "actions", None)
    if actions is not None:
        return [method for method in METHODS if method in actions]
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    if view is None:
        # A plain function may answer anything; the matrix has it as its GET and POST.
        return ["get", "post"]
    return [method for method in METHODS if hasattr(view, method)]


def unknown_pages() -> list[str]:
    """Return routes that are neither API nor listed nor of the desk."""
    return [
        route
        for route, _ in all_routes()
        if not route.startswith(("api/", DESK)) and route not in ELSEWHERE
    ]
