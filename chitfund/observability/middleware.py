"""One trace id and one log line a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from chitfund.observability.trace import accept_trace_id, traced

logger = logging.getLogger("chitfund.request")


class TraceMiddleware:
    """Names the request, tells the caller its name in `X-Request-ID`, and logs how it went."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        given = accept_trace_id(headers.get("X-Request-ID"), headers.get("traceparent"))
        with traced(given, request) as trace_id:
            started = time.perf_counter()
            response = self.get_response(request)
            response["X-Request-ID"] = trace_id
            _keep_private(request, response)
            _log(request, response, time.perf_counter() - started)
        return response


def _keep_private(request: HttpRequest, response: HttpResponse) -> None:
    if request.path_info.startswith("/api/"):
        response.setdefault("Cache-Control", "no-store")


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    route = getattr(request.resolver_match, "route", None) or "unrouted"
    logger.info(
        "request",
        extra={
            "action": "request.answered",
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        },
    )
