"""The broker's settings: no request hangs on it, no task runs twice at once, no password shows."""

import threading

import pytest
from celery import current_app
from django.conf import settings

from chitfund.celery import app
from chitfund.settings.queue import QUEUES, VISIBILITY_TIMEOUT, celery_settings


@pytest.fixture
def broker(monkeypatch):
    def configured(url: str) -> dict:
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        return celery_settings()

    return configured


def test_the_queue_of_the_database_is_reached_without_showing_its_password(broker):
    found = broker("pgmq://chitfund_queue:f00dcafe@127.0.0.1:5433/chitfund_queue")
    options = found["CELERY_BROKER_TRANSPORT_OPTIONS"]

    assert found["CELERY_BROKER_URL"] == "pgmq://"
    assert options["conn_string"] == (
        "host=127.0.0.1 port=5433 dbname=chitfund_queue user=chitfund_queue password=f00dcafe"
    )
    assert options["pool_timeout"] == 1  # else publishing waits 30 s for a dead server
    assert options["use_notify"]
    assert not options["init_extension"]


def test_a_hung_redis_holds_nobody_longer_than_a_second(broker):
    options = broker("redis://redis:6379/1")["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (1, 1)


def test_redis_is_the_broker_where_no_other_is_named(broker, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/0")
    assert broker("")["CELERY_BROKER_URL"] == "redis://redis:6379/0"


def test_a_task_ends_before_a_second_worker_may_take_it():
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < VISIBILITY_TIMEOUT


def test_a_task_is_acknowledged_after_its_work_and_rung_once():
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert not app.conf.task_publish_retry
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_task_rung_in_another_thread_goes_to_the_same_broker():
    found = []
    thread = threading.Thread(target=lambda: found.append(current_app.main))
    thread.start()
    thread.join()
    assert found == ["chitfund"]


def test_every_scheduled_job_is_a_task_that_exists():
    app.loader.import_default_modules()
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
        assert entry.get("options", {}).get("queue", "default") in QUEUES, name
