"""Production does not open with an unsafe setting: one process for each way to spoil a good one.

reliability.md row 45. chitfund/tests/test_settings.py has the secrets, one by one.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from chitfund.settings.secrets import NAMES

ROOT = Path(settings.BASE_DIR)
BOOT = "from chitfund import settings; print('booted', settings.APP_ENV)"
DATABASE = "postgresql://{role}:f00dcafe1234f00d@db.internal/chitfund?sslmode={tls}"
GOOD = {
    "PATH": os.environ["PATH"],
    "APP_ENV": "production",
    **{name: secrets.token_urlsafe(64) for name in NAMES},
    "DATABASE_URL": DATABASE.format(role="chitfund_app", tls="verify-full"),
    "REDIS_URL": "redis://redis.internal:6379/0",
    "ALLOWED_HOSTS": "chits.office.in",
    "PUBLIC_URL": "https://chits.office.in",
    "SMTP_HOST": "smtp.office.in",
    "S3_BUCKET": "chits",
    "TRUSTED_PROXY_COUNT": "1",
    "CORS_ALLOWED_ORIGINS": "https://portal.office.in",
    "OIDC_PROVIDERS": "google",
    "OIDC_GOOGLE_ISSUER": "https://accounts.google.com",
    "OIDC_GOOGLE_CLIENT_ID": "office",
    "OIDC_GOOGLE_CLIENT_SECRET": secrets.token_urlsafe(32),
}
# What is set otherwise, and the name that the refusal must say if it is not the first of them.
SPOILT: list[dict[str, str]] = [
    {"DEBUG": "true"},
    {"SECRET_KEY": ""},
    {"SECRET_KEY": "your-secret-key"},
    {"SECRET_KEY": "django-insecure-" + "x7Qp" * 20},
    {"JWT_SECRET": "Xy9-short"},
    {"JWT_SECRET": "a" * 64},
    {"JWT_SECRET": GOOD["SECRET_KEY"]},
    {"PII_ENCRYPTION_KEY": ""},
    {"PII_INDEX_KEY": GOOD["PII_ENCRYPTION_KEY"]},
    {"WEBHOOK_SECRET": GOOD["SIGNED_FILE_KEY"]},
    {"ALLOWED_HOSTS": ""},
    {"ALLOWED_HOSTS": "*"},
    {"ALLOWED_HOSTS": "chits.office.in,*.office.in"},
    {"CORS_ALLOWED_ORIGINS": "*"},
    {"CORS_ALLOWED_ORIGINS": "null"},
    {"CORS_ALLOWED_ORIGINS": "https://*.office.in"},
    {"CORS_ALLOWED_ORIGINS": "http://portal.office.in"},
    {"CORS_ALLOWED_ORIGINS": "https://portal.office.in/"},
    {"PUBLIC_URL": ""},
    {"PUBLIC_URL": "http://chits.office.in"},
    {"SMTP_HOST": ""},
    {"SMTP_TLS": "false"},
    {"SMTP_PASS": "your-password"},
    {"DATABASE_URL": ""},
    {"DATABASE_URL": "postgresql://user:password@localhost:5432/chitfund"},
    {"DATABASE_URL": "postgresql://chitfund_app:f00dcafe1234f00d@db.internal/chitfund"},
    {"DATABASE_URL": DATABASE.format(role="chitfund_app", tls="disable")},
    {"DATABASE_URL": DATABASE.format(role="chitfund_app", tls="require")},
    {"DATABASE_URL": DATABASE.format(role="postgres", tls="verify-full")},
    {"DATABASE_URL": DATABASE.format(role="chitfund_owner", tls="verify-full")},
    {"DATABASE_OWNER_URL": DATABASE.format(role="chitfund_app", tls="verify-full")},
    {"REDIS_URL": ""},
    {"S3_BUCKET": ""},
    {"S3_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE"},
    {"S3_SECRET_KEY": "minioadmin"},
    {"S3_ENDPOINT_URL": "http://minio.internal:9000"},
    {"BCRYPT_ROUNDS": "4"},
    {"BCRYPT_ROUNDS": "11"},
    {"TRUSTED_PROXY_COUNT": ""},
    {"HSTS_SECONDS": "0"},
    {"LOG_LEVEL": "DEBUG"},
    {"REQUIRE_STAFF_SECOND_FACTOR": "false"},
    {"JWT_EXPIRES_IN": "2d"},
    {"REFRESH_TOKEN_EXPIRES_IN": "365d"},
    {"OIDC_GOOGLE_ISSUER": "http://accounts.google.com"},
    {"OIDC_GOOGLE_ISSUER": "http://localhost:8080"},
    {"OIDC_GOOGLE_CLIENT_SECRET": "your-client-secret"},
    {"OIDC_REDIRECT_URIS": "http://chits.office.in/auth/callback"},
]
# Nobody can set these by a variable; somebody could by an edit.
EDITED = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
    "SECURE_PROXY_SSL_HEADER": None,
    "SPECTACULAR_SETTINGS": {},
    "DEBUG": True,
}
EDITED_BOOT = (
    "from chitfund.settings import production, guard; "
    "guard.refuse_unsafe({{**vars(production), {name!r}: {value!r}}}); print('booted')"
)


def boot(environment: dict[str, str], program: str = BOOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def refusals() -> list[subprocess.CompletedProcess[str]]:
    """Boot every spoilt office, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda spoilt: boot(GOOD | spoilt), SPOILT))


def test_the_good_office_opens():
    result = boot(GOOD)
    assert result.stdout == "booted production\n", result.stderr


def test_there_are_as_many_ways_as_promised():
    assert len(SPOILT) + len(EDITED) >= 30


@pytest.mark.parametrize("index", range(len(SPOILT)), ids=lambda i: f"{i}-{next(iter(SPOILT[i]))}")
def test_a_spoilt_office_does_not_open_and_says_which_setting_and_no_secret(refusals, index):
    spoilt, result = SPOILT[index], refusals[index]
    assert result.returncode != 0, spoilt
    assert "booted" not in result.stdout
    refusal = result.stderr.rsplit("ImproperlyConfigured", 1)[1]
    assert next(iter(spoilt)) in refusal
    told = result.stdout + result.stderr
    hidden = [value for name, value in (GOOD | spoilt).items() if _is_secret(name)]
    assert not [value for value in hidden if len(value) > 5 and value in told]


def _is_secret(name: str) -> bool:
    words = ("SECRET", "KEY", "PASS", "DATABASE")
    return any(word in name for word in words)


@pytest.mark.parametrize("name", EDITED)
def test_an_unsafe_edit_does_not_open_either(name):
    result = boot(GOOD, EDITED_BOOT.format(name=name, value=EDITED[name]))
    assert result.returncode != 0
    assert name in result.stderr.rsplit("ImproperlyConfigured", 1)[1]


@pytest.mark.parametrize(
    "allowed",
    [
        {"S3_BUCKET": "", "LOCAL_FILES_IN_PRODUCTION": "true"},
        {
            "DATABASE_URL": "postgresql://chitfund_app:f00dcafe1234f00d@postgres/chitfund",
            "DATABASE_NETWORK_IS_PRIVATE": "true",
        },
        {"DATABASE_URL": "postgresql://chitfund_app:f00dcafe1234f00d@/chitfund?host=/run/pg"},
    ],
)
def test_what_somebody_answers_for_in_so_many_words_opens(allowed):
    result = boot(GOOD | allowed)
    assert result.returncode == 0, result.stderr
