"""How the process reaches PostgreSQL, and as whom."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from chitfund.settings import env

# A request waits for a lock 3 s and for a statement 5 s, then answers 503; a transaction
# left open is ended after 10 s, so that one stuck client cannot hold up the others.
REQUEST_LIMITS = (
    "-c lock_timeout=3000 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000"
)
# A job or a command works through many rows: as long as a task may take, but not for ever.
JOB_LIMITS = (
    "-c lock_timeout=10000 -c statement_timeout=240000 -c idle_in_transaction_session_timeout=60000"
)
# A migration may run long, but must not queue for a lock in front of the office's traffic.
OWNER_LIMITS = "-c lock_timeout=3000"
LIMITS = {"request": REQUEST_LIMITS, "job": JOB_LIMITS, "owner": OWNER_LIMITS}


def databases() -> dict[str, Any]:
    """Return DATABASES.

    DB_ROLE=owner, set by manage.py for commands that make or alter tables, chooses
    DATABASE_OWNER_URL. All else runs as the runtime role, which cannot touch a table's
    definition nor a posted ledger row. DB_LIMITS=job makes that one more patient.
    """
    owner = env.text("DB_ROLE", "app") == "owner"
    limits = "owner" if owner else env.text("DB_LIMITS", "request")
    if limits not in LIMITS:
        raise ImproperlyConfigured(f"DB_LIMITS must be one of {', '.join(LIMITS)}.")
    given = env.database("DATABASE_OWNER_URL") if owner else None
    given = given or env.database("DATABASE_URL")
    # Without an address Django is complete but for the connection: `check`, the schema
    # and the linters need no server, and manage.py starts one for everything else.
    connection = given or {"ENGINE": "django.db.backends.postgresql", "NAME": "chitfund"}
    return {
        "default": {
            **connection,
            "ATOMIC_REQUESTS": False,
            "CONN_MAX_AGE": env.integer("DATABASE_CONN_MAX_AGE", 300),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                **connection.get("OPTIONS", {}),
                "connect_timeout": 3,
                "application_name": "chitfund",
                "options": LIMITS[limits],
                # Measured together: 1.13 times the rate, 1.5 on a detail; either alone nothing.
                "server_side_binding": True,
                "prepare_threshold": 5,
            },
        }
    }


def caches() -> dict[str, Any]:
    """Return CACHES: Redis where there is one, else a table of the database.

    A cache that is down or hangs costs a request 250 ms, never an error.
    """
    redis = env.text("REDIS_URL", "")
    if not redis:
        return {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "django_cache",
            }
        }
    return {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": redis,
            "KEY_PREFIX": "chitfund",
            "OPTIONS": {
                "SOCKET_CONNECT_TIMEOUT": 0.25,
                "SOCKET_TIMEOUT": 0.25,
                # The client would try three times more, each with this patience.
                "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
