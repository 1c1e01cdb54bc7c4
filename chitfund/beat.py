"""When each scheduled job runs, in Indian time.

Synchronised into the database when beat starts; a job that the admin switched off there
stays off. Each job begins by claiming its business date and catches up missed days, so a
time here is a wish and not a promise.
"""

from typing import Any

from celery.schedules import crontab


def every_minute(task: str) -> dict[str, Any]:
    """Return the entry of a sweep: it finds the rows whose bell was not heard."""
    return {"task": task, "schedule": 60.0, "options": {"expires": 60}}


def every_hour_from(hour: int, minute: int, job: str) -> dict[str, Any]:
    """Return the entry of a daily job: its time, and each hour after it for what went wrong.

    A day that is done is not done again, so the later starts only finish or catch up.
    """
    return {
        "task": "accounts.run_job",
        "schedule": crontab(minute=str(minute), hour=f"{hour}-23"),
        "args": (job,),
        "options": {"expires": 3600},
    }


CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "deliver_notifications": every_minute("notifications.deliver"),
    "send_account_mails": every_minute("notifications.send_account_mails"),
    "send_one_time_codes": every_minute("notifications.send_one_time_codes"),
    "seal_audit_events": every_minute("accounts.seal_audit_events"),
    "hold_auctions_on_time": every_minute("payments.hold_auctions_on_time"),
    "check_ledger": every_hour_from(1, 30, "check_ledger"),
    "verify_audit": every_hour_from(2, 20, "verify_audit"),
    "remind_due_installments": every_hour_from(9, 0, "remind_due_installments"),
    "purge_expired_records": every_hour_from(3, 10, "purge_expired_records"),
}
