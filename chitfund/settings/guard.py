"""What production refuses to boot with."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
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
# Anybody may sign these themselves or has read them somewhere.
SAMPLE_KEYS = ("AKIAIOSFODNN7EXAMPLE", "minioadmin", "minio123", "test", "admin")
DATABASES = ("DATABASE_URL", "DATABASE_OWNER_URL")
# Roles that own the tables, or the server: their sessions pass every rule of the database.
OWNERS = ("postgres", "root", "admin", "rdsadmin", "chitfund_owner", "supabase_admin")
# With less, whoever sits between may answer in the database's place.
SURE_TLS = ("verify-full", "verify-ca")
LEAST_BCRYPT_ROUNDS = 12
LEAST_HSTS_SECONDS = 15_768_000  # half a year
LONGEST_ACCESS = timedelta(hours=1)
LONGEST_REFRESH = timedelta(days=30)
# Mail that goes nowhere, into a file or onto the screen.
SMTP = "django.core.mail.backends.smtp.EmailBackend"
CREDENTIALS = ("S3_ACCESS_KEY", "S3_SECRET_KEY", "SMTP_USER", "SMTP_PASS", "SMS_API_KEY")


def refuse_unsafe(settings: Mapping[str, Any]) -> None:
    """Raise ImproperlyConfigured naming each unsafe setting; no value is printed."""
    problems = [
        *_secret_problems(),
        *_database_problems(),
        *_service_problems(),
        *_file_problems(settings),
        *_address_problems(settings),
        *_setting_problems(settings),
        *_mail_problems(settings),
        *_sign_in_problems(settings),
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
        value = env.text(name, "")
        if _is_sample(value) or value in SAMPLE_KEYS:
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
        if connection and not _is_private(connection):
            yield f"{name} does not check who answers: end it with ?sslmode=verify-full."
    runtime, owner = (env.database(name) for name in DATABASES)
    if runtime and runtime["USER"] in OWNERS:
        yield "DATABASE_URL signs in as an owner or superuser; use the runtime role."
    if runtime and owner and runtime["USER"] == owner["USER"]:
        yield "DATABASE_URL and DATABASE_OWNER_URL sign in as the same role."


def _is_private(connection: Mapping[str, Any]) -> bool:
    """Tell whether nobody can listen: a socket of this machine, or TLS that checks the name."""
    if connection["HOST"].startswith("/"):
        return True
    return connection["OPTIONS"].get("sslmode") in SURE_TLS or env.flag(
        "DATABASE_NETWORK_IS_PRIVATE", default=False
    )


def _service_problems() -> Iterator[str]:
    if not env.text("REDIS_URL", "") and not env.text("CELERY_BROKER_URL", ""):
        yield "REDIS_URL or CELERY_BROKER_URL is not set."
    if not env.text("SMTP_HOST", ""):
        yield "SMTP_HOST is not set; nobody would get their mail."
    if not env.integer("TRUSTED_PROXY_COUNT", 0):
        yield "TRUSTED_PROXY_COUNT is not set; TLS ends at a proxy, say how many there are."
    if urlsplit(env.text("PUBLIC_URL", "")).scheme != "https":
        yield "PUBLIC_URL is not set to the office's https address."


def _file_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if not settings["S3_BUCKET"] and not env.flag("LOCAL_FILES_IN_PRODUCTION", default=False):
        yield (
            "S3_BUCKET is not set; LOCAL_FILES_IN_PRODUCTION=true keeps documents on this "
            "machine's own disk, which you then back up."
        )
    if urlsplit(settings["S3_ENDPOINT_URL"]).scheme == "http":
        yield "S3_ENDPOINT_URL must be an https address."


def _address_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if any(urlsplit(origin).scheme != "https" for origin in settings["CORS_ALLOWED_ORIGINS"]):
        yield "CORS_ALLOWED_ORIGINS has an origin without https."
    if any(urlsplit(page).scheme != "https" for page in settings["OIDC_REDIRECT_URIS"]):
        yield "OIDC_REDIRECT_URIS has a page without https."
    for name, provider in settings["OIDC_PROVIDERS"].items():
        if urlsplit(provider.issuer).scheme != "https":
            yield f"OIDC_{name.upper()}_ISSUER must be an https address."
        if _is_sample(provider.client_secret):
            yield f"OIDC_{name.upper()}_CLIENT_SECRET is a sample value."
    if settings["SECURE_HSTS_SECONDS"] < LEAST_HSTS_SECONDS:
        yield "HSTS_SECONDS is less than half a year."
    if not settings.get("SECURE_PROXY_SSL_HEADER"):
        yield "SECURE_PROXY_SSL_HEADER is not set; every request would be sent in a circle."


def _setting_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if env.flag("DEBUG", default=False) or settings["DEBUG"]:
        yield "DEBUG is on."
    if not env.text("ALLOWED_HOSTS", ""):
        yield "ALLOWED_HOSTS is not set."
    elif any("*" in host for host in settings["ALLOWED_HOSTS"]):
        yield "ALLOWED_HOSTS allows every host."
    if not settings["PASSWORD_HASHERS"][0].endswith("OfficePasswordHasher"):
        yield "PASSWORD_HASHERS does not begin with the office's own."
    if settings["BCRYPT_ROUNDS"] < LEAST_BCRYPT_ROUNDS:
        yield f"BCRYPT_ROUNDS is less than {LEAST_BCRYPT_ROUNDS}."
    if settings["LOG_LEVEL"] == "DEBUG":
        yield "LOG_LEVEL is DEBUG, which writes more than may be written."
    if any(name.endswith("AllowAny") for name in _readers_of_docs(settings)):
        yield "SPECTACULAR_SETTINGS shows the API's description to everybody."


def _mail_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["EMAIL_BACKEND"] != SMTP:
        yield "EMAIL_BACKEND sends no mail."
    if not (settings["EMAIL_USE_TLS"] or settings["EMAIL_USE_SSL"]):
        yield "SMTP_TLS is off; mails carry links that sign people in."


def _readers_of_docs(settings: Mapping[str, Any]) -> list[str]:
    return settings["SPECTACULAR_SETTINGS"].get("SERVE_PERMISSIONS", ["AllowAny"])


def _sign_in_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    if not settings["REQUIRE_STAFF_SECOND_FACTOR"]:
        yield "REQUIRE_STAFF_SECOND_FACTOR is off; staff decide over other people's money."
    if settings["ACCESS_TOKEN_LIFETIME"] > LONGEST_ACCESS:
        yield "JWT_EXPIRES_IN is longer than an hour."
    if settings["REFRESH_TOKEN_LIFETIME"] > LONGEST_REFRESH:
        yield "REFRESH_TOKEN_EXPIRES_IN is longer than 30 days."
