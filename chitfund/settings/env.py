"""The one reader of environment variables.

Every function names the variable in its error and never its value: settings errors end
up in logs. A default of None means that the variable must be set.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DURATION = re.compile(r"([0-9]+)([smhd]?)")
RATE = re.compile(r"([0-9]{1,9})/(s|min|h)")
RATE_SECONDS = {"s": 1, "min": 60, "h": 3600}
UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FLAGS = {"1": True, "true": True, "yes": True, "on": True}
FLAGS |= {"0": False, "false": False, "no": False, "off": False}


def text(name: str, default: str | None = None) -> str:
    """Return a variable; an empty one counts as not set."""
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set.")
    return value


def integer(name: str, default: int | None = None, *, least: int = 0) -> int:
    value = text(name, None if default is None else str(default))
    if not re.fullmatch(r"[0-9]+", value) or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number, {least} or more.")
    return int(value)


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in FLAGS:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return FLAGS[value]


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list without its blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()


def duration(name: str, default: str) -> timedelta:
    """Return a span of time written as in the guide: `15m`, `7d`, `3600s`, `3600`."""
    match = DURATION.fullmatch(text(name, default))
    if not match or not int(match[1]):
        raise ImproperlyConfigured(f"{name} must be a time such as 15m, 12h or 7d.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def rate(name: str, default: str) -> tuple[int, int] | None:
    """Return requests and seconds of a rate such as `600/min`; None for `off`."""
    given = text(name, default)
    if given == "off":
        return None
    match = RATE.fullmatch(given)
    if not match or not int(match[1]):
        raise ImproperlyConfigured(f"{name} must be a rate such as 600/min, or off.")
    return int(match[1]), RATE_SECONDS[match[2]]


def database(name: str) -> dict[str, Any] | None:
    """Return Django's connection settings from an address, or None when it is not set.

    What follows the `?` goes to libpq (`sslmode`, `sslrootcert`); `host` there names a
    folder with a unix socket.
    """
    address = text(name, "")
    if not address:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as exc:
        raise ImproperlyConfigured(f"{name} is not an address.") from exc
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must be postgresql://role:password@host/database.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": options.pop("port", str(port or "")),
        "OPTIONS": options,
    }
