"""Prizes, cash movements and the ledger over HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.tests.api import client_for
from chitfund.db import new_id
from payments.models import AccountKind, CashMovement, MovementKind, PrizePayout
from payments.tests.asking import (
    admin_with,
    check_queries,
    error,
    error_fields,
    everybody,
    is_money,
    statuses,
)
from payments.tests.chits import Chit, reference, running_chit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

NOT_THEIRS = {"other foreman": 404, "other user": 404, "powerless administrator": 404}


def with_a_prize() -> Chit:
    """Return a chit with 4,000 in cash whose ticket 2 has won 3,364 net."""
    chit = running_chit()
    chit.pay_all()
    chit.hold_draw(1, winner=2, discount=600)
    return chit


def payout_path(chit: Chit, action: str = "", month: int = 1) -> str:
    return f"/api/payouts/{chit.payout(month).pk}" + (f"/{action}" if action else "")


# -- prizes ----------------------------------------------------------------------------


def test_a_prize_is_seen_by_its_winner_the_foreman_and_the_office():
    chit = with_a_prize()
    assert statuses(chit, "get", payout_path(chit)) == {
        "member": 200,
        "foreman": 200,
        "administrator": 200,
        "nobody": 401,
        **NOT_THEIRS,
    }
    assert client_for(chit.members[0]).get(payout_path(chit)).status_code == 404
    counts = {who: client.get("/api/payouts") for who, client in everybody(chit).items()}
    assert {who: answer.json().get("count") for who, answer in counts.items()} == {
        "member": 1,
        "foreman": 1,
        "administrator": 1,
        "other foreman": 0,
        "other user": 0,
        "powerless administrator": 0,
        "nobody": None,
    }


def test_a_prize_shows_what_is_owed_and_by_which_draw():
    chit = with_a_prize()
    row = client_for(chit.members[1]).get(payout_path(chit)).json()
    assert (row["status"], row["installment_number"], row["ticket_number"]) == ("PENDING", 1, 2)
    assert (row["prize_amount"], row["tax"], row["set_off"], row["net_amount"]) == (
        "3400.00",
        "36.00",
        "0.00",
        "3364.00",
    )
    assert is_money(row, ("prize_amount", "tax", "set_off", "net_amount"))


def test_a_prize_is_approved_by_one_and_paid_by_another():
    chit = with_a_prize()
    asha, foreman = client_for(chit.asha), client_for(chit.foreman)
    path = payout_path(chit)
    error(foreman.post(f"{path}/pay", {"method": "CASH"}), 409, "invalid_transition")
    assert error_fields(asha.post(f"{path}/approve", {})) == ["security"]
    approved = asha.post(f"{path}/approve", {"security": "Two sureties"}).json()
    assert (approved["status"], approved["approved_by"]) == ("APPROVED", str(chit.asha.pk))
    error(asha.post(f"{path}/pay", {"method": "CASH"}), 403, "forbidden")
    paid = foreman.post(f"{path}/pay", {"method": "NEFT", "reference": "utr1"}).json()
    assert (paid["status"], paid["method"], paid["reference"]) == ("PAID", "NEFT", "UTR1")
    error(foreman.post(f"{path}/pay", {"method": "CASH"}), 409, "invalid_transition")


def test_who_may_approve():
    chit = with_a_prize()
    path, body = payout_path(chit, "approve"), {"security": "none left"}
    clients = everybody(chit)
    for who in ("member", "foreman", "other foreman", "other user", "powerless administrator"):
        assert error(clients[who].post(path, body), 403, "forbidden")["message"] == "Forbidden"
    error(clients["nobody"].post(path, body), 401, "not_authenticated")
    right = client_for(admin_with("approve_prizepayout", "view_prizepayout"))
    assert right.post(path, body).status_code == 200


def test_who_may_pay():
    chit = with_a_prize()
    chit.approve_payout(1)
    path, body = payout_path(chit, "pay"), {"method": "CASH"}
    clients = everybody(chit)
    got = {who: client.post(path, body).status_code for who, client in clients.items()}
    assert got == {
        "member": 403,
        "foreman": 200,
        "administrator": 403,
        "other user": 403,
        "other foreman": 404,
        "powerless administrator": 404,
        "nobody": 401,
    }


def test_an_administrator_who_may_only_look_does_not_pay():
    chit = with_a_prize()
    chit.approve_payout(1)
    client = client_for(admin_with("view_prizepayout"))
    error(client.post(payout_path(chit, "pay"), {"method": "CASH"}), 403, "forbidden")
    right = client_for(admin_with("view_prizepayout", "change_prizepayout"))
    assert right.post(payout_path(chit, "pay"), {"method": "CASH"}).status_code == 200


def test_paying_answers_409_with_the_shortfall_until_the_cash_is_there():
    chit = running_chit()
    for number in (1, 2, 3):
        chit.pay(number, 1000)
    chit.hold_draw(1, winner=2, discount=600)
    chit.approve_payout(1)
    client = client_for(chit.foreman)
    body = error(client.post(payout_path(chit, "pay"), {"method": "CASH"}), 409, "cash_shortfall")
    assert "₹364 short" in body["message"]
    cover = {"kind": "FOREMAN_COVERS", "amount": "364.00", "reference": "N1"}
    assert client.post(f"/api/schemes/{chit.pk}/cash", cover).status_code == 201
    assert client.post(payout_path(chit, "pay"), {"method": "CASH"}).json()["status"] == "PAID"


def test_paying_with_a_key_pays_once():
    chit = with_a_prize()
    chit.approve_payout(1)
    client = client_for(chit.foreman)
    key = {"headers": {"Idempotency-Key": "p-1"}}
    answers = [client.post(payout_path(chit, "pay"), {"method": "CASH"}, **key) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert chit.cash == 636


@pytest.mark.parametrize("body", [{}, {"method": "BOOK"}, {"method": "NEFT"}])
def test_a_payment_of_a_prize_says_how(body):
    chit = with_a_prize()
    chit.approve_payout(1)
    fields = error_fields(client_for(chit.foreman).post(payout_path(chit, "pay"), body))
    assert fields == (["reference"] if body.get("method") == "NEFT" else ["method"])


def test_prizes_are_filtered():
    chit, other = with_a_prize(), with_a_prize()
    chit.pay_out(1)
    client = client_for(chit.asha)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"/api/payouts?{query}").json()["results"]]

    assert ids(f"scheme={other.pk}") == [str(other.payout(1).pk)]
    assert ids("status=PAID") == [str(chit.payout(1).pk)]
    assert error_fields(client.get("/api/payouts?status=GONE")) == ["status"]


# -- cash ------------------------------------------------------------------------------


def cash_path(chit: Chit, rest: str = "") -> str:
    return f"/api/schemes/{chit.pk}/cash{rest}"


def movement(**changes) -> dict[str, object]:
    return {"kind": "FOREMAN_DRAWS", "amount": "100.00", "reference": reference(), **changes}


def test_money_out_waits_and_a_second_person_approves_it():
    chit = with_a_prize()
    foreman, asha = client_for(chit.foreman), client_for(chit.asha)
    response = foreman.post(cash_path(chit), movement(note="fees of the hall"))
    assert response.status_code == 201
    row = response.json()
    assert (row["status"], row["amount"], row["decided_by"]) == ("PENDING", "100.00", None)
    path = cash_path(chit, f"/{row['id']}/approve")
    error(foreman.post(path), 403, "forbidden")
    approved = asha.post(path).json()
    assert (approved["status"], approved["decided_by"]) == ("COMPLETED", str(chit.asha.pk))
    error(asha.post(path), 409, "invalid_transition")
    assert chit.cash == 3900


def test_money_out_may_be_rejected_with_a_reason():
    chit = with_a_prize()
    pk = client_for(chit.foreman).post(cash_path(chit), movement()).json()["id"]
    path = cash_path(chit, f"/{pk}/reject")
    asha = client_for(chit.asha)
    assert error_fields(asha.post(path, {})) == ["reason"]
    row = asha.post(path, {"reason": "not this month"}).json()
    assert (row["status"], row["note"]) == ("REJECTED", "not this month")


def test_the_cash_of_a_scheme_is_for_its_foreman_and_the_office():
    chit = with_a_prize()
    expected = {
        "member": 403,
        "foreman": 200,
        "administrator": 200,
        "other foreman": 404,
        "other user": 403,
        "powerless administrator": 404,
        "nobody": 401,
    }
    assert statuses(chit, "get", cash_path(chit)) == expected
    assert statuses(chit, "get", f"/api/schemes/{chit.pk}/ledger") == expected
    posted = {
        who: client.post(cash_path(chit), movement(amount="1.00")).status_code
        for who, client in everybody(chit).items()
    }
    assert posted == expected | {"foreman": 201, "administrator": 201}
    assert CashMovement.objects.count() == 2
    error(client_for(chit.asha).get(f"/api/schemes/{new_id()}/cash"), 404, "not_found")
    error(client_for(chit.asha).get(f"/api/schemes/{new_id()}/ledger"), 404, "not_found")


def test_an_administrator_who_may_only_look_moves_no_cash():
    chit = with_a_prize()
    waiting = chit.request(MovementKind.FOREMAN_DRAWS, 100)
    client = client_for(admin_with("view_cashmovement"))
    assert client.get(cash_path(chit)).status_code == 200
    error(client.post(cash_path(chit), movement()), 404, "not_found")
    for action in ("approve", "reject"):
        path = cash_path(chit, f"/{waiting.pk}/{action}")
        error(client.post(path, {"reason": "not mine"}), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"kind": "GIFT"}, ["kind"]),
        ({"amount": "0"}, ["amount"]),
        ({"amount": "1.001"}, ["amount"]),
        ({"amount": -5}, ["amount"]),
        ({"reference": ""}, ["reference"]),
        ({"kind": "REFUND"}, ["subscription"]),
    ],
)
def test_a_movement_that_does_not_fit_names_its_fields(change, fields):
    chit = with_a_prize()
    response = client_for(chit.foreman).post(cash_path(chit), movement(**change))
    assert error_fields(response) == fields
    assert not CashMovement.objects.exists()


def test_more_than_there_is_is_409():
    chit = with_a_prize()
    client = client_for(chit.foreman)
    error(client.post(cash_path(chit), movement(amount="200.01")), 409, "not_covered")
    known = movement()
    client.post(cash_path(chit), known)
    error(client.post(cash_path(chit), known), 409, "duplicate_reference")


def test_a_refund_names_its_ticket():
    chit = running_chit()
    chit.pay(2, 1300)
    body = movement(kind="REFUND", amount=300, subscription=str(chit.ticket(2).pk))
    row = client_for(chit.foreman).post(cash_path(chit), body).json()
    assert (row["kind"], row["subscription"]) == ("REFUND", str(chit.ticket(2).pk))


def test_a_movement_with_a_key_is_entered_once():
    chit = running_chit()
    client = client_for(chit.foreman)
    body = movement(kind="FOREMAN_COVERS", amount="50.00")
    key = {"headers": {"Idempotency-Key": "c-1"}}
    answers = [client.post(cash_path(chit), body, **key) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert chit.cash == 50


# -- the ledger ------------------------------------------------------------------------


def test_the_ledger_shows_its_lines_newest_first_and_proves_itself():
    chit = with_a_prize()
    body = client_for(chit.foreman).get(f"/api/schemes/{chit.pk}/ledger?page_size=100").json()
    assert set(body) == {"next", "previous", "proof", "results"}
    lines = [(row["debit"], row["credit"], row["amount"], row["kind"]) for row in body["results"]]
    assert ("chit", "prize_payable", "3400.00", "PRIZE_AWARDED") in lines
    assert ("cash", "ticket 2", "1000.00", "PAYMENT_RECEIVED") in lines
    assert lines[-1] == ("ticket 1", "chit", "1000.00", "INSTALLMENT_RAISED")
    assert all(is_money(row, ("amount",)) for row in body["results"])

    proof = body["proof"]
    assert proof["is_balanced"] is True
    assert proof["debits"] == proof["credits"] == "16436.00"
    accounts = {row["account"]: row["balance"] for row in proof["accounts"]}
    assert (accounts["cash"], accounts["commission"], accounts["gst_payable"]) == (
        "4000.00",
        "200.00",
        "36.00",
    )
    assert (accounts["ticket 2"], accounts["chit"]) == ("900.00", "4000.00")


def test_the_ledger_is_walked_by_its_cursor():
    chit = with_a_prize()
    client = client_for(chit.foreman)
    path = f"/api/schemes/{chit.pk}/ledger"
    page = client.get(f"{path}?page_size=5").json()
    rows = page["results"]
    while page["next"]:
        page = client.get(page["next"]).json()
        rows += page["results"]
        assert page["proof"]["is_balanced"]
    ids = [row["id"] for row in rows]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == chit.scheme.transfers.count()
    error(client.get(f"{path}?cursor=what"), 404, "not_found")


# -- how much is asked -----------------------------------------------------------------


def test_every_list_asks_the_same_however_long_it_is():
    chit = with_a_prize()
    chit.pay_all()
    chit.hold_draw(2, winner=3, discount=600)
    chit.pay_out(1)
    for amount in (10, 20, 30):
        chit.cover(amount)
    for who in (chit.foreman, chit.asha):
        client = client_for(who)
        check_queries(client, "/api/payouts", most=3)
        check_queries(client, cash_path(chit), most=3)
        check_queries(client, f"/api/schemes/{chit.pk}/ledger", most=4)
    assert PrizePayout.objects.count() == 2


def test_the_proof_is_asked_in_one_go_however_many_tickets(django_assert_num_queries):
    for tickets in (2, 8):
        chit = running_chit(tickets)
        client = client_for(chit.foreman)
        with django_assert_num_queries(4):
            body = client.get(f"/api/schemes/{chit.pk}/ledger").json()
        kinds = len(AccountKind) - 1
        assert len(body["proof"]["accounts"]) == kinds + tickets
        assert Decimal(body["proof"]["debits"]) == 1000 * tickets
