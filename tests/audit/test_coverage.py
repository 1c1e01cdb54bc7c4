"""Every change leaves exactly one event, and every refused change one (reliability.md row 32).

Each mutating line of the authorisation matrix is asked by each persona. What succeeded has one
event with actor, target, hashes before and after, trace id, address and route, and none of the
personal data and secrets that went in; what was forbidden has one that says so; what else was
refused has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.audit import record_audit_event
from accounts.models import AuditEvent, User
from accounts.services.audit_trail import head_of_chain, seal_events, verify_trail
from accounts.tests.factories import PASSWORD
from kyc.tests.factories import AADHAAR, PAN
from tests.authz.office import (
    ACCOUNT,
    NEW_EMAIL,
    NEW_PASSWORD,
    NEW_PHONE,
    NOMINEE,
    PERSONAS,
    Ask,
    Office,
    ask_for,
)
from tests.authz.test_matrix import MATRIX, Line, answer_to

FORBIDDEN = 403
# Another number than one, and why.
OTHER_NUMBERS: dict[tuple[str, str], tuple[set[int], str]] = {
    ("POST", "api/notifications/read-all"): ({0}, "reading marks; read_at says when"),
    ("POST", "api/auth/refresh-token"): (
        {0},
        "four times an hour and device; the row of refresh_tokens is the record of each, and "
        "what is wrong with one is an event (session.reuse_detected)",
    ),
    ("POST", "api/notifications/<uuid:pk>/read"): ({0}, "reading marks; read_at says when"),
}
# What no persona of this office can bring to success, and where it is tested instead.
NOT_HERE = {
    "api/auctions/<uuid:pk>/order-draw": "payments/tests: a draw when everybody is in arrears",
    "api/auth/oauth/<slug:provider>/callback": "tests/oidc, a real provider",
    "api/auth/oauth/<slug:provider>/link": "tests/oidc, a real provider",
}
MUTATING = sorted(line for line in MATRIX if line[0] != "GET")


def canaries(office: Office, ask: Ask) -> set[str]:
    """Return what must never stand in an event: who the people are, and every secret sent."""
    people = User.objects.values_list("email", "phone_number", "full_name")
    told = {value for person in people for value in person}
    told |= {PASSWORD, NEW_PASSWORD, NEW_EMAIL, NEW_PHONE, AADHAAR, PAN}
    told |= {ACCOUNT["account_number"], ACCOUNT["holder_name"], NOMINEE["full_name"]}
    body = ask.body if isinstance(ask.body, dict) else {}
    secrets = ("token", "otp", "code", "refresh_token", "phone_token", "password")
    told |= {str(body[name]) for name in secrets if body.get(name)}
    return {text for text in told if text and not text.isspace()} - {office.identity.provider}


def newest() -> Any:
    return AuditEvent.objects.values_list("pk", flat=True).first()


@pytest.fixture(scope="module")
def sealed(office):
    seal_events()
    return office


@dataclass(frozen=True)
class Played:
    """One request of one persona, its answer, and the events that it left."""

    line: Line
    persona: str
    user: User | None
    ask: Ask
    answer: Any
    events: list[AuditEvent]

    def __str__(self) -> str:
        verbs = [event.verb for event in self.events]
        return f"{self.persona}: {self.answer.status_code} {verbs} {self.answer.content[:200]!r}"


def play(office: Office, line: Line, persona: str) -> Played:
    """Send one request; what was needed to make it is sealed before it."""
    ask = ask_for(office, *line, persona)
    client = office.client_of(persona, ask)
    seal_events()
    before = newest()
    answer = answer_to(line, ask, client)
    events = list(AuditEvent.objects.filter(pk__gt=before).order_by("pk"))
    user = None if persona == "expired" else office.user_of(persona, ask)
    return Played(line, persona, user, ask, answer, events)


@pytest.mark.parametrize("line", MUTATING, ids=" ".join)
def test_a_change_is_one_event_and_a_refusal_too(sealed, line):
    has_succeeded = False
    for persona in PERSONAS:
        if MATRIX[line][persona] not in ("in", "403"):
            continue
        with transaction.atomic():
            played = play(sealed, line, persona)
            check(sealed, played)
            has_succeeded |= 200 <= played.answer.status_code < 300
            transaction.set_rollback(True)
    if line[1] in NOT_HERE:
        assert not has_succeeded, "It succeeds by now; take it off NOT_HERE."
    elif line[2] != "own" and "in" in MATRIX[line].values():
        assert has_succeeded, "Nobody succeeded, so nothing was proved."


def check(office: Office, played: Played) -> None:
    """Check the number of events, then each of them, then that they can be sealed."""
    status, events = played.answer.status_code, played.events
    if status == FORBIDDEN:
        (event,) = events
        assert (event.verb, event.actor_id) == ("access.denied", played.user.pk), str(played)
    elif 200 <= status < 300:
        numbers, _ = OTHER_NUMBERS.get(played.line[:2], ({1}, ""))
        assert len(events) in numbers, str(played)
    else:
        assert events == [], str(played)
    for event in events:
        check_event(office, played, event)
    seal_and_verify(len(events))


def check_event(office: Office, played: Played, event: AuditEvent) -> None:
    assert event.trace_id == played.answer["X-Request-ID"]
    assert event.ip_address == "127.0.0.1"
    assert event.route.startswith(f"{played.line[0]} /api/")
    # A public route is answered for whoever the body names, or for nobody.
    is_public = MATRIX[played.line]["anonymous"] == "in"
    assert is_public or event.actor_id == played.user.pk
    assert event.after_hash is not None
    assert hash_of(event.before_hash) == left_by_the_last(event)
    assert leaks(office, played.ask, event) == []


def left_by_the_last(event: AuditEvent) -> bytes | None:
    """Return the hash that the event before this one left on the same row."""
    same_row = AuditEvent.objects.filter(target_type=event.target_type, target_id=event.target_id)
    previous = same_row.filter(pk__lt=event.pk).order_by("-pk").first()
    return hash_of(previous.after_hash) if previous else None


def hash_of(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def leaks(office: Office, ask: Ask, event: AuditEvent) -> list[str]:
    """Return the personal data and the secrets that stand in an event."""
    text = json.dumps([event.details, event.route])
    return [canary for canary in canaries(office, ask) if canary in text]


def test_the_search_for_personal_data_finds_some(sealed):
    """The negative control."""
    with transaction.atomic():
        person = sealed.person
        for told in (person.email, person.phone_number, person.full_name, PASSWORD, AADHAAR):
            event = record_audit_event(actor=person, verb="user.changed", target=person, told=told)
            assert leaks(sealed, Ask(), event) == [told]
        transaction.set_rollback(True)


def seal_and_verify(count: int) -> None:
    before = head_of_chain().number
    assert seal_events() == count
    verdict = verify_trail(since=before + 1)
    assert (verdict.checked, verdict.broken) == (count, None)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_events SET verb = 'x'", "DELETE FROM audit_seals"]
)
def test_the_runtime_role_cannot_change_what_is_written(sealed, statement):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_whole_trail_of_this_office_verifies(sealed):
    seal_events()
    verdict = verify_trail()
    assert verdict.broken is None
    assert verdict.checked == AuditEvent.objects.count()
