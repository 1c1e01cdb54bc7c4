"""The tests' own ground: whose role they run as, and what is left after one that commits."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.utils import timezone

from chitfund.celery import app
from chitfund.testing import in_own_connection, wait_for_blocked_query
from chitfund.testing.database import TestDatabase


def make_session(key: str) -> Session:
    return Session.objects.create(session_key=key, session_data="", expire_date=timezone.now())


@pytest.fixture
def copy(transactional_db):
    copy = TestDatabase(urlsplit(os.environ["DATABASE_URL"]).path[1:])
    yield copy
    copy.connection.close()


@pytest.mark.django_db
def test_tests_run_as_the_runtime_role():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("chitfund_app", False)


@pytest.mark.django_db
def test_the_runtime_role_makes_no_table():
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("CREATE TABLE hidden_till (id int)")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("lock_timeout", "3s"),
        ("statement_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ],
)
def test_a_request_never_waits_for_ever(limit, value):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {limit}")
        assert cursor.fetchone() == (value,)


def test_a_test_that_commits_leaves_what_the_migrations_left(copy):
    types = set(ContentType.objects.values_list("pk", "app_label", "model"))
    make_session("committed")
    ContentType.objects.filter(model="session").update(model="renamed")
    ContentType.objects.filter(model="permission").delete()

    copy.empty()
    assert not Session.objects.exists()
    assert set(ContentType.objects.values_list("pk", "app_label", "model")) == types


def test_even_rows_that_nobody_may_delete_are_cleared(copy):
    make_session("for ever")
    copy.connection.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
        CREATE TRIGGER append_only BEFORE DELETE ON django_session
            FOR EACH ROW EXECUTE FUNCTION refuse();
    """)
    try:
        with pytest.raises(Exception, match="append-only"):
            Session.objects.all().delete()
        copy.empty()
        assert not Session.objects.exists()
    finally:
        copy.connection.execute("DROP FUNCTION refuse CASCADE")


def test_a_rival_is_seen_waiting_for_the_lock(transactional_db):
    make_session("wanted")

    def take() -> str:
        with transaction.atomic():
            return Session.objects.select_for_update().get().session_data

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Session.objects.select_for_update().get()
            late = pool.submit(in_own_connection(take))
            wait_for_blocked_query()
            Session.objects.update(session_data="changed while it waited")
        assert late.result(timeout=5) == "changed while it waited"


def test_waiting_for_a_rival_that_never_comes_fails(transactional_db):
    with pytest.raises(AssertionError, match="Fewer than 1 queries were blocked"):
        wait_for_blocked_query(timeout=0.1)


def test_a_lock_is_given_up_after_three_seconds(transactional_db):
    make_session("held")
    with psycopg.connect(os.environ["DATABASE_URL"]) as holder:
        holder.execute("SELECT 1 FROM django_session FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            Session.objects.select_for_update().get()
        assert 2.5 < time.monotonic() - began < 4.5


def test_a_live_office_answers_from_this_database(live_office):
    assert httpx.get(f"{live_office}/healthz").status_code == 200


def test_a_live_worker_takes_what_is_rung(live_worker):
    queue = "default"
    app.tasks["celery.accumulate"].apply_async([1], queue=queue)
    deadline = time.monotonic() + 20
    while waiting(queue) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert waiting(queue) == 0, live_worker.last_words()


def waiting(queue: str) -> int:
    with app.connection_for_read() as broker:
        # Not `queue_declare`: in Redis an empty queue does not exist.
        return broker.default_channel._size(queue)
