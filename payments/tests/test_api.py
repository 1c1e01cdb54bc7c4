"""Payments over HTTP: who may, what is answered, how input is read, and what never changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from accounts.idempotency import REPLAYED
from accounts.tests.api import client_for
from chitfund.db import new_id
from payments.models import Payment, PaymentMethod, PaymentStatus
from payments.tests.asking import (
    admin_with,
    check_queries,
    error,
    error_fields,
    everybody,
    is_money,
    statuses,
)
from payments.tests.chits import Chit, day_after, move_to, running_chit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

GUIDE = {
    "id", "subscription", "amount", "payment_type", "status", "transaction_id", "payment_date",
    "created_at",
}  # fmt: skip
BESIDE = {
    "method", "receipt_number", "allocations", "scheme", "subscriber", "recorded_by", "reverses",
    "note",
}  # fmt: skip
NOT_THEIRS = {"other foreman": 404, "other user": 404, "powerless administrator": 404}


def slip(chit: Chit, number: int = 2, amount: object = "1000.00", **more) -> dict[str, object]:
    return {
        "subscription": str(chit.ticket(number).pk),
        "amount": amount,
        "method": "CASH",
        **more,
    }


def declared(chit: Chit) -> Payment:
    return chit.pay(2, 1000, method=PaymentMethod.UPI, transaction_id="U1", by=chit.members[1])


def found(client: APIClient, path: str) -> list[str]:
    return [row["id"] for row in client.get(path).json()["results"]]


# -- recording -------------------------------------------------------------------------


def test_the_office_records_and_gets_the_payment_with_its_receipt():
    chit = running_chit()
    response = client_for(chit.foreman).post(
        "/api/payments", slip(chit, method="UPI", transaction_id="upi9", note="counter 2")
    )
    assert response.status_code == 201
    row = response.json()
    assert set(row) >= GUIDE | BESIDE
    assert (row["status"], row["payment_type"]) == ("COMPLETED", "INSTALLMENT")
    assert (row["amount"], row["transaction_id"], row["note"]) == ("1000.00", "UPI9", "counter 2")
    assert row["receipt_number"] == "R/2025-26/000001"
    assert row["allocations"] == [
        {"installment_number": 1, "part": "INSTALLMENT", "amount": "1000.00"}
    ]
    assert (row["scheme"], row["subscriber"]) == (str(chit.pk), str(chit.members[1].pk))
    assert (row["recorded_by"], row["reverses"]) == (str(chit.foreman.pk), None)
    assert is_money(row, ("amount", "unallocated"))


def test_a_subscriber_declares_and_it_waits():
    chit = running_chit()
    response = client_for(chit.members[1]).post(
        "/api/payments", slip(chit, method="NEFT", transaction_id="N1")
    )
    assert response.status_code == 201
    row = response.json()
    assert (row["status"], row["receipt_number"], row["allocations"]) == ("PENDING", "", [])


def test_everybody_pays_only_where_they_may():
    chit = running_chit()
    assert statuses(chit, "post", "/api/payments", slip(chit, amount="10.00")) == {
        "member": 201,
        "foreman": 201,
        "administrator": 201,
        "nobody": 401,
        **NOT_THEIRS,
    }
    assert Payment.objects.count() == 3


def test_an_administrator_who_may_only_record_gets_the_answer_too():
    chit = running_chit()
    client = client_for(admin_with("add_payment"))
    response = client.post("/api/payments", slip(chit))
    assert (response.status_code, response.json()["status"]) == (201, "COMPLETED")


def test_one_transfer_for_several_tickets_is_answered_with_its_parts():
    chit = running_chit()
    body = {
        "split": [
            {"subscription": str(chit.ticket(2).pk), "amount": "300.00"},
            {"subscription": str(chit.ticket(3).pk), "amount": "700.00"},
        ],
        "amount": "1000.00",
        "method": "NEFT",
        "transaction_id": "N1",
    }
    row = client_for(chit.foreman).post("/api/payments", body).json()
    assert [part["amount"] for part in row["split"]] == ["300.00", "700.00"]
    assert row["amount"] == "300.00"
    assert {part["split_of"] for part in row["split"]} == {None, row["id"]}
    single = client_for(chit.foreman).post("/api/payments", slip(chit, amount="10")).json()
    assert single["split"] == []


def test_a_split_adds_up_and_is_not_mixed_with_a_ticket():
    chit = running_chit()
    client = client_for(chit.foreman)
    part = {"subscription": str(chit.ticket(2).pk), "amount": "300.00"}
    for body, fields in [
        ({"split": [part], "amount": "300.01", "method": "CASH"}, ["amount"]),
        ({"split": [part], "subscription": part["subscription"], "method": "CASH"}, ["split"]),
        ({"split": [], "method": "CASH"}, ["split"]),
        ({"split": [{"amount": "1"}], "method": "CASH"}, ["split.0.subscription"]),
    ]:
        assert error_fields(client.post("/api/payments", body)) == fields
    assert not Payment.objects.exists()


# -- how input is read -----------------------------------------------------------------


def test_the_portals_spelling_is_understood():
    chit = running_chit()
    body = slip(chit, method="UPI", transactionId="U7", paymentDate="2026-01-05T09:30:00+05:30")
    row = client_for(chit.foreman).post("/api/payments", body).json()
    assert (row["transaction_id"], row["payment_date"]) == ("U7", "2026-01-05T09:30:00+05:30")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (b'"1000"', "1000.00"),
        (b'"1000.5"', "1000.50"),
        (b"1000", "1000.00"),
        (b"1000.50", "1000.50"),
        (b"0.1", "0.10"),
        (b"1e3", "1000.00"),
        (b"0.01", "0.01"),
    ],
)
def test_a_number_is_accepted_when_it_is_exact(amount, expected):
    chit = running_chit()
    ticket = str(chit.ticket(2).pk).encode()
    raw = b'{"subscription": "%s", "method": "CASH", "amount": %s}' % (ticket, amount)
    response = client_for(chit.foreman).post("/api/payments", raw, content_type="application/json")
    assert (response.status_code, response.json()["amount"]) == (201, expected)


@pytest.mark.parametrize(
    "amount",
    [
        b"1000.001", b'"1000.001"', b"0", b"-5", b'"0.00"', b'"abc"', b"true", b"null", b"[]",
        b'"NaN"', b'"Infinity"', b"1e15", b"10000000000", b'""', b'{"a": 1}',
    ],
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused_by_name(amount):
    chit = running_chit()
    ticket = str(chit.ticket(2).pk).encode()
    raw = b'{"subscription": "%s", "method": "CASH", "amount": %s}' % (ticket, amount)
    response = client_for(chit.foreman).post("/api/payments", raw, content_type="application/json")
    assert error_fields(response) == ["amount"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"subscription": None}, ["subscription"]),
        ({"subscription": "2"}, ["subscription"]),
        ({"method": "BOOK"}, ["method"]),
        ({"method": "BARTER"}, ["method"]),
        ({"payment_date": "yesterday"}, ["payment_date"]),
        ({"payment_date": "2026-01-06T00:00:00+05:30"}, ["payment_date"]),
        ({"payment_date": "2026-01-04T12:00:00+05:30"}, ["payment_date"]),
        ({"method": "NEFT"}, ["transaction_id"]),
        ({"amount": "5000.01"}, ["amount"]),
        ({"note": "n" * 501}, ["note"]),
        ({"transaction_id": "t" * 101}, ["transaction_id"]),
    ],
)
def test_a_form_that_does_not_fit_names_its_fields(change, fields):
    chit = running_chit()
    response = client_for(chit.foreman).post("/api/payments", slip(chit) | change)
    assert error_fields(response) == fields
    assert not Payment.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"{}"])
def test_a_body_that_is_no_form_is_400(body):
    chit = running_chit()
    response = client_for(chit.foreman).post("/api/payments", body, content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == {"message", "code", "errors", "trace_id"}


def test_a_known_reference_is_409():
    chit = running_chit()
    client = client_for(chit.foreman)
    body = slip(chit, amount="10", method="UPI", transaction_id="U1")
    assert client.post("/api/payments", body).status_code == 201
    error(client.post("/api/payments", body), 409, "duplicate_reference")
    assert Payment.objects.count() == 1


# -- who sees them ---------------------------------------------------------------------


def test_a_payment_is_seen_by_its_payer_the_foreman_and_the_office():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    path = f"/api/payments/{payment.pk}"
    seen = {"member": 200, "foreman": 200, "administrator": 200, "nobody": 401, **NOT_THEIRS}
    assert statuses(chit, "get", path) == seen
    assert statuses(chit, "get", f"{path}/receipt") == seen
    assert client_for(chit.members[0]).get(path).status_code == 404, "another member"


def test_the_list_holds_what_one_may_see():
    chit, other = running_chit(2), running_chit(2)
    own, foreign = chit.pay(2, 10), chit.pay(1, 10)
    elsewhere = other.pay(1, 10)
    clients = everybody(chit)
    assert found(clients["member"], "/api/payments") == [str(own.pk)]
    assert found(clients["foreman"], "/api/payments") == [str(foreign.pk), str(own.pk)]
    assert found(clients["administrator"], "/api/payments")[0] == str(elsewhere.pk)
    for who in NOT_THEIRS:
        assert found(clients[who], "/api/payments") == []
    error(clients["nobody"].get("/api/payments"), 401, "not_authenticated")


def test_the_payments_of_a_person_are_for_them_their_foreman_and_the_office():
    chit, other = running_chit(2), Chit.sanctioned(tickets=2)
    other.enrol(1, chit.members[1])
    other.enrol(2)
    other.commence()
    here, there = chit.pay(2, 10), other.pay(1, 10)
    path = f"/api/payments/user/{chit.members[1].pk}"
    clients = everybody(chit)
    assert found(clients["member"], path) == [str(there.pk), str(here.pk)]
    assert found(clients["administrator"], path) == [str(there.pk), str(here.pk)]
    assert found(clients["foreman"], path) == [str(here.pk)], "the other chit is not theirs"
    assert found(client_for(other.foreman), path) == [str(there.pk)]
    for who in NOT_THEIRS:
        error(clients[who].get(path), 404, "not_found")
    error(clients["nobody"].get(path), 401, "not_authenticated")
    error(clients["administrator"].get(f"/api/payments/user/{new_id()}"), 404, "not_found")


@pytest.mark.parametrize("action", ["payments", "installments", "statement"])
def test_the_money_of_a_ticket_is_for_its_holder_the_foreman_and_the_office(action):
    chit = running_chit()
    chit.pay(2, 400)
    path = f"/api/subscriptions/{chit.ticket(2).pk}/{action}"
    assert statuses(chit, "get", path) == {
        "member": 200,
        "foreman": 200,
        "administrator": 200,
        "nobody": 401,
        **NOT_THEIRS,
    }
    client = client_for(chit.members[0])
    error(client.get(path), 404, "not_found")
    error(client.get(f"/api/subscriptions/{new_id()}/{action}"), 404, "not_found")


def test_installments_show_what_is_owed():
    chit = running_chit()
    chit.pay(2, 1000)
    chit.hold_draw(1, winner=1, discount=600)
    client = client_for(chit.members[1])
    rows = client.get(f"/api/subscriptions/{chit.ticket(2).pk}/installments").json()["results"]
    assert [row["number"] for row in rows] == [2, 1]
    assert (rows[0]["gross"], rows[0]["dividend"], rows[0]["net"]) == (
        "1000.00",
        "100.00",
        "900.00",
    )
    assert (rows[0]["paid"], rows[0]["due"], rows[0]["due_on"]) == ("0.00", "900.00", "2026-02-10")
    assert rows[1]["paid_on"] == "2026-01-05"
    names = ("gross", "dividend", "net", "paid", "due", "late_interest", "late_interest_paid")
    assert all(is_money(row, names) for row in rows)


def test_a_statement_runs_from_the_first_installment_with_its_balance():
    chit = running_chit()
    chit.pay(2, 400)
    chit.hold_draw(1, winner=1, discount=600)
    client = client_for(chit.members[1])
    body = client.get(f"/api/subscriptions/{chit.ticket(2).pk}/statement").json()
    assert (body["ticket_number"], body["outstanding"], body["advance"]) == (
        2,
        "1500.00",
        "0.00",
    )
    assert [(row["debit"], row["credit"], row["balance"]) for row in body["lines"]] == [
        ("1000.00", "0.00", "1000.00"),
        ("0.00", "400.00", "600.00"),
        ("1000.00", "0.00", "1600.00"),
        ("0.00", "100.00", "1500.00"),
    ]


# -- deciding --------------------------------------------------------------------------


def test_the_keeper_of_the_till_completes_or_fails_what_waits():
    chit = running_chit()
    path = f"/api/payments/{declared(chit).pk}"
    for who in ("other foreman", "other user", "powerless administrator"):
        assert everybody(chit)[who].put(path, {"status": "COMPLETED"}).status_code == 404
    error(client_for(chit.members[1]).put(path, {"status": "COMPLETED"}), 403, "forbidden")
    row = client_for(chit.foreman).put(path, {"status": "COMPLETED", "note": "seen"}).json()
    assert (row["status"], row["note"]) == ("COMPLETED", "seen")
    assert row["receipt_number"]
    body = error(client_for(chit.foreman).put(path, {"status": "FAILED"}), 409, "wrong_state")
    assert "Reverse it" in body["message"]


def test_an_administrator_who_may_only_look_does_not_decide():
    chit = running_chit()
    path = f"/api/payments/{declared(chit).pk}"
    client = client_for(admin_with("view_payment"))
    assert client.get(path).status_code == 200
    error(client.put(path, {"status": "COMPLETED"}), 403, "forbidden")
    error(client.post(f"{path}/reverse", {"reason": "not mine"}), 403, "forbidden")


def test_of_a_refused_decision_nothing_is_kept_not_even_the_note():
    chit = running_chit()
    payment = declared(chit)
    body = {"status": "COMPLETED", "note": "confirmed by myself", "transaction_id": "U2"}
    client = client_for(chit.members[1])
    error(client.put(f"/api/payments/{payment.pk}", body), 403, "forbidden")
    payment.refresh_from_db()
    assert (payment.note, payment.transaction_id) == ("", "U1")


@pytest.mark.parametrize(
    "name",
    ["amount", "subscription", "scheme", "subscriber", "payment_type", "paymentType", "method"],
)
def test_what_a_payment_is_never_changes(name):
    chit = running_chit()
    payment = declared(chit)
    before = Payment.objects.filter(pk=payment.pk).values().get()
    response = client_for(chit.foreman).put(
        f"/api/payments/{payment.pk}", {"note": "x", name: "999.00"}
    )
    assert error_fields(response) == [name.replace("T", "_t")]
    assert Payment.objects.filter(pk=payment.pk).values().get() == before


def test_the_day_of_what_waits_is_corrected_by_the_keeper_of_the_till():
    chit = running_chit()
    payment = declared(chit)
    path, body = f"/api/payments/{payment.pk}", {"paymentDate": "2026-01-05T00:30:00+05:30"}
    error(client_for(chit.members[1]).put(path, body), 403, "forbidden")
    client = client_for(chit.foreman)
    assert error_fields(client.put(path, {"payment_date": "soon"})) == ["payment_date"]
    row = client.put(path, body | {"status": "COMPLETED"}).json()
    assert (row["payment_date"], row["status"]) == ("2026-01-05T00:30:00+05:30", "COMPLETED")


@pytest.mark.parametrize("body", [{}, {"status": "PENDING"}, {"status": "DONE"}, {"colour": "red"}])
def test_a_change_says_what_is_to_change(body):
    chit = running_chit()
    payment = declared(chit)
    response = client_for(chit.foreman).put(f"/api/payments/{payment.pk}", body)
    error(response, 400, "invalid")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_payments_are_neither_patched_nor_removed(method):
    chit = running_chit()
    payment = chit.pay(2, 1000)
    client = client_for(chit.asha)
    error(getattr(client, method)(f"/api/payments/{payment.pk}"), 405, "method_not_allowed")


# -- reversing, receipts ---------------------------------------------------------------


def test_a_reversal_answers_the_reversing_payment_once():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    path = f"/api/payments/{payment.pk}/reverse"
    client = client_for(chit.foreman)
    assert error_fields(client.post(path, {})) == ["reason"]
    assert error_fields(client.post(path, {"reason": " "})) == ["reason"]
    response = client.post(path, {"reason": "entered twice"})
    assert response.status_code == 201
    row = response.json()
    assert (row["reverses"], row["amount"], row["note"]) == (
        str(payment.pk),
        "1000.00",
        "entered twice",
    )
    assert client.get(f"/api/payments/{payment.pk}").json()["reversed_at"] is not None
    error(client.post(path, {"reason": "again"}), 409, "already_reversed")


def test_who_may_reverse():
    expected = {
        "member": 403,
        "other foreman": 404,
        "other user": 403,
        "powerless administrator": 404,
        "nobody": 401,
        "foreman": 201,
        "administrator": 409,
    }
    chit = running_chit()
    payment = chit.pay(2, 1000)
    clients = everybody(chit)
    path = f"/api/payments/{payment.pk}/reverse"
    got = {who: clients[who].post(path, {"reason": "by mistake"}).status_code for who in expected}
    assert got == expected


def test_a_receipt_says_what_was_received_for_what():
    chit = running_chit()
    payment = chit.pay(2, 1000, method=PaymentMethod.UPI, transaction_id="U1")
    body = client_for(chit.members[1]).get(f"/api/payments/{payment.pk}/receipt").json()
    assert body == {
        "receipt_number": "R/2025-26/000001",
        "received_on": "2026-01-05",
        "foreman": chit.foreman.full_name,
        "scheme": "Lakshmi",
        "ticket_number": 2,
        "received_from": chit.members[1].full_name,
        "amount": "1000.00",
        "amount_text": "₹1,000",
        "method": "UPI",
        "transaction_id": "U1",
        "allocations": [{"installment_number": 1, "part": "INSTALLMENT", "amount": "1000.00"}],
        "is_reversed": False,
    }
    chit.reverse(payment)
    again = client_for(chit.members[1]).get(f"/api/payments/{payment.pk}/receipt").json()
    assert (again["is_reversed"], again["allocations"]) == (True, [])


def test_there_is_no_receipt_for_money_that_was_not_received():
    chit = running_chit()
    path = f"/api/payments/{declared(chit).pk}/receipt"
    error(client_for(chit.foreman).get(path), 409, "wrong_state")


# -- filters and pages -----------------------------------------------------------------


def test_payments_are_filtered():
    chit, other = running_chit(), running_chit(2)
    cash = chit.pay(2, 1000)
    move_to(day_after(chit.draw_day(1), 20))
    cheque = chit.pay(3, 1000, method=PaymentMethod.CHEQUE)
    elsewhere = other.pay(1, 10)
    client = client_for(chit.asha)

    def ids(query: str) -> set[str]:
        return set(found(client, f"/api/payments?{query}"))

    assert ids(f"scheme={other.pk}") == {str(elsewhere.pk)}
    assert ids(f"subscription={chit.ticket(2).pk}") == {str(cash.pk)}
    assert ids("status=PENDING") == {str(cheque.pk)}
    assert ids("method=CHEQUE") == {str(cheque.pk)}
    assert ids("payment_type=PENALTY") == set()
    assert ids("to=2026-01-29") == {str(cash.pk)}
    assert ids("from=2026-01-06&to=2026-01-30") == {str(cheque.pk), str(elsewhere.pk)}
    assert ids("from=2026-01-05&to=2026-01-05") == {str(cash.pk)}
    for query in ("scheme=x", "subscription=x", "status=x", "method=x", "payment_type=x"):
        assert error_fields(client.get(f"/api/payments?{query}")) == [query.split("=")[0]]
    for query in ("from=yesterday", "to=2026-13-01"):
        assert error_fields(client.get(f"/api/payments?{query}")) == [query.split("=")[0]]


def test_a_persons_payments_are_filtered_too():
    chit = running_chit()
    chit.pay(2, 10)
    cheque = chit.pay(2, 10, method=PaymentMethod.CHEQUE)
    path = f"/api/payments/user/{chit.members[1].pk}?status=PENDING"
    assert found(client_for(chit.members[1]), path) == [str(cheque.pk)]


def test_a_long_list_is_walked_by_its_cursor_without_gaps_while_it_grows():
    chit = running_chit()
    paid = [str(chit.pay(2, 10).pk) for _ in range(5)]
    client = client_for(chit.foreman)
    page = client.get("/api/payments?page_size=2").json()
    assert set(page) == {"next", "previous", "results"}
    seen = [row["id"] for row in page["results"]]
    chit.pay(2, 10)
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == paid[::-1]


@pytest.mark.parametrize("cursor", ["what", "cD0x", "cD1ub3QtYS11dWlk", "cD0lMDA="])
def test_a_cursor_that_was_not_ours_is_not_found(cursor):
    chit = running_chit()
    chit.pay(2, 10)
    error(client_for(chit.foreman).get(f"/api/payments?cursor={cursor}"), 404, "not_found")


def test_a_page_holds_a_hundred_at_most():
    chit = running_chit()
    Payment.objects.bulk_create(
        Payment(
            scheme=chit.scheme,
            subscription=chit.ticket(2),
            subscriber=chit.members[1],
            amount=Decimal(1),
            method=PaymentMethod.CASH,
            payment_date=chit.auction(1).opens_at,
        )
        for _ in range(101)
    )
    client = client_for(chit.foreman)
    assert len(client.get("/api/payments").json()["results"]) == 20
    assert len(client.get("/api/payments?page_size=500").json()["results"]) == 100


@pytest.mark.parametrize("who", ["foreman", "member", "administrator"])
def test_every_list_asks_the_same_however_long_it_is(who):
    chit = running_chit()
    for _ in range(3):
        chit.pay(2, 300)
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay(2, 500)
    client, ticket = everybody(chit)[who], chit.ticket(2).pk
    check_queries(client, "/api/payments", most=3)
    check_queries(client, f"/api/payments/user/{chit.members[1].pk}", most=4)
    check_queries(client, f"/api/subscriptions/{ticket}/payments", most=4)
    check_queries(client, f"/api/subscriptions/{ticket}/installments", most=3)


def test_a_statement_asks_the_same_however_long_it_is(django_assert_num_queries):
    chit = running_chit()
    client = client_for(chit.members[1])
    for _ in range(2):
        with django_assert_num_queries(5):
            client.get(f"/api/subscriptions/{chit.ticket(2).pk}/statement")
        chit.pay(2, 10)
        chit.pay(2, 10)


# -- once ------------------------------------------------------------------------------


def test_a_payment_with_a_key_is_recorded_once():
    chit = running_chit()
    client = client_for(chit.foreman)
    key = {"headers": {"Idempotency-Key": "till-7"}}
    first, again = (client.post("/api/payments", slip(chit, amount="400"), **key) for _ in "ab")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert Payment.objects.count() == 1
    other = client.post("/api/payments", slip(chit, amount="401"), **key)
    error(other, 422, "idempotency_mismatch")
    assert chit.ticket(2).outstanding == 600


def test_a_reversal_with_a_key_is_done_once():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    client = client_for(chit.foreman)
    key = {"headers": {"Idempotency-Key": "r-1"}}
    path = f"/api/payments/{payment.pk}/reverse"
    answers = [client.post(path, {"reason": "twice"}, **key) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Payment.objects.filter(reverses=payment).count() == 1


@pytest.mark.parametrize("form", ["/api/payments{}/", "/api/v1/payments{}", "/api/v1/payments{}/"])
def test_a_path_works_with_a_slash_and_a_version(form):
    chit = running_chit()
    client = client_for(chit.foreman)
    response = client.post(form.format(""), slip(chit, amount="10"))
    assert response.status_code == 201
    pk = response.json()["id"]
    assert client.get(form.format(f"/{pk}")).json()["id"] == pk
    assert found(client, form.format("")) == [pk]
