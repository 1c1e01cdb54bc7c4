"""One run of a job a business date, in order, whoever starts it and however often."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Max, Q
from django.utils import timezone

from accounts.models import JobRun, JobStatus
from chitfund.exceptions import DomainError
from chitfund.observability.trace import traced

logger = logging.getLogger("chitfund.jobs")

Work = Callable[[date], dict[str, Any]]
# Longer than any task may run: whoever is at it for so long has died.
STALE_AFTER = timedelta(minutes=15)
MOST_DAYS = 31
ERROR_LENGTH = 500


def run_daily(job: str, work: Work, *, as_of: date) -> list[JobRun]:
    """Do the job for every day since its last one up to `as_of`, each once and in order.

    Stops at a day that fails or that somebody else is at, so that no later day is done
    before it; the next start goes on from there. Returns the runs that this call made.
    """
    runs: list[JobRun] = []
    for day in _days_owed(job, as_of):
        run = run_day(job, work, day=day)
        if run is not None:
            runs.append(run)
        if not JobRun.objects.filter(job=job, business_date=day, status=JobStatus.DONE).exists():
            break
    return runs


def run_day(job: str, work: Work, *, day: date) -> JobRun | None:
    """Do the job for one day, or return None when it is done or somebody is at it."""
    run = _claim(job, day)
    if run is None:
        return None
    with traced():
        try:
            result = work(day)
        except Exception as exc:
            _finish(run, status=JobStatus.FAILED, error=_reason(exc))
            logger.exception("job failed", extra=_told(run, "job.failed"))
        else:
            _finish(run, status=JobStatus.DONE, result=result)
            logger.info("job done", extra=_told(run, "job.done"))
    return run


def _days_owed(job: str, as_of: date) -> Iterator[date]:
    """Yield what is owed: the days since the last done one, `as_of` alone at the first run."""
    done = JobRun.objects.filter(job=job, status=JobStatus.DONE, business_date__lte=as_of)
    last = done.aggregate(last=Max("business_date"))["last"]
    first = max(last + timedelta(days=1), as_of - timedelta(days=MOST_DAYS - 1)) if last else as_of
    for offset in range((as_of - first).days + 1):
        yield first + timedelta(days=offset)


def _claim(job: str, day: date) -> JobRun | None:
    """Insert the day's run; of many who try one gets it. A failed or dead run is taken over."""
    now = timezone.now()
    run, is_new = JobRun.objects.get_or_create(
        job=job, business_date=day, defaults={"started_at": now}
    )
    if is_new:
        return run
    is_dead = Q(status=JobStatus.RUNNING, started_at__lt=now - STALE_AFTER)
    taken = JobRun.objects.filter(Q(status=JobStatus.FAILED) | is_dead, pk=run.pk).update(
        status=JobStatus.RUNNING,
        attempts=F("attempts") + 1,
        started_at=now,
        finished_at=None,
        error="",
    )
    if not taken:
        return None
    run.refresh_from_db()
    return run


def _finish(run: JobRun, *, status: JobStatus, **values: Any) -> None:
    """Write how it went, unless the run was given up for dead and taken over meanwhile."""
    values |= {"status": status, "finished_at": timezone.now()}
    mine = JobRun.objects.filter(pk=run.pk, status=JobStatus.RUNNING, attempts=run.attempts)
    mine.update(**values)
    for name, value in values.items():
        setattr(run, name, value)


def _reason(exc: Exception) -> str:
    """Return the kind and the place of a failure; its text may hold personal data."""
    if isinstance(exc, DomainError):
        return exc.message[:ERROR_LENGTH]
    place = traceback.extract_tb(exc.__traceback__)[-1]
    return f"{type(exc).__name__} in {place.name}, line {place.lineno}"[:ERROR_LENGTH]


def _told(run: JobRun, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "job": run.job,
        "business_date": run.business_date,
        "attempts": run.attempts,
    }
