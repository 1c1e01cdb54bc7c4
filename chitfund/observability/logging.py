"""JSON log lines with exactly the guide's fields.

Only what is on the allow-list enters `details`, so no personal data can slip in with a
careless `extra`; text of exceptions is reduced to type and place.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson

from chitfund.observability.trace import current_trace_id, current_user_id

LEVELS = {"DEBUG": "INFO", "WARNING": "WARN", "CRITICAL": "ERROR"}
ALLOWED_DETAILS = frozenset(
    {
        "method", "route", "status", "duration_ms", "constraint", "job", "business_date",
        "count", "event", "channel", "verb", "target", "target_id", "task", "task_id", "attempts",
        "outcome", "scheme_id", "auction_id", "payment_id", "delivery_id", "user_id", "reason_code",
        "queue", "port", "pid", "number", "hash",
    }
)  # fmt: skip


class JsonFormatter(logging.Formatter):
    """`timestamp, level, service, action, userId, details, traceId`, one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(self.entry(record)).decode()

    def entry(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the line as the guide's LogEntry."""
        entry: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": LEVELS.get(record.levelname, record.levelname),
            "service": record.name,
            "action": getattr(record, "action", None) or _one_line(record),
        }
        if user_id := current_user_id():
            entry["userId"] = user_id
        entry["details"] = _details(record)
        entry["traceId"] = current_trace_id()
        return entry


def _one_line(record: logging.LogRecord) -> str:
    # The format string, not the formatted text: arguments may be personal data.
    return str(record.msg).replace("\r", "\\r").replace("\n", "\\n")[:200]


def _details(record: logging.LogRecord) -> dict[str, Any]:
    details: dict[str, Any] = {
        key: value if isinstance(value, int | float | bool) else str(value)
        for key, value in record.__dict__.items()
        if key in ALLOWED_DETAILS and value is not None
    }
    if record.exc_info and record.exc_info[0]:
        details["exception"] = record.exc_info[0].__name__
        frames = traceback.extract_tb(record.exc_info[2])
        details["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-5:]]
    return details


class PlainFormatter(logging.Formatter):
    """The same line for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        entry = JsonFormatter().entry(record)
        details = " ".join(f"{key}={value}" for key, value in entry["details"].items())
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        return (
            f"{clock} {entry['level']:<5} {entry['service']} {entry['action']} {details}".rstrip()
        )


def logging_config(level: str, *, json: bool) -> dict[str, Any]:
    """Return Django's LOGGING: one handler, our formatter, Django's request noise off."""
    formatter = JsonFormatter if json else PlainFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"level": "WARNING", "propagate": True, "handlers": []},
            # The trace middleware already writes one line a request.
            "django.request": {"level": "CRITICAL", "propagate": True},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
