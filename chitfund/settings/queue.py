"""Celery's settings for the two brokers: PGMQ in PostgreSQL, or Redis."""

from typing import Any
from urllib.parse import unquote, urlsplit

from kombu import Exchange, Queue

from chitfund.settings import env

QUEUES = ("high", "default", "reports")
TASK_TIME_LIMIT = 300
# Longer than any task may run, or a second worker would start it while the first still works.
VISIBILITY_TIMEOUT = 900

EVERYWHERE: dict[str, Any] = {
    "CELERY_ACCEPT_CONTENT": ["json"],
    "CELERY_BEAT_SCHEDULER": "django_celery_beat.schedulers:DatabaseScheduler",
    "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
    "CELERY_BROKER_CONNECTION_TIMEOUT": 1,
    "CELERY_ENABLE_UTC": True,
    "CELERY_RESULT_BACKEND": None,
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_TASK_DEFAULT_QUEUE": "default",
    "CELERY_TASK_CREATE_MISSING_QUEUES": False,
    "CELERY_TASK_IGNORE_RESULT": True,
    # Rung after the commit: if the bell is broken the sweeper finds the row, so one try is enough.
    "CELERY_TASK_PUBLISH_RETRY": False,
    "CELERY_TASK_PUBLISH_RETRY_POLICY": {"max_retries": 0},
    "CELERY_TASK_QUEUES": [
        Queue(name, Exchange(name, type="direct"), routing_key=name) for name in QUEUES
    ],
    "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
    "CELERY_TASK_SOFT_TIME_LIMIT": 240,
    "CELERY_TASK_TIME_LIMIT": TASK_TIME_LIMIT,
    "CELERY_TIMEZONE": "Asia/Kolkata",
    "CELERY_WORKER_ENABLE_REMOTE_CONTROL": False,
    "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    "CELERY_WORKER_SEND_TASK_EVENTS": False,
    "CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT": 8,
}


def celery_settings() -> dict[str, Any]:
    """Return every CELERY_ setting for the broker of CELERY_BROKER_URL or REDIS_URL."""
    broker = env.text("CELERY_BROKER_URL", "") or env.text("REDIS_URL", "") or "memory://"
    settings = {**EVERYWHERE, "CELERY_BROKER_URL": broker}
    if broker.startswith("pgmq:"):
        # The address is in the options: in the URL it would be shown at the worker's start.
        settings["CELERY_BROKER_URL"] = "pgmq://"
        settings["CELERY_BROKER_TRANSPORT_OPTIONS"] = _pgmq_transport(broker)
    elif broker.startswith("redis"):
        settings["CELERY_BROKER_TRANSPORT_OPTIONS"] = _redis_transport()
    return settings


def _redis_transport() -> dict[str, Any]:
    """Return kombu's options for Redis: with its defaults a hung broker hangs the caller."""
    return {
        "global_keyprefix": env.text("QUEUE_PREFIX", ""),
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "retry_on_timeout": True,
    }


def _pgmq_transport(broker: str) -> dict[str, Any]:
    """Return kombu's options for PGMQ.

    Measured: 10 ms to a task. With kombu's own defaults a task waits 2 to 4 s, and
    publishing blocks for 30 s while PostgreSQL is down.
    """
    parts = urlsplit(broker)
    return {
        "conn_string": (
            f"host={parts.hostname} port={parts.port or 5432} dbname={parts.path[1:]} "
            f"user={unquote(parts.username or '')} password={unquote(parts.password or '')}"
        ),
        "init_extension": False,
        # Every task rings: a bell held back costs the task a whole polling interval.
        "notify_throttle_interval_ms": 0,
        "queue_name_prefix": env.text("QUEUE_PREFIX", ""),
        "pool_size": 4,
        "pool_timeout": 1,
        # Idle cost 3 % of a core; at 1 s a burst of a hundred tasks takes 23 s instead of 3.
        "polling_interval": 0.1,
        "use_notify": True,
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "wait_time_seconds": 0,
    }
