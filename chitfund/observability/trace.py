"""The trace id that runs from the request through the job to the mail."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

_trace_id: ContextVar[str] = ContextVar("trace_id", default="")
_user_id: ContextVar[str] = ContextVar("user_id", default="")
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def new_trace_id() -> str:
    """Return 32 hexadecimal digits, the form of W3C trace context."""
    return secrets.token_hex(16)


def accept_trace_id(request_id: str | None, traceparent: str | None) -> str:
    """Return the caller's trace id where it is well formed, else a new one."""
    if match := _TRACEPARENT.fullmatch(traceparent or ""):
        return match[1]
    return request_id if request_id and _GIVEN.fullmatch(request_id) else new_trace_id()


def current_trace_id() -> str:
    """Return the trace id of this request or job; begins one where there is none."""
    if not _trace_id.get():
        _trace_id.set(new_trace_id())
    return _trace_id.get()


def current_user_id() -> str:
    return _user_id.get()


def current_request() -> HttpRequest | None:
    """Return the request that is being answered; None in a job or a command."""
    return _request.get()


def remember_user(user_id: str) -> None:
    """Name the acting user in every log line from here to the end of the request."""
    _user_id.set(user_id)


@contextmanager
def traced(trace_id: str | None = None, request: HttpRequest | None = None) -> Iterator[str]:
    """Run a block under a trace id of its own, for a request or for none."""
    trace = _trace_id.set(trace_id or new_trace_id())
    user = _user_id.set("")
    asked = _request.set(request)
    try:
        yield _trace_id.get()
    finally:
        _trace_id.reset(trace)
        _user_id.reset(user)
        _request.reset(asked)
