"""The daily jobs by name: what `run_job` and beat may start.

Each is a function that takes a business date and returns a dict of counts. They are named
by their path, like the apps in the settings, so that this floor imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.module_loading import import_string

from chitfund.exceptions import NotFound

Work = Callable[[date], dict[str, Any]]

JOBS: dict[str, str] = {
    "check_ledger": "payments.jobs.check_ledger_nightly",
    "purge_expired_records": "accounts.purge.purge_expired_records",
    "remind_due_installments": "payments.jobs.remind_due",
    "verify_audit": "accounts.services.audit_trail.verify_audit_nightly",
}


def find_job(name: str) -> Work:
    """Return a job's function, or raise NotFound naming those that there are."""
    if name not in JOBS:
        raise NotFound(f"There is no job {name}. There are: {', '.join(sorted(JOBS))}.")
    work: Work = import_string(JOBS[name])
    return work
