"""The bell rings after the commit, and a broken one costs nobody anything."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import pytest
from celery import Celery, shared_task
from django.db import transaction

from chitfund import doorbell
from chitfund.doorbell import LONGEST_BATCH, TracedTask, ring, ring_together
from chitfund.observability.trace import current_trace_id, traced

TASK = "tests.listen"
heard = []


@shared_task(name=TASK, base=TracedTask)
def listen(*args):
    heard.append((args, current_trace_id()))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    heard.clear()
    monkeypatch.setattr(doorbell._Silence, "until", 0.0)


@pytest.fixture
def published(monkeypatch):
    """Collect what would go to the broker."""
    sent = []

    def send_task(name, args, headers, **options):
        sent.append((name, args, options.get("queue"), headers))

    use_app(monkeypatch, send_task)
    return sent


def use_app(monkeypatch, send_task):
    app = SimpleNamespace(conf=SimpleNamespace(task_always_eager=False), send_task=send_task)
    monkeypatch.setattr(doorbell, "current_app", app)


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_before():
    with transaction.atomic():
        ring(TASK, "1")
        assert heard == []
    assert [args for args, _ in heard] == [("1",)]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_rings_nothing():
    with transaction.atomic():
        ring(TASK, "1")
        ring_together(TASK, "2")
        transaction.set_rollback(True)

    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_the_task_runs_under_the_trace_of_whoever_rang():
    with traced("trace-of-the-request"):
        ring(TASK, "1")

    assert heard == [(("1",), "trace-of-the-request")]


def test_a_task_that_nobody_rang_has_a_trace_of_its_own():
    listen.apply(("1",))
    listen.apply(("2",))

    first, second = (trace for _, trace in heard)
    assert first != second


@pytest.mark.django_db(transaction=True)
def test_a_message_carries_ids_the_queue_and_the_trace(published):
    with traced("trace-of-the-request"):
        ring(TASK, "1", queue="high")

    assert published == [(TASK, ("1",), "high", {"trace_id": "trace-of-the-request"})]


@pytest.mark.django_db(transaction=True)
def test_what_is_rung_together_is_one_message(published):
    with transaction.atomic():
        for n in range(3):
            ring_together(TASK, str(n))
        ring(TASK, "alone")
        ring_together("tests.other", "x")

    assert [(name, args) for name, args, *_ in published] == [
        (TASK, ("0", "1", "2")),
        (TASK, ("alone",)),
        ("tests.other", ("x",)),
    ]


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_has_a_message_of_its_own(published):
    for n in range(2):
        with transaction.atomic():
            ring_together(TASK, str(n))

    assert [args for _, args, *_ in published] == [("0",), ("1",)]


@pytest.mark.django_db(transaction=True)
def test_a_message_does_not_grow_for_ever(published):
    with transaction.atomic():
        for n in range(LONGEST_BATCH + 1):
            ring_together(TASK, str(n))

    assert [len(args) for _, args, *_ in published] == [LONGEST_BATCH, 1]


@pytest.mark.django_db(transaction=True)
def test_a_part_that_was_rolled_back_does_not_take_the_others_bell_with_it(published):
    with transaction.atomic():
        with transaction.atomic():
            ring_together(TASK, "lost")
            transaction.set_rollback(True)
        ring_together(TASK, "kept")

    assert [args for _, args, *_ in published] == [("kept",)]


def office_with_broker(monkeypatch, address):
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery would prefer it
    app = Celery("office", broker=address, set_as_current=False)
    app.conf.broker_connection_timeout = 1
    app.conf.broker_transport_options = {"socket_timeout": 1, "socket_connect_timeout": 1}
    use_app(monkeypatch, app.send_task)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_fails_nothing_and_is_left_alone_for_a_while(monkeypatch, caplog):
    office_with_broker(monkeypatch, "redis://127.0.0.1:1/0")
    ring(TASK, "1")
    assert [record.action for record in caplog.records] == ["task.not_rung"]

    monkeypatch.setattr(doorbell._Bell, "_publish", lambda self: heard.append(self.args))
    ring(TASK, "2")
    assert heard == []
    monkeypatch.setattr(doorbell._Silence, "until", time.monotonic())
    ring(TASK, "3")
    assert heard == [("3",)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_keeps_nobody_waiting(monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        office_with_broker(monkeypatch, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.monotonic()
        for n in range(3):
            ring(TASK, str(n))

    assert time.monotonic() - started < 2.5
