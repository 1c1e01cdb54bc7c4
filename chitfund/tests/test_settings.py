"""Environment variables, generated secrets, and what production refuses to boot with."""

import json
import os
import secrets
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chitfund.settings import env
from chitfund.settings.secrets import NAMES, given_or_generated_secrets

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("15m", timedelta(minutes=15)),
        ("7d", timedelta(days=7)),
        ("12h", timedelta(hours=12)),
        ("3600s", timedelta(hours=1)),
        ("3600", timedelta(hours=1)),
    ],
)
def test_a_duration_is_read_as_the_guide_writes_it(monkeypatch, written, meant):
    monkeypatch.setenv("JWT_EXPIRES_IN", written)
    assert env.duration("JWT_EXPIRES_IN", "1s") == meant


@pytest.mark.parametrize("written", ["soon", "15 m", "-5m", "0m", "1.5h", "15w"])
def test_another_duration_is_refused_by_name_and_not_by_value(monkeypatch, written):
    monkeypatch.setenv("JWT_EXPIRES_IN", written)
    with pytest.raises(ImproperlyConfigured, match="JWT_EXPIRES_IN") as refusal:
        env.duration("JWT_EXPIRES_IN", "15m")
    assert written not in str(refusal.value).replace("15m, 12h or 7d", "")


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "  ")
    assert env.text("REDIS_URL", "nothing") == "nothing"
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL is not set"):
        env.text("REDIS_URL")


def test_a_number_below_its_floor_is_refused(monkeypatch):
    monkeypatch.setenv("BCRYPT_ROUNDS", "9")
    with pytest.raises(ImproperlyConfigured, match="BCRYPT_ROUNDS must be a whole number, 10"):
        env.integer("BCRYPT_ROUNDS", 12, least=10)


def test_a_database_address_may_name_a_socket_and_libpq_options(monkeypatch):
    monkeypatch.setenv(
        "DATABASE_URL",
        "postgresql://app:p%40ss@/chits?host=%2Frun%2Fpg&port=5433&sslmode=verify-full",
    )
    assert env.database("DATABASE_URL") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "chits",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "/run/pg",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "verify-full"},
    }


@pytest.mark.parametrize(
    "address", ["mysql://a:b@c/d", "postgresql://a:b@c/", "postgresql://a:b@c:x/d"]
)
def test_a_wrong_database_address_is_refused_without_printing_it(monkeypatch, address):
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
        env.database("DATABASE_URL")
    assert address not in str(refusal.value)


def test_secrets_are_made_once_and_readable_by_the_owner_only(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    first = given_or_generated_secrets(tmp_path / "data")
    file = tmp_path / "data" / "secrets.json"

    assert given_or_generated_secrets(tmp_path / "data") == first
    assert json.loads(file.read_text()) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(NAMES)
    assert min(len(secret) for secret in first.values()) >= 50


def test_a_given_secret_goes_before_a_generated_one(tmp_path, monkeypatch):
    monkeypatch.setenv("JWT_SECRET", "given")
    assert given_or_generated_secrets(tmp_path)["JWT_SECRET"] == "given"


def good_production_environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "APP_ENV": "production",
        **{name: secrets.token_urlsafe(64) for name in NAMES},
        "DATABASE_URL": f"postgresql://chitfund_app:{secrets.token_hex(16)}@db/chitfund"
        "?sslmode=verify-full",
        "S3_BUCKET": "chits",
        "REDIS_URL": "redis://redis:6379/0",
        "ALLOWED_HOSTS": "chits.office.in",
        "PUBLIC_URL": "https://chits.office.in",
        "SMTP_HOST": "smtp.office.in",
        "TRUSTED_PROXY_COUNT": "1",
    }


def boot(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from chitfund import settings; print('booted', settings.APP_ENV)"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_good_production_environment_boots():
    result = boot(good_production_environment())
    assert result.stdout == "booted production\n", result.stderr


WEAK = [
    *[(name, value) for name in NAMES for value in ("", "your-secret-key", "short-Xy9")],
    ("SECRET_KEY", "django-insecure-" + "x7Qp" * 20),
    ("JWT_SECRET", "a" * 64),
    ("DEBUG", "true"),
    ("ALLOWED_HOSTS", ""),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "chits.office.in,*"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "postgresql://user:password@localhost:5432/chitfund"),
    ("DATABASE_URL", "postgresql://chitfund_app@db/chitfund"),
    ("DATABASE_URL", "postgresql://postgres:f00dcafe1234@db/chitfund"),
    ("DATABASE_URL", "postgresql://chitfund_owner:f00dcafe1234@db/chitfund"),
    ("DATABASE_URL", "sqlite:///db.sqlite3"),
    ("DATABASE_OWNER_URL", "postgresql://chitfund_owner:password@db/chitfund"),
    ("REDIS_URL", ""),
    ("SMTP_HOST", ""),
    ("TRUSTED_PROXY_COUNT", ""),
    ("TRUSTED_PROXY_COUNT", "0"),
    ("PUBLIC_URL", ""),
    ("PUBLIC_URL", "http://chits.office.in"),
    ("S3_ACCESS_KEY", "your-access-key"),
    ("S3_SECRET_KEY", "your-secret-key"),
    ("SMTP_PASS", "your-password"),
    ("SMS_API_KEY", "your-sms-api-key"),
    ("BCRYPT_ROUNDS", "4"),
    ("JWT_EXPIRES_IN", "forever"),
]


@pytest.mark.parametrize(("name", "value"), WEAK)
def test_production_refuses_to_boot_with(name, value):
    result = boot(good_production_environment() | {name: value})

    assert result.returncode != 0
    refusal = result.stderr.rsplit("ImproperlyConfigured", 1)[1]
    assert name in refusal
    if len(value) > 5:
        assert value not in refusal


def test_production_refuses_one_key_for_two_purposes():
    environment = good_production_environment()
    result = boot(environment | {"JWT_SECRET": environment["SECRET_KEY"]})

    assert "SECRET_KEY and JWT_SECRET are the same" in result.stderr
    assert environment["SECRET_KEY"] not in result.stderr


def test_an_unknown_environment_is_refused():
    assert "APP_ENV must be one of" in boot({"APP_ENV": "staging"}).stderr


@pytest.mark.parametrize(
    ("command", "configured", "wanted"),
    [
        ("migrate", {}, True),
        ("shell", {}, True),
        ("check", {}, False),
        ("spectacular", {}, False),
        ("serve", {}, False),
        ("migrate", {"DATABASE_URL": "postgresql://a:b@c/d"}, False),
        ("migrate", {"APP_ENV": "production"}, False),
    ],
)
def test_the_embedded_server_is_started_only_where_nothing_is_configured(
    monkeypatch, command, configured, wanted
):
    import manage

    for name in ("DATABASE_URL", "APP_ENV"):
        monkeypatch.delenv(name, raising=False)
    for name, value in configured.items():
        monkeypatch.setenv(name, value)
    assert manage.wants_embedded_server(command) is wanted
