"""Nobody writes a field that is not theirs to write, or reads one that is not shown to them.

reliability.md row 21. Operations come from the API's own description, so a new route is covered
when it is there. Two things are compared with `fields.json`: what each operation takes, and every
key that an answer may have. After a change that you mean, look at what changed and write it down:

    UPDATE_FIELDS=1 .venv/bin/python -m pytest tests/authz/test_fields.py -q -n0
    git diff tests/authz/fields.json

The other half sends each forbidden field to each operation that writes, beside a body that is
accepted where we know one, and compares the protected columns of all tables with what the same
request without that field leaves. Every request is rolled back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import ConsentPurpose, User
from accounts.notices import CURRENT_VERSIONS
from accounts.tests.api import client_for
from accounts.tests.test_foremen import BUSINESS
from accounts.tests.test_profiles import ACCOUNT, ADDRESS, NOMINEE
from accounts.views.users import UserViewSet
from tests.authz.operations import WRITES, Operation, keys_in, operations, sample_of
from tests.authz.world import ANOTHER, World

SNAPSHOT = Path(__file__).with_name("fields.json")
IS_UPDATING = os.environ.get("UPDATE_FIELDS") == "1"
APPS = ("accounts", "kyc", "schemes", "subscriptions", "auctions", "payments", "notifications")
LEAST_ACCEPTED = 30
LATEST_FORGED = 2020
MOST_TRIES = 8

# What is sent to everything that writes; names that an operation takes by contract are left out.
FORBIDDEN: dict[str, Any] = {
    "id": ANOTHER,
    "user": ANOTHER,
    "user_id": ANOTHER,
    "role": "ADMIN",
    "status": "ACTIVE",
    "ucfsin": "UCFSIN-1999-000001",
    "chit_score": 900,
    "kyc_status": "VERIFIED",
    "verification_status": "VERIFIED",
    "verified_at": "2020-01-01T00:00:00Z",
    "email_verified_at": "2020-01-01T00:00:00Z",
    "foreman_approved_at": "2020-01-01T00:00:00Z",
    "foreman_approved_by": ANOTHER,
    "token_version": 99,
    "is_staff": True,
    "is_active": True,
    "is_superuser": True,
    "user_permissions": [1],
    "groups": [1],
    "password_hash": "x",
    "foreman": ANOTHER,
    "subscriber": ANOTHER,
    "amount": "1.00",
    "net_amount": "1.00",
    "total_amount": "1.00",
    "outstanding": "0.00",
    "advance": "1000.00",
    "paid_at": "2020-01-01T00:00:00Z",
    "prized_at": "2020-01-01T00:00:00Z",
    "receipt_number": "R/1999-00/000001",
    "recorded_by": ANOTHER,
    "approved_by": ANOTHER,
    "decided_by": ANOTHER,
    "is_primary": True,
    "current_subscribers": 1,
    "sanction_number": "PSO-1999-000001",
    "created_at": "2020-01-01T00:00:00Z",
}
PROTECTED = FORBIDDEN.keys() | {
    "password", "phone_verified_at", "reviewed_by", "submitted_at", "approved_at", "winner",
    "discount", "prize_amount", "purpose", "version", "granted",
}  # fmt: skip
# Never in any answer, whatever the snapshot says.
SECRET = frozenset(
    {"password", "password_hash", "token_version", "is_superuser", "token_hash", "number_sealed",
     "number_index", "pan_sealed", "pan_index", "user_permissions"}
)  # fmt: skip
REASON = {"reason": "as decided in the meeting"}
TERMS = {
    "name": "Temple Street Chit",
    "monthly_installment": "2000.00",
    "max_subscribers": 20,
    "duration_months": 20,
    "start_date": "2030-01-01",
}
BODIES: dict[str, Any] = {
    "PUT /api/users/{id}": {"full_name": "New Name", "phone_number": "9812345670"},
    "PATCH /api/users/{id}": {"full_name": "New Name"},
    "POST /api/users": {
        "full_name": "Somebody Else",
        "email": "else@example.com",
        "phone_number": "9812345671",
    },
    "POST /api/auth/register": {
        "full_name": "Third Person",
        "email": "third@example.com",
        "phone_number": "9812345672",
        "password": "a long and quiet river",
        "date_of_birth": "1990-01-01",
    },
    "PUT /api/users/{id}/profile": {"permanent_address": ADDRESS, "occupation": "FARMER"},
    "PATCH /api/users/{id}/profile": {"permanent_address": ADDRESS},
    "PUT /api/users/{id}/nominees": {"nominees": [NOMINEE]},
    "POST /api/users/{id}/bank-accounts": ACCOUNT,
    "POST /api/users/{id}/consents": {
        "purpose": "TERMS",
        "version": CURRENT_VERSIONS[ConsentPurpose.TERMS],
        "granted": True,
    },
    "PUT /api/users/{id}/foreman-profile": BUSINESS,
    "POST /api/users/{id}/role": REASON | {"role": "USER"},
    "POST /api/schemes": TERMS,
    "PUT /api/schemes/{id}": TERMS,
    "PATCH /api/schemes/{id}": {"name": "Another Name"},
    "POST /api/schemes/{id}/commence": {},
    "POST /api/schemes/{id}/approve": {"comment": "In order."},
    "PUT /api/subscriptions/{id}": {"contact_preference": "SMS"},
    "PATCH /api/subscriptions/{id}": {"contact_preference": "SMS"},
    "POST /api/payouts/{id}/approve": {"security": "Two sureties", "comment": "Seen."},
}


# What an operation takes, and what an answer may have


def snapshot() -> dict[str, dict[str, list[str]]]:
    return json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.exists() else {}


def documented() -> dict[str, dict[str, list[str]]]:
    return {
        operation.name: {"request": [*operation.request], "response": [*operation.response]}
        for operation in operations()
    }


def write_down(seen: dict[str, set[str]]) -> None:
    rows = documented()
    for name, keys in seen.items():
        rows[name]["response"] = sorted({*rows[name]["response"], *keys})
    SNAPSHOT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


@pytest.fixture(name="world")
def _world(db: None, settings: Any) -> World:
    # Hashing is slow on purpose, and is not what is asked about here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return World()


def test_every_operation_takes_and_answers_what_the_list_allows(world: World):
    seen = everything_answered(world)
    if IS_UPDATING:
        write_down(seen)
    allowed = snapshot()
    assert {operation.name for operation in operations()} == allowed.keys()
    for operation in operations():
        row = allowed[operation.name]
        assert [*operation.request] == row["request"], operation.name
        extra = {*operation.response, *seen.get(operation.name, ())} - {*row["response"]}
        assert not extra, f"{operation.name} shows {sorted(extra)}"
    assert len(seen) >= LEAST_ACCEPTED


def test_no_answer_has_a_secret_in_it():
    for name, row in snapshot().items():
        shown = {part for key in row["response"] for part in key.split(".")}
        assert not shown & SECRET, name


def everything_answered(world: World) -> dict[str, set[str]]:
    """Read everything as everybody, and return the keys that came, by operation."""
    seen: dict[str, set[str]] = {}
    clients = {name: client_for(person) for name, person in world.personas().items()}
    for operation in operations():
        if operation.method != "get":
            continue
        for persona, client in clients.items():
            person = world.personas()[persona]
            for path in [*world.paths(operation.path, person)][:MOST_TRIES]:
                answer = undone(partial(client.get, path))
                if answer.status_code == 200 and "json" in answer.get("Content-Type", ""):
                    seen.setdefault(operation.name, set()).update(keys_in(answer.json()))
    return seen


# What a body cannot reach


def undone(ask: Callable[[], Any], *, look: Callable[[], Any] | None = None) -> Any:
    """Ask, look at what that left, and undo it; return the look, or the answer."""
    point = transaction.savepoint()
    try:
        answer = ask()
        return (answer, look()) if look else answer
    finally:
        transaction.savepoint_rollback(point)


class Protected:
    """The protected columns of all tables, and what a request makes of them."""

    def __init__(self) -> None:
        self.columns = {
            model: [
                column.attname
                for column in model._meta.concrete_fields
                if column.name in PROTECTED and not column.primary_key
            ]
            for label in APPS
            for model in apps.get_app_config(label).get_models()
            if not model._meta.proxy
        }
        self.columns = {model: names for model, names in self.columns.items() if names}
        self.known = {
            key
            for model in self.columns
            for key in model._base_manager.values_list("pk", flat=True)
        }
        self.undisturbed = {model: self.rows(model) for model in self.columns}

    def rows(self, model: Any) -> list[list[str]]:
        """Return a table as text, without what is made by chance."""
        rows = model._base_manager.values_list("pk", *self.columns[model])
        return sorted(
            [self.text(key), *(self.cell(key, *cell) for cell in zip(self.columns[model], values,
                                                                     strict=True))]
            for key, *values in rows
        )  # fmt: skip

    def cell(self, key: Any, column: str, value: Any) -> str:
        """A password is salted by chance; a time is of today, or it was sent."""
        if column == "password" and key not in self.known:
            return "hashed"
        if hasattr(value, "hour"):
            return "now" if value.year > LATEST_FORGED else "forged"
        return self.text(value)

    def text(self, value: Any) -> str:
        is_new = isinstance(value, UUID) and value not in self.known and str(value) != ANOTHER
        return "new" if is_new else str(value)

    def after(self, ask: Callable[[], Any]) -> tuple[Any, dict[Any, list[list[str]]]]:
        """Ask, and return the answer and all tables; only those that were written to are read."""
        before = writes_so_far()

        def look() -> dict[Any, list[list[str]]]:
            now = writes_so_far()
            written = {table for table in now if now[table] != before.get(table)}
            return self.undisturbed | {
                model: self.rows(model) for model in self.columns if model._meta.db_table in written
            }

        return undone(ask, look=look)


def writes_so_far() -> dict[str, tuple[int, ...]]:
    """Return how often this transaction has written to each table, undone writes included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
        )
        return {name: tuple(counts) for name, *counts in cursor.fetchall()}


def body_of(operation: Operation, world: World) -> Any:
    if operation.media_type == "multipart/form-data":
        return {
            "document_type": "PAN",
            "document_number": "ABCPK1234L",
            "file": SimpleUploadedFile("pan.pdf", b"%PDF-1.4 sample", "application/pdf"),
        }
    if operation.name in BODIES:
        return dict(BODIES[operation.name])
    if "reason" in operation.fields and operation.fields <= {"reason", "code"}:
        return dict(REASON)
    return sample_of(operation.body) if operation.body else {}


def send(client: APIClient, operation: Operation, path: str, body: Any) -> Any:
    kind = "multipart" if operation.media_type == "multipart/form-data" else "json"
    ask = getattr(client, operation.method)
    return ask(path, body, format=kind)


def accepted_request(operation: Operation, world: World) -> tuple[APIClient, str, bool]:
    """Find somebody and a path for which the body is accepted; else the likeliest that is not."""
    tries = [
        (client_for(person), path)
        for person in world.personas().values()
        for path in [*world.paths(operation.path, person)][:MOST_TRIES]
    ]
    for client, path in tries:
        body = body_of(operation, world)
        answer = undone(partial(send, client, operation, path, body))
        if answer.status_code < 300:
            return client, path, True
    return (*tries[0], False)


def effects(operation: Operation, world: World, protected: Protected) -> tuple[bool, list[str]]:
    """Return whether the plain body is accepted, and the fields that had an effect beside it."""
    client, path, is_accepted = accepted_request(operation, world)

    def left_by(extra: dict[str, Any]) -> tuple[Any, Any]:
        body = body_of(operation, world) | extra
        return protected.after(partial(send, client, operation, path, body))

    forbidden = {name: value for name, value in FORBIDDEN.items() if name not in operation.fields}
    if operation.media_type == "multipart/form-data":
        forbidden = {name: str(value) for name, value in forbidden.items()}
    _answer, plain = left_by({})
    # Where the plain body is refused already, all of them at once are refused no less.
    sendings = [{name: value} for name, value in forbidden.items()] if is_accepted else [forbidden]
    found = []
    for extra in sendings:
        answer, state = left_by(extra)
        assert answer.status_code < 500, (operation.name, extra, answer.status_code)
        # A refusal of the field is as good as ignoring it, as long as nothing was written.
        is_refused = answer.status_code >= 400 and state == protected.undisturbed
        if state != plain and not is_refused:
            found += [*extra]
    return is_accepted, found


@pytest.mark.slow
def test_no_forbidden_field_has_an_effect(world: World):
    protected, accepted, found, sent = Protected(), [], {}, 0
    for operation in operations():
        if operation.method not in WRITES:
            continue
        is_accepted, fields = effects(operation, world, protected)
        sent += len(FORBIDDEN.keys() - operation.fields)
        if is_accepted:
            accepted.append(operation.name)
        if fields:
            found[operation.name] = fields
    print(f"{sent} pairs of operation and field, {len(accepted)} operations accepted their body")
    assert found == {}
    assert len(accepted) >= LEAST_ACCEPTED, accepted


def test_a_view_that_writes_what_it_is_sent_is_caught(world: World, monkeypatch):
    """The control: without it, nothing proves that the look sees anything."""

    def careless(view: UserViewSet, request: Any, *, is_partial: bool) -> Any:
        person = view.get_object()
        names = {field.name for field in User._meta.concrete_fields} - {"id", "password"}
        sent = {name: value for name, value in request.data.items() if name in names}
        User.objects.filter(pk=person.pk).update(**sent)
        return view.retrieve(request, pk=person.pk)

    monkeypatch.setattr(UserViewSet, "_update", careless)
    operation = next(row for row in operations() if row.name == "PATCH /api/users/{id}")
    is_accepted, found = effects(operation, world, Protected())
    assert is_accepted
    assert {"role", "chit_score", "token_version", "is_superuser"} <= {*found}
