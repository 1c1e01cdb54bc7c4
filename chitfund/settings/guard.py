"""What production refuses to boot with."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from chitfund.settings import env
from chitfund.settings.secrets import NAMES

SHORTEST_SECRET = 32
# Of the characters of a random secret, at least so many differ.
FEWEST_CHARACTERS = 8
# Words of the guide's sample values and of every tutorial.
SAMPLES = ("your-", "changeme", "change-me", "secret-key", "example", "django-insecure", "sample")
SAMPLE_PASSWORDS = ("password", "postgres", "chitfund", "secret", "your-password", "")
DATABASES = ("DATABASE_URL", "DATABASE_OWNER_URL")
CREDENTIALS = ("S3_ACCESS_KEY", "S3_SECRET_KEY", "SMTP_USER", "SMTP_PASS", "SMS_API_KEY")


def refuse_unsafe(settings: Mapping[str, Any]) -> None:
    """Raise ImproperlyConfigured naming each unsafe setting; no value is printed."""
    problems = [
        *_secret_problems(),
        *_database_problems(),
        *_service_problems(),
        *_setting_problems(settings),
    ]
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise ImproperlyConfigured(f"This office does not open in production:\n{listed}")


def _secret_problems() -> Iterator[str]:
    values = {name: env.text(name, "") for name in NAMES}
    for name, value in values.items():
        if weakness := _weakness(value):
            yield f"{name} {weakness}."
    for one, other in combinations(NAMES, 2):
        if values[one] and values[one] == values[other]:
            yield f"{one} and {other} are the same; each needs its own."
    for name in CREDENTIALS:
        if _is_sample(env.text(name, "")):
            yield f"{name} is a sample value."


def _weakness(secret: str) -> str | None:
    if not secret:
        return "is not set"
    if _is_sample(secret):
        return "is a sample value"
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS:
        return f"is too weak: use at least {SHORTEST_SECRET} random characters"
    return None


def _is_sample(value: str) -> bool:
    return any(sample in value.lower() for sample in SAMPLES)


def _database_problems() -> Iterator[str]:
    if not env.text("DATABASE_URL", ""):
        yield "DATABASE_URL is not set."
    for name in DATABASES:
        connection = env.database(name)
        if connection and connection["PASSWORD"].lower() in SAMPLE_PASSWORDS:
            yield f"{name} has a sample password or none."
    runtime = env.database("DATABASE_URL")
    if runtime and runtime["USER"] in ("postgres", "chitfund_owner"):
        yield "DATABASE_URL signs in as an owner or superuser; use the runtime role."


def _service_problems() -> Iterator[str]:
    if not env.text("REDIS_URL", "") and not env.text("CELERY_BROKER_URL", ""):
        yield "REDIS_URL or CELERY_BROKER_URL is not set."
    if not env.text("SMTP_HOST", ""):
        yield "SMTP_HOST is not set; nobody would get their mail."
    if not env.integer("TRUSTED_PROXY_COUNT", 0):
        yield "TRUSTED_PROXY_COUNT is not set; TLS ends at a proxy, say how many there are."
    if urlsplit(env.text("PUBLIC_URL", "")).scheme != "https":
        yield "PUBLIC_URL is not set to the office's https address."


def _setting_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if env.flag("DEBUG", default=False) or settings["DEBUG"]:
        yield "DEBUG is on."
    if not env.text("ALLOWED_HOSTS", ""):
        yield "ALLOWED_HOSTS is not set."
    elif any("*" in host for host in settings["ALLOWED_HOSTS"]):
        yield "ALLOWED_HOSTS allows every host."
    if not settings["PASSWORD_HASHERS"][0].endswith("OfficePasswordHasher"):
        yield "PASSWORD_HASHERS does not begin with the office's own."
