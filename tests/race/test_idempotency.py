"""A keyed payment is taken in once, however often and however fast it is sent."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import IdempotencyRecord, Role, User
from accounts.purge import purge_expired_records
from accounts.services import change_role, suspend_user
from chitfund.business_date import business_date
from payments.audit import check_ledger
from payments.models import CashMovement, Payment, PaymentType, Transfer, TransferKind
from schemes.models import Scheme
from tests.race import chits
from tests.race.crowd import Answer, Caller, Crowd, statuses

KEYS, SENDERS = 100, 16


@pytest.fixture
def admin() -> User:
    return chits.administrators(1)[0]


@pytest.fixture
def foreman() -> User:
    return chits.foreman()


@pytest.fixture
def chit(foreman: User, admin: User) -> Scheme:
    return chits.running(1, holders=chits.people(4), foreman=foreman, actor=admin)[0]


def cash_for(chit: Scheme, amount: str, *, ticket: int = 0) -> dict[str, Any]:
    """Return the body of a payment for one of a chit's tickets."""
    subscription = chits.tickets_of(chit)[ticket]
    return {"subscription": str(subscription.pk), "amount": amount, "method": "CASH"}


def received() -> list[Payment]:
    return list(Payment.objects.filter(payment_type=PaymentType.INSTALLMENT))


def is_told_to_wait(answer: Answer) -> bool:
    return answer.status == 409 and int(answer.headers["retry-after"]) >= 1


@pytest.mark.slow
def test_a_payment_sent_by_sixteen_at_once_under_one_key_is_taken_in_once(
    *, live_office: str, crowd: Crowd, dice: random.Random, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    sums = [Decimal(1000 + number).scaleb(-2) for number in range(KEYS)]
    told = 0
    for number, amount in enumerate(sums):
        body = cash_for(chit, str(amount), ticket=dice.randrange(4))
        send = partial(till.post, "payments", body, key=f"{uuid4()}-{number}")
        answers = crowd.at_once([send] * SENDERS)
        told += len(answers)
        taken = [answer for answer in answers if answer.status == 201]
        waiting = [answer for answer in answers if answer.status != 201]
        assert all(is_told_to_wait(answer) for answer in waiting), statuses(answers)
        assert len({answer.body for answer in taken}) == 1
        assert [answer.was_replayed for answer in taken].count(False) == 1
        assert taken[0].json["amount"] == str(amount)
    assert told == KEYS * SENDERS
    assert sorted(payment.amount for payment in received()) == sums
    entries = Transfer.objects.filter(kind=TransferKind.PAYMENT_RECEIVED)
    assert sorted(entries.values_list("amount", flat=True)) == sums
    assert entries.values("entry").distinct().count() == KEYS
    assert check_ledger() == []


def test_negative_control_a_key_that_is_remembered_after_the_work_pays_twice(
    unguarded_office: Callable[[str], str], crowd: Crowd, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(unguarded_office("claimed_keys"), foreman)
    keys = [str(uuid4()) for _ in range(5)]
    body = cash_for(chit, "10.00")
    for key in keys:
        crowd.at_once([partial(till.post, "payments", body, key=key)] * 8)
    assert len(received()) > len(keys)


def test_of_different_bodies_at_once_under_one_key_one_is_done_and_the_others_are_told(
    live_office: str, crowd: Crowd, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    for _ in range(10):
        key = str(uuid4())
        bodies = [cash_for(chit, f"{number + 1}.00") for number in range(8)]
        answers = crowd.at_once([partial(till.post, "payments", body, key=key) for body in bodies])
        assert statuses(answers) == {201: 1, 422: 7}
    assert len(received()) == 10


def test_while_a_key_is_at_work_its_rivals_are_told_when_to_come_back(
    live_office: str, crowd: Crowd, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    send = partial(till.post, "payments", cash_for(chit, "10.00"), key=key)
    with transaction.atomic():
        IdempotencyRecord.objects.create(
            user=foreman, route="POST api/payments", key=key, fingerprint=b"x"
        )
        answers = crowd.at_once([send] * 2)
        transaction.set_rollback(True)
    assert [(answer.status, answer.code) for answer in answers] == [
        (409, "idempotency_in_flight")
    ] * 2
    assert all(is_told_to_wait(answer) for answer in answers)
    assert send().status == 201
    assert len(received()) == 1


# -- what a key means, one test a rule ---------------------------------------------------


def test_a_key_is_optional_and_without_one_nothing_is_replayed(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    answers = [till.post("payments", cash_for(chit, "10.00")) for _ in range(2)]
    assert statuses(answers) == {201: 2}
    assert not any(answer.was_replayed for answer in answers)
    assert len(received()) == 2


@pytest.mark.parametrize(
    "key", ["", "two words", "slash/", "k" * 256, "dots.are.not", "ключ".encode().decode("latin-1")]
)
def test_a_key_of_another_form_is_refused_and_nothing_is_done(
    live_office: str, chit: Scheme, foreman: User, key: str
) -> None:
    answer = Caller.signed_in(live_office, foreman).post(
        "payments", cash_for(chit, "10.00"), key=key
    )
    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"
    assert received() == []


@pytest.mark.parametrize("key", ["k", "k" * 255, "A-z_0", "0192f0e4-7c1d-7a52-9d0e-3f8b6c1a2e4d"])
def test_a_key_has_1_to_255_letters_digits_hyphens_and_underscores(
    live_office: str, chit: Scheme, foreman: User, key: str
) -> None:
    till = Caller.signed_in(live_office, foreman)
    first, second = (till.post("payments", cash_for(chit, "10.00"), key=key) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert (first.was_replayed, second.was_replayed) == (False, True)
    assert first.body == second.body


def test_the_same_key_with_another_amount_is_refused_and_the_first_amount_stands(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    assert till.post("payments", cash_for(chit, "10.00"), key=key).status == 201
    answer = till.post("payments", cash_for(chit, "20.00"), key=key)
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert [payment.amount for payment in received()] == [Decimal("10.00")]


def test_the_order_of_fields_and_their_spelling_make_no_other_body(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    body = cash_for(chit, "10.00") | {"transaction_id": ""}
    first = till.post("payments", body, key=key)
    swapped = dict(reversed(body.items()))
    swapped["transactionId"] = swapped.pop("transaction_id")
    second = till.post("payments", swapped, key=key)
    assert second.was_replayed
    assert first.body == second.body


def test_the_same_key_of_another_person_is_another_key(
    live_office: str, chit: Scheme, foreman: User, admin: User
) -> None:
    key = str(uuid4())
    answers = [
        Caller.signed_in(live_office, user).post("payments", cash_for(chit, "10.00"), key=key)
        for user in (foreman, admin)
    ]
    assert statuses(answers) == {201: 2}
    assert not any(answer.was_replayed for answer in answers)
    assert answers[0].json["recorded_by"] == str(foreman.pk)
    assert answers[1].json["recorded_by"] == str(admin.pk)


def test_nobody_is_shown_the_answer_that_another_person_got_under_a_key(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    key = str(uuid4())
    body = cash_for(chit, "10.00")
    assert Caller.signed_in(live_office, foreman).post("payments", body, key=key).status == 201
    stranger = Caller.signed_in(live_office, chits.people(1)[0]).post("payments", body, key=key)
    assert stranger.status == 404
    assert not stranger.was_replayed


def test_the_same_key_on_another_route_is_another_key(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    covering = {"kind": "FOREMAN_COVERS", "amount": "10.00", "reference": "first"}
    answers = [
        till.post("payments", cash_for(chit, "10.00"), key=key),
        till.post(f"schemes/{chit.pk}/cash", covering, key=key),
    ]
    assert statuses(answers) == {201: 2}
    assert CashMovement.objects.count() == len(received()) == 1


def test_the_same_key_for_another_row_of_one_route_is_refused(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    first, second = (
        till.post("payments", cash_for(chit, "10.00")).json["id"] for _number in range(2)
    )
    key = str(uuid4())
    reason = {"reason": "Entered twice"}
    assert till.post(f"payments/{first}/reverse", reason, key=key).status == 201
    assert till.post(f"payments/{second}/reverse", reason, key=key).status == 422
    assert Payment.objects.filter(reversed_at__isnull=False).count() == 1


def test_a_refused_request_leaves_its_key_free(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    refused = [
        (400, till, "payments", cash_for(chit, "nothing")),
        (400, till, "payments", cash_for(chit, "99999.00")),
        (401, Caller(live_office), "payments", cash_for(chit, "10.00")),
        (404, till, "payments", cash_for(chit, "10.00") | {"subscription": str(uuid4())}),
        (403, till, f"schemes/{chit.pk}/commence", {}),
    ]
    for status, caller, path, body in refused:
        assert caller.post(path, body, key=key).status == status
    assert IdempotencyRecord.objects.count() == 0
    assert till.post("payments", cash_for(chit, "10.00"), key=key).status == 201
    assert len(received()) == 1


def test_a_refusal_for_the_state_of_things_is_asked_again_when_it_has_changed(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    first = till.post("payments", cash_for(chit, "10.00")).json["id"]
    tax = {"kind": "TAX_PAID", "amount": "1.00", "reference": "GST-1"}
    assert till.post(f"schemes/{chit.pk}/cash", tax, key=key).status == 409
    assert IdempotencyRecord.objects.count() == 0
    assert till.post(f"payments/{first}/reverse", {"reason": "Wrong"}, key=key).status == 201
    again = till.post(f"payments/{first}/reverse", {"reason": "Wrong"}, key=key)
    assert (again.status, again.was_replayed) == (201, True)
    assert till.post(f"payments/{first}/reverse", {"reason": "Wrong"}).status == 409


def test_a_key_replays_after_a_day_and_is_forgotten_after_its_thirty(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    send = partial(till.post, "payments", cash_for(chit, "10.00"), key=key)
    first = send()
    for days, is_kept in ((1, True), (29, True), (31, False)):
        age = timezone.now() - timedelta(days=days)
        IdempotencyRecord.objects.update(created_at=age)
        purge_expired_records(business_date())
        answer = send()
        assert (answer.was_replayed, answer.body == first.body) == (is_kept, is_kept)
    assert len(received()) == 2


def test_a_replay_passes_the_same_gate_as_the_first_request(
    live_office: str, chit: Scheme, foreman: User, admin: User
) -> None:
    till = Caller.signed_in(live_office, foreman)
    key = str(uuid4())
    paid = till.post("payments", cash_for(chit, "10.00")).json["id"]
    path, body = f"payments/{paid}/reverse", {"reason": "Wrong"}
    assert till.post(path, body, key=key).status == 201

    change_role(user_id=foreman.pk, actor=admin, role=Role.USER, reason="Gave up the business")
    assert till.post(path, body, key=key).status == 401
    foreman.refresh_from_db()
    demoted = Caller.signed_in(live_office, foreman).post(path, body, key=key)
    assert (demoted.status, demoted.was_replayed) == (403, False)

    suspend_user(user_id=foreman.pk, actor=admin, reason="Under inquiry")
    assert till.post(path, body, key=key).status == 401


def test_a_key_whose_work_was_cut_short_is_free_again(
    live_office: str, chit: Scheme, foreman: User
) -> None:
    """The key's row and the work are one transaction: a dead session takes both with it."""
    key = str(uuid4())
    with psycopg.connect(os.environ["DATABASE_URL"]) as half_done:
        half_done.execute(
            "INSERT INTO idempotency_records (user_id, route, key, fingerprint, status, body,"
            " created_at) VALUES (%s, 'POST api/payments', %s, 'x', 0, '', now())",
            [foreman.pk, key],
        )
        half_done.rollback()
    answer = Caller.signed_in(live_office, foreman).post(
        "payments", cash_for(chit, "10.00"), key=key
    )
    assert (answer.status, answer.was_replayed) == (201, False)
