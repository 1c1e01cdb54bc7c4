"""One run a business date, in order, whoever starts it (reliability.md rows 33 and 37)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.jobs import MOST_DAYS, STALE_AFTER, run_daily
from accounts.models import BusinessClock, JobRun, JobStatus
from accounts.tasks import run_job
from chitfund.beat import CELERY_BEAT_SCHEDULE
from chitfund.exceptions import DomainError
from chitfund.jobs import JOBS, find_job
from chitfund.testing import in_own_connection

MONDAY = date(2026, 6, 1)


class Worker:
    """A job that remembers its days and fails on those it is told to."""

    def __init__(self, *failing):
        self.days = []
        self.failing = set(failing)

    def __call__(self, day):
        self.days.append(day)
        if day in self.failing:
            raise ZeroDivisionError("9840012345 is somebody's number")
        return {"count": len(self.days)}


def days_after(day, count):
    return [day + timedelta(days=n) for n in range(1, count + 1)]


@pytest.mark.django_db
def test_the_first_run_ever_does_its_own_day_only():
    worker = Worker()
    (run,) = run_daily("job", worker, as_of=MONDAY)

    assert worker.days == [MONDAY]
    assert (run.status, run.result) == (JobStatus.DONE, {"count": 1})
    assert run.finished_at is not None


@pytest.mark.django_db
def test_a_day_that_is_done_is_not_done_again():
    worker = Worker()
    run_daily("job", worker, as_of=MONDAY)

    assert run_daily("job", worker, as_of=MONDAY) == []
    assert worker.days == [MONDAY]


@pytest.mark.django_db
def test_missed_days_are_done_once_each_and_in_order():
    worker = Worker()
    run_daily("job", worker, as_of=MONDAY)
    run_daily("job", worker, as_of=MONDAY + timedelta(days=4))

    assert worker.days == [MONDAY, *days_after(MONDAY, 4)]


@pytest.mark.django_db
def test_no_more_than_a_month_is_caught_up():
    worker = Worker()
    run_daily("job", worker, as_of=MONDAY)
    later = MONDAY + timedelta(days=100)
    run_daily("job", worker, as_of=later)

    assert len(worker.days) == 1 + MOST_DAYS
    assert (worker.days[1], worker.days[-1]) == (later - timedelta(days=MOST_DAYS - 1), later)


@pytest.mark.django_db
def test_jobs_have_days_of_their_own():
    one, two = Worker(), Worker()
    run_daily("one", one, as_of=MONDAY)
    run_daily("two", two, as_of=MONDAY)

    assert one.days == two.days == [MONDAY]


@pytest.mark.django_db
def test_an_earlier_day_asked_for_by_name_is_done_alone():
    worker = Worker()
    run_daily("job", worker, as_of=MONDAY)
    earlier = MONDAY - timedelta(days=10)
    run_daily("job", worker, as_of=earlier)

    assert worker.days == [MONDAY, earlier]


@pytest.mark.django_db
def test_a_failed_day_stops_the_later_ones_and_is_tried_again_first():
    worker = Worker()
    run_daily("job", worker, as_of=MONDAY)
    tuesday, wednesday, thursday = days_after(MONDAY, 3)
    broken = Worker(wednesday)
    runs = run_daily("job", broken, as_of=thursday)

    assert broken.days == [tuesday, wednesday]
    assert [run.status for run in runs] == [JobStatus.DONE, JobStatus.FAILED]

    mended = Worker()
    run_daily("job", mended, as_of=thursday)
    assert mended.days == [wednesday, thursday]
    assert JobRun.objects.get(business_date=wednesday).attempts == 2


@pytest.mark.django_db
def test_a_failure_is_told_without_what_it_was_about():
    (run,) = run_daily("job", Worker(MONDAY), as_of=MONDAY)

    run.refresh_from_db()
    assert run.error.startswith("ZeroDivisionError in __call__")
    assert "98400" not in run.error


@pytest.mark.django_db
def test_a_refusal_of_ours_is_told_in_its_own_words():
    def refuse(day):
        raise DomainError("There is no tax rate for this day.")

    (run,) = run_daily("job", refuse, as_of=MONDAY)

    assert run.error == "There is no tax rate for this day."


def running(since):
    return JobRun.objects.create(job="job", business_date=MONDAY, started_at=timezone.now() - since)


@pytest.mark.django_db
def test_a_day_that_somebody_is_at_is_left_to_them_and_so_is_what_follows():
    JobRun.objects.create(
        job="job",
        business_date=MONDAY - timedelta(days=1),
        status=JobStatus.DONE,
        started_at=timezone.now(),
    )
    running(timedelta(minutes=14))
    worker = Worker()

    assert run_daily("job", worker, as_of=MONDAY + timedelta(days=1)) == []
    assert worker.days == []


@pytest.mark.django_db
def test_a_day_whose_runner_died_is_taken_over():
    running(STALE_AFTER + timedelta(seconds=1))
    worker = Worker()
    (run,) = run_daily("job", worker, as_of=MONDAY)

    assert (run.status, run.attempts) == (JobStatus.DONE, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.DONE])
def test_a_runner_that_comes_back_from_the_dead_changes_nothing(status):
    def slow(day):
        JobRun.objects.update(attempts=2, status=status, result={"by": "the other"})
        return {"by": "the late one"}

    run_daily("job", slow, as_of=MONDAY)

    run = JobRun.objects.get()
    assert (run.status, run.result) == (status, {"by": "the other"})


@pytest.mark.django_db(transaction=True)
def test_started_eight_times_at_once_a_day_is_done_once():
    worker = Worker()
    gate = threading.Barrier(8, timeout=10)

    def start(_):
        gate.wait()
        return run_daily("job", worker, as_of=MONDAY)

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(in_own_connection(start), range(8)))

    assert worker.days == [MONDAY]
    assert sorted(len(run) for run in runs) == [0] * 7 + [1]


@pytest.mark.django_db
def test_the_database_keeps_one_row_a_job_and_day():
    running(timedelta(0))
    with pytest.raises(IntegrityError), transaction.atomic():
        running(timedelta(0))


@pytest.mark.django_db
def test_the_task_goes_by_the_business_date():
    BusinessClock.objects.create(moved_to=MONDAY)

    assert run_job("purge_expired_records") == 1
    assert JobRun.objects.get().business_date == MONDAY


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_that_is_named_exists(name):
    assert callable(find_job(name))


def test_beat_starts_only_jobs_and_tasks_that_exist():
    from celery import current_app

    current_app.loader.import_default_modules()
    for entry in CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in current_app.tasks
        if entry["task"] == run_job.name:
            assert entry["args"][0] in JOBS


@pytest.mark.django_db
def test_the_command_tells_how_each_day_went(capsys, monkeypatch):
    worker = Worker(MONDAY + timedelta(days=1))
    monkeypatch.setattr("accounts.management.commands.run_job.find_job", lambda name: worker)
    call_command("run_job", "job", "--as-of", "2026-06-01")
    call_command("run_job", "job", "--as-of", "2026-06-01")
    with pytest.raises(CommandError, match=r"failed on 2026-06-02"):
        call_command("run_job", "job", "--as-of", "2026-06-02")

    assert capsys.readouterr().out.splitlines() == [
        'job 2026-06-01 DONE {"count": 1}',
        "job 2026-06-01: nothing to do.",
        JobRun.objects.latest("business_date").error.join(["job 2026-06-02 FAILED ", ""]),
    ]


@pytest.mark.django_db
def test_the_command_knows_its_jobs():
    with pytest.raises(CommandError, match="purge_expired_records"):
        call_command("run_job", "make_coffee")
