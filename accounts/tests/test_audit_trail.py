"""The chain over the audit trail, and everything that a superuser could do to it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import record_attempt_on_nobody, record_audit_event, row_hash
from accounts.models import AuditEvent, AuditSeal, Role, User
from accounts.services import audit_trail
from accounts.services.audit_trail import head_of_chain, seal_events, verify_trail
from accounts.tasks import seal_audit_events
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, UserFactory
from chitfund.jobs import find_job
from chitfund.testing import in_own_connection
from chitfund.testing.database import superuser_connection


@pytest.fixture
def chain(transactional_db):
    """Ten sealed events."""
    user = UserFactory.create()
    for number in range(10):
        record_audit_event(actor=user, verb="user.changed", target=user, number=number)
    assert seal_events() == 10
    return user


def tamper(*statements):
    """Do what no role of the office can: as superuser, with the triggers asleep."""
    with superuser_connection() as superuser:
        superuser.execute("SET session_replication_role = replica")
        for statement in statements:
            superuser.execute(statement)


def event_of(number):
    return f"(SELECT event_id FROM audit_seals WHERE number = {number})"


def verify(*arguments):
    out = StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def broken():
    found = verify_trail().broken
    return found and (found.rule, found.number)


def age(minutes):
    """Return a UUIDv7 of so many minutes ago, in SQL's words."""
    moment = timezone.now() - timedelta(minutes=minutes)
    return str(audit_trail.first_id_of(moment))


def copy_of_event(number, *, key):
    return f"""
        INSERT INTO audit_events SELECT (jsonb_populate_record(e,
            jsonb_build_object('id', '{key}', 'details', '{{"number": 66}}'::jsonb))).*
        FROM audit_events e WHERE id = {event_of(number)}
    """


@pytest.mark.django_db
def test_a_chain_begins_at_one_and_each_seal_holds_the_hash_before_it():
    user = UserFactory.create()
    for _ in range(3):
        record_audit_event(actor=user, verb="user.changed", target=user)

    assert seal_events() == 3
    assert seal_events() == 0  # nothing is sealed twice
    seals = list(AuditSeal.objects.order_by("number"))
    assert [seal.number for seal in seals] == [1, 2, 3]
    assert bytes(seals[0].previous_hash) == audit_trail.BEFORE_THE_FIRST
    assert bytes(seals[2].previous_hash) == bytes(seals[1].hash)
    assert [seal.event_id for seal in seals] == sorted(seal.event_id for seal in seals)
    assert verify_trail().broken is None


@pytest.mark.django_db
def test_the_canonical_text_names_every_column_of_an_event():
    """A column that is added and not sealed could be changed unseen."""
    for field in AuditEvent._meta.concrete_fields:
        assert f"e.{field.column}" in audit_trail._EVENT


@pytest.mark.django_db(transaction=True)
def test_an_untouched_trail_holds_and_tells_its_head(chain):
    head = head_of_chain()

    assert verify("--expect-head", str(head)) == (
        f"The audit trail holds: 10 seals checked.\nHead {head}\n"
    )
    told = json.loads(verify("--json", "--since", "8"))
    assert told == {
        "holds": True,
        "checked": 3,
        "head": {"number": 10, "hash": head.hash.hex()},
        "broken": None,
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "rule", "number"),
    [
        (["UPDATE audit_events SET details = '[]' WHERE id = {4}"], "event_changed", 4),
        (["UPDATE audit_events SET actor_id = NULL WHERE id = {4}"], "event_changed", 4),
        (["UPDATE audit_events SET after_hash = NULL WHERE id = {4}"], "event_changed", 4),
        (["UPDATE audit_events SET route = 'GET /' WHERE id = {4}"], "event_changed", 4),
        (
            ["UPDATE audit_events SET created_at = created_at + '1 microsecond' WHERE id = {4}"],
            "event_changed",
            4,
        ),
        (["DELETE FROM audit_events WHERE id = {4}"], "event_missing", 4),
        (["DELETE FROM audit_seals WHERE number = 4"], "seal_missing", 4),
        (["DELETE FROM audit_seals WHERE number = 1"], "seal_missing", 1),
        (
            ["UPDATE audit_seals SET hash = decode(repeat('ab', 32), 'hex') WHERE number = 4"],
            "event_changed",
            4,
        ),
        (
            [
                "UPDATE audit_seals SET previous_hash = decode(repeat('ab', 32), 'hex')"
                " WHERE number = 4"
            ],
            "chain_broken",
            4,
        ),
    ],
)  # fmt: skip
def test_what_a_superuser_changes_is_found_at_its_number(chain, change, rule, number):
    tamper(*(statement.format(*(event_of(n) for n in range(11))) for statement in change))

    assert broken() == (rule, number)
    with pytest.raises(CommandError, match=f"number {number}"):
        verify()


@pytest.mark.django_db(transaction=True)
def test_swapped_seals_are_found(chain):
    tamper(
        "CREATE TEMP TABLE swap AS SELECT number, event_id FROM audit_seals WHERE number IN (4, 5)",
        "DELETE FROM audit_seals WHERE number = 5",
        "UPDATE audit_seals SET event_id = (SELECT event_id FROM swap WHERE number = 5)"
        " WHERE number = 4",
        "INSERT INTO audit_seals (number, event_id, previous_hash, hash)"
        " SELECT 5, (SELECT event_id FROM swap WHERE number = 4), hash, hash"
        " FROM audit_seals WHERE number = 4",
    )

    assert broken() == ("event_changed", 4)


@pytest.mark.django_db(transaction=True)
def test_an_event_put_in_between_is_not_sealed_and_is_found(chain):
    tamper(copy_of_event(4, key=age(minutes=90)))

    assert seal_events() == 0  # the chain has gone past it
    assert broken() == ("event_unsealed", None)


@pytest.mark.django_db(transaction=True)
def test_an_event_put_in_between_with_a_seal_of_its_own_is_found(chain):
    """Sealed by the culprit at the end of the chain, hash and all."""
    key = age(minutes=90)
    tamper(copy_of_event(4, key=key))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id, {audit_trail._EVENT} FROM audit_events e WHERE id = %s", [key]
        )
        links = audit_trail._linked(head_of_chain(), cursor.fetchall())
        cursor.execute(audit_trail._INSERT, [list(column) for column in zip(*links, strict=True)])

    assert broken() == ("event_inserted", 11)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_the_future_stops_nobody_else_from_being_sealed(chain):
    tamper(copy_of_event(4, key=age(minutes=-600)))
    record_audit_event(actor=chain, verb="user.changed", target=chain)

    assert seal_events() == 1
    assert broken() == ("event_unsealed", None)


@pytest.mark.django_db(transaction=True)
def test_a_tail_that_was_cut_off_is_found_by_the_noted_head(chain):
    noted = head_of_chain()
    tamper(
        "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE number > 7)",
        "DELETE FROM audit_seals WHERE number > 7",
    )

    assert verify_trail().broken is None  # nothing inside the database tells
    with pytest.raises(CommandError, match=r"number 10.*noted_head_gone"):
        verify("--expect-head", str(noted))


@pytest.mark.django_db(transaction=True)
def test_a_tail_that_was_written_anew_is_found_by_the_noted_head(chain):
    noted = head_of_chain()
    tamper(
        "DELETE FROM audit_seals WHERE number > 7",
        "UPDATE audit_events SET details = '{}' WHERE id NOT IN (SELECT event_id FROM audit_seals)",
    )
    assert seal_events() == 3

    assert verify_trail().broken is None
    assert verify_trail(expected=noted).broken.rule == "noted_head_gone"


@pytest.mark.django_db
def test_what_is_no_head_is_refused():
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        verify("--expect-head", "10:abc")


@pytest.mark.django_db(transaction=True)
def test_an_event_that_waits_too_long_for_its_seal_is_found(chain, monkeypatch):
    record_audit_event(actor=chain, verb="user.changed", target=chain)
    assert verify_trail().broken is None

    monkeypatch.setattr(audit_trail, "SEALED_WITHIN", -timedelta(minutes=1))
    assert broken() == ("event_unsealed", None)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_sealed_after_those_that_overtook_it(chain):
    late = audit_trail.first_id_of(timezone.now() - timedelta(minutes=10))
    tamper(copy_of_event(4, key=late))

    assert seal_events() == 1
    assert AuditSeal.objects.get(event=late).number == 11
    assert verify_trail().broken is None


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain():
    user = UserFactory.create()
    for number in range(200):
        record_audit_event(actor=user, verb="user.changed", target=user, number=number)
    start = threading.Barrier(4)

    @in_own_connection
    def seal():
        start.wait(timeout=10)
        return sum(seal_events() for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        sealed = [pool.submit(seal) for _ in range(4)]
    assert sum(one.result() for one in sealed) == 200
    assert verify_trail().checked == 200
    assert verify_trail().broken is None


@pytest.mark.django_db(transaction=True)
def test_a_second_sealer_does_nothing_while_the_first_is_at_it(chain):
    record_audit_event(actor=chain, verb="user.changed", target=chain)
    held = superuser_connection()
    held.execute("SELECT pg_advisory_lock(%s)", [audit_trail.SEALER_LOCK])
    try:
        assert seal_events() == 0
    finally:
        held.close()
    # The lock goes with the connection, a moment after it.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(in_own_connection(_seal_when_free)).result(timeout=10)
    assert verify_trail().checked == 11


def _seal_when_free():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [audit_trail.SEALER_LOCK])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [audit_trail.SEALER_LOCK])
    assert seal_events() == 1


@pytest.mark.django_db(transaction=True)
def test_a_sealer_killed_between_two_batches_leaves_what_the_next_continues(monkeypatch):
    user = UserFactory.create()
    for number in range(10):
        record_audit_event(actor=user, verb="user.changed", target=user, number=number)
    monkeypatch.setattr(audit_trail, "BATCH", 4)
    whole_insert = audit_trail._linked
    batches = []

    def killed_in_the_second(head, events):
        batches.append(len(events))
        if len(batches) == 2:
            with superuser_connection() as superuser:
                superuser.execute(
                    "SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid]
                )
        return whole_insert(head, events)

    monkeypatch.setattr(audit_trail, "_linked", killed_in_the_second)
    with pytest.raises(DatabaseError):
        seal_events()
    connection.close()
    assert head_of_chain().number == 4  # the first batch whole, of the second nothing

    assert seal_events() == 6
    assert verify_trail().checked == 10
    assert verify_trail().broken is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_seals SET hash = previous_hash",
        "DELETE FROM audit_seals",
        "TRUNCATE audit_seals",
        "UPDATE audit_events SET details = '{}'",
        "DELETE FROM audit_events",
    ],
)
def test_the_runtime_role_cannot_touch_what_is_written(statement):
    user = UserFactory.create()
    record_audit_event(actor=user, verb="user.changed", target=user)
    seal_events()

    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_stopped_by_the_triggers(chain):
    with superuser_connection() as superuser, pytest.raises(Exception, match="never changed"):
        superuser.execute("UPDATE audit_seals SET hash = previous_hash")


@pytest.mark.django_db
def test_beat_seals_and_the_nightly_job_verifies(caplog):
    user = UserFactory.create()
    record_audit_event(actor=user, verb="user.changed", target=user)
    with caplog.at_level("INFO", logger="chitfund.audit"):
        assert seal_audit_events.apply().get() == 1
    logged = caplog.records[-1]
    assert (logged.number, logged.hash) == (1, head_of_chain().hash.hex())

    record_audit_event(actor=user, verb="user.changed", target=user)
    result = find_job("verify_audit")(timezone.now().date())
    assert result == {"sealed": 1, "checked": 2, "head": str(head_of_chain()), "broken": None}


@pytest.mark.django_db(transaction=True)
def test_the_nightly_job_says_in_the_log_what_does_not_hold(chain, caplog):
    tamper("DELETE FROM audit_seals WHERE number = 4")

    result = find_job("verify_audit")(timezone.now().date())
    assert result["broken"] == "seal_missing"
    assert [(r.action, r.number) for r in caplog.records if r.levelname == "ERROR"] == [
        ("audit.broken", 4)
    ]


# -- before, after, and where from ---------------------------------------------------------


@pytest.mark.django_db
def test_an_event_begins_where_the_last_one_of_its_row_ended():
    user, other = UserFactory.create(), UserFactory.create()
    first = record_audit_event(actor=user, verb="user.changed", target=user)
    record_audit_event(actor=user, verb="user.changed", target=other)
    user.full_name = "Somebody Else"
    user.save()
    second = record_audit_event(actor=user, verb="user.changed", target=user)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.before_hash is None
    assert bytes(second.before_hash) == bytes(first.after_hash)
    assert bytes(second.after_hash) != bytes(first.after_hash)


@pytest.mark.django_db
def test_a_row_hashes_the_same_before_and_after_its_trip_to_the_database():
    user = UserFactory.create(role=Role.USER)
    assert row_hash(user) == row_hash(User.objects.get(pk=user.pk))


@pytest.mark.django_db
def test_a_row_of_which_a_value_is_not_known_has_no_hash():
    user = UserFactory.create()
    assert row_hash(User.objects.only("pk").get(pk=user.pk)) is None


@pytest.mark.django_db
def test_a_hash_needs_the_key_of_the_office(settings):
    user = UserFactory.create()
    ours = row_hash(user)
    settings.PII_INDEX_KEY = "another key of the same length 0123456789"
    assert row_hash(user) != ours


@pytest.mark.django_db
def test_an_event_costs_one_statement():
    user = UserFactory.create()
    record_audit_event(actor=user, verb="user.changed", target=user)
    with CaptureQueriesContext(connection) as asked:
        record_audit_event(actor=user, verb="user.changed", target=user)
    of_the_trail = [query["sql"] for query in asked if "business_clock" not in query["sql"]]
    assert len(of_the_trail) == 1


@pytest.mark.django_db
def test_an_attempt_on_nobody_has_no_row_to_hash():
    event = record_attempt_on_nobody(verb="user.sign_in_failed")
    event.refresh_from_db()
    assert (event.before_hash, event.after_hash) == (None, None)


@pytest.mark.django_db
def test_an_event_tells_address_and_route_and_no_id_of_the_path():
    admin, user = AdminFactory.create(), UserFactory.create()
    answer = client_for(admin).post(
        f"/api/users/{user.pk}/suspend", {"reason": "as decided"}, REMOTE_ADDR="192.0.2.7"
    )
    assert answer.status_code == 200

    event = AuditEvent.objects.get(verb="user.suspended")
    assert event.ip_address == "192.0.2.7"
    assert event.route == "POST /api/users/{pk}/suspend"


@pytest.mark.django_db
def test_an_event_of_a_job_has_neither_address_nor_route():
    user = UserFactory.create()
    event = record_audit_event(actor=None, verb="user.changed", target=user)
    assert (event.ip_address, event.route) == (None, "")
