"""Is the process alive; can it do its work."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from chitfund.observability.metrics import uncounted_requests


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process answers at all; asks nothing of anybody else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and is migrated, else 503 naming what is missing."""
    checks = {"database": _database(), "cache": _cache(), "throttles": _throttles()}
    is_ready = checks["database"] == "ok"  # without its cache the office only gets slower
    is_degraded = set(checks.values()) != {"ok"}
    return JsonResponse(
        {
            "status": "ok" if is_ready else "unavailable",
            "degraded": is_degraded,
            "checks": checks,
        },
        status=200 if is_ready else 503,
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "no answer"
    return "not migrated" if plan else "ok"


def _cache() -> str:
    try:
        cache.set("readyz", settings.API_VERSION, 5)
        is_kept = cache.get("readyz") == settings.API_VERSION
    except (DatabaseError, ConnectionError, TimeoutError):
        return "no answer"
    # The Redis client is told to be silent about its errors: only what it keeps tells.
    return "ok" if is_kept else "no answer"


def _throttles() -> str:
    """Tell whether this process has lately let requests through uncounted."""
    return "not counting" if uncounted_requests.is_degraded else "ok"
