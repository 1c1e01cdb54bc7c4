"""The daily jobs, started by beat."""

from __future__ import annotations

from celery import shared_task
from django.db import OperationalError

from accounts import jobs
from accounts.services.audit_trail import seal_events
from chitfund.business_date import business_date
from chitfund.doorbell import TracedTask
from chitfund.jobs import find_job


@shared_task(
    name="accounts.run_job",
    base=TracedTask,
    acks_late=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def run_job(name: str) -> int:
    """Do a daily job for today and for the days it missed. Safe to start twice."""
    return len(jobs.run_daily(name, find_job(name), as_of=business_date()))


@shared_task(
    name="accounts.seal_audit_events",
    base=TracedTask,
    acks_late=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def seal_audit_events() -> int:
    """Seal the audit events that wait for it. Safe to run twice at once."""
    return seal_events()
