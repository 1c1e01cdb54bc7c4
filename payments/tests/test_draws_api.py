"""Commencing, closing, recording, moving and previewing draws over HTTP."""

from __future__ import annotations

import pytest

from accounts.tests.api import client_for
from auctions.models import Auction, AuctionStatus
from chitfund.db import new_id
from payments.models import Installment, Transfer
from payments.tests.asking import admin_with, error, error_fields, everybody, is_money, statuses
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import everything
from schemes.models import RecordKind, StatutoryRecord

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

CONDUCTS = {
    "member": 403,
    "other foreman": 404,
    "other user": 403,
    "powerless administrator": 404,
    "nobody": 401,
    "foreman": 200,
    "administrator": 200,
}


def path_of(chit: Chit, action: str, month: int = 1) -> str:
    return f"/api/auctions/{chit.auction(month).pk}/{action}"


def open_today() -> Chit:
    chit = running_chit()
    move_to(chit.draw_day(1))
    chit.open(1)
    return chit


def on_its_day() -> Chit:
    chit = running_chit()
    move_to(chit.draw_day(1))
    return chit


def result(chit: Chit, **changes) -> dict[str, object]:
    return {
        "subscription": str(chit.ticket(2).pk),
        "discount": "600.00",
        "attendance": ["Asha", "Ravi"],
        **changes,
    }


def who_may(make, action: str, body) -> dict[str, int]:
    """Return what each is answered, each with a chit of their own to do it to."""
    answers = {}
    for who in CONDUCTS:
        chit = make()
        client = everybody(chit)[who]
        answers[who] = client.post(path_of(chit, action), body(chit)).status_code
    return answers


# -- who may ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "action", "body"),
    [
        (open_today, "close", lambda chit: None),
        (on_its_day, "record", result),
        (on_its_day, "postpone", lambda chit: {"reason": "a holiday"}),
    ],
    ids=["close", "record", "postpone"],
)
def test_the_foreman_and_the_office_conduct_a_draw_and_nobody_else(make, action, body):
    assert who_may(make, action, body) == CONDUCTS


def test_only_an_administrator_with_the_right_orders_a_draw_among_arrears():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    chit.hold_draw(2)
    move_to(day_after(chit.draw_day(2)))
    path = path_of(chit, "order-draw", 2)
    refused = {who: 403 for who in CONDUCTS if who not in ("nobody", "administrator")}
    clients = everybody(chit)
    assert {who: clients[who].post(path).status_code for who in refused} == refused
    error(clients["nobody"].post(path), 401, "not_authenticated")
    assert client_for(admin_with("view_auction")).post(path).status_code == 403
    row = clients["administrator"].post(path).json()
    assert (row["status"], row["method"]) == ("SETTLED", "LOT_NO_BID")
    error(clients["administrator"].post(path), 409, "wrong_state")


def test_an_administrator_who_may_only_look_conducts_nothing():
    chit = open_today()
    client = client_for(admin_with("view_auction"))
    for action, body in (
        ("close", None),
        ("record", result(chit)),
        ("postpone", {"reason": "no"}),
    ):
        error(client.post(path_of(chit, action), body), 403, "forbidden")
    assert chit.auction(1).status == AuctionStatus.OPEN


# -- closing ---------------------------------------------------------------------------


def test_closing_answers_the_draw_with_its_outcome():
    chit = open_today()
    chit.bid(1, 2, 600)
    client = client_for(chit.foreman)
    row = client.post(path_of(chit, "close")).json()
    assert (row["status"], row["method"], row["winner"]) == (
        "SETTLED",
        "BID",
        {"ticket_number": 2},
    )
    assert (row["prize_amount"], row["tax"], row["dividend_pool"]) == ("3400.00", "36.00", "400.00")
    assert row["seed"]
    error(client.post(path_of(chit, "close")), 409, "auction_not_open")


def test_closing_with_a_key_settles_once():
    chit = open_today()
    client = client_for(chit.foreman)
    key = {"headers": {"Idempotency-Key": "close-1"}}
    answers = [client.post(path_of(chit, "close"), **key) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert Installment.objects.filter(number=2).count() == 4


def test_closing_a_draw_that_is_not_open_is_409_with_its_state():
    chit = on_its_day()
    body = error(client_for(chit.foreman).post(path_of(chit, "close")), 409, "auction_not_open")
    assert "scheduled" in body["message"]


# -- recording -------------------------------------------------------------------------


def test_a_result_of_a_room_is_recorded():
    chit = on_its_day()
    row = client_for(chit.foreman).post(path_of(chit, "record"), result(chit)).json()
    assert (row["status"], row["is_recorded"], row["winner"]) == (
        "SETTLED",
        True,
        {"ticket_number": 2},
    )
    minutes = client_for(chit.members[0]).get(path_of(chit, "minutes")).json()
    assert minutes["present"] == ["Asha", "Ravi"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"attendance": ["Asha"]}, ["attendance"]),
        ({"attendance": "Asha and Ravi"}, ["attendance"]),
        ({"attendance": None}, ["attendance"]),
        ({"discount": "600.001"}, ["discount"]),
        ({"subscription": "2"}, ["subscription"]),
        ({"method": "FOREMAN"}, ["method"]),
        ({"method": "SOLE_TICKET"}, ["method"]),
        ({"method": "LOT_AT_CAP"}, ["discount"]),
    ],
)
def test_a_result_that_does_not_fit_names_its_fields(change, fields):
    chit = on_its_day()
    response = client_for(chit.foreman).post(path_of(chit, "record"), result(chit, **change))
    assert error_fields(response) == fields
    assert chit.auction(1).status == AuctionStatus.SCHEDULED


def test_a_result_that_the_rules_refuse_says_why():
    chit = on_its_day()
    client = client_for(chit.foreman)
    path = path_of(chit, "record")
    error(client.post(path, result(chit, discount="1300")), 400, "above_cap")
    error(client.post(path, result(chit, discount="625")), 400, "wrong_step")
    error(client.post(path, result(chit, subscription=str(new_id()))), 404, "not_found")
    client.post(path, result(chit))
    error(client.post(path, result(chit)), 409, "wrong_state")


# -- moving ----------------------------------------------------------------------------


def test_a_draw_is_moved_and_answers_its_new_day():
    chit = running_chit()
    client = client_for(chit.foreman)
    body = {"reason": "Pongal", "scheduledAt": "2026-01-20T17:00:00+05:30"}
    row = client.post(path_of(chit, "postpone"), body).json()
    assert (row["status"], row["scheduled_at"]) == ("SCHEDULED", "2026-01-20T17:00:00+05:30")
    assert row["postponement_reason"] == "Pongal"
    waits = client.post(path_of(chit, "postpone"), {"reason": "no hall"}).json()
    assert waits["status"] == "POSTPONED"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["reason"]),
        ({"reason": "r" * 501}, ["reason"]),
        ({"reason": "Pongal", "scheduled_at": "soon"}, ["scheduled_at"]),
        ({"reason": "Pongal", "scheduled_at": "2026-01-01T10:00:00+05:30"}, ["scheduled_at"]),
    ],
)
def test_a_new_day_that_does_not_fit_names_its_fields(body, fields):
    chit = running_chit()
    response = client_for(chit.foreman).post(path_of(chit, "postpone"), body)
    assert error_fields(response) == fields
    assert chit.auction(1).status == AuctionStatus.SCHEDULED


# -- looking ahead ---------------------------------------------------------------------


def outcome(chit: Chit, discount: object, month: int = 1, who=None):
    client = client_for(who or chit.members[0])
    return client.get(path_of(chit, f"outcome?discount={discount}", month))


def test_what_a_discount_would_bring_is_told_and_nothing_is_written():
    chit = running_chit()
    before = everything()
    row = outcome(chit, "600").json()
    assert row == {
        "discount": "600.00",
        "prize_amount": "3400.00",
        "commission": "200.00",
        "tax": "36.00",
        "prize_after_tax": "3364.00",
        "dividend_pool": "400.00",
        "recipients": 4,
        "dividend_per_ticket": "100.00",
        "residue": "0.00",
        "base_dividend": "400.00",
        "golden_dividend": "0.00",
    }
    assert everything() == before


def test_the_preview_is_what_the_draw_then_brings_residue_and_all():
    chit = running_chit(dividend_policy="EXCLUDE_WINNER")
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay_all()
    told = outcome(chit, "600", 2).json()
    auction = chit.hold_draw(2, winner=2, discount=600)
    settled = client_for(chit.members[0]).get(f"/api/auctions/{auction.pk}").json()
    shared = set(told) & set(settled)
    assert {name: told[name] for name in shared} == {name: settled[name] for name in shared}
    assert (told["dividend_pool"], told["recipients"], told["residue"]) == ("401.00", 3, "2.00")
    assert is_money(told, set(told) - {"recipients"})


def test_the_preview_is_for_whoever_sees_the_draw():
    chit = running_chit()
    assert statuses(chit, "get", path_of(chit, "outcome?discount=600")) == {
        "member": 200,
        "foreman": 200,
        "administrator": 200,
        "other foreman": 404,
        "other user": 404,
        "powerless administrator": 404,
        "nobody": 401,
    }


@pytest.mark.parametrize("discount", ["", "much", "600.001", "-1"])
def test_a_preview_needs_an_amount(discount):
    assert error_fields(outcome(running_chit(), discount)) == ["discount"]


def test_a_preview_outside_the_terms_or_of_a_draw_without_bids_is_refused():
    chit = running_chit()
    error(outcome(chit, 100), 400, "below_minimum")
    error(outcome(chit, 1300), 400, "above_cap")
    chit.hold_draw(1, winner=1, discount=600)
    error(outcome(chit, 600), 409, "wrong_state")
    foremans = running_chit(foreman_installment=1)
    error(outcome(foremans, 600, who=foremans.foreman), 409, "wrong_state")


# -- commencing ------------------------------------------------------------------------


def full_chit() -> Chit:
    chit = Chit.sanctioned(tickets=2)
    chit.enrol_all()
    return chit


def test_commencing_brings_the_schedule_and_the_first_dues():
    chit = full_chit()
    response = client_for(chit.asha).post(
        f"/api/schemes/{chit.pk}/commence", {"certificate_number": "F7/12/2026"}
    )
    assert response.status_code == 200
    expected = {
        "id": str(chit.pk),
        "status": "ACTIVE",
        "certificate_number": "F7/12/2026",
        "start_date": "2026-01-05",
        "end_date": "2026-03-04",
        "next_auction_at": "2026-01-10T10:00:00+05:30",
    }
    row = response.json()
    assert {name: row[name] for name in expected} == expected
    assert Auction.objects.filter(scheme=chit.pk).count() == 2
    assert Installment.objects.filter(scheme=chit.pk, number=1, gross=1000).count() == 2
    assert Transfer.objects.filter(scheme=chit.pk).count() == 2


def test_without_a_number_the_certificate_gets_the_next_one():
    chit = full_chit()
    row = client_for(chit.asha).post(f"/api/schemes/{chit.pk}/commence").json()
    assert row["certificate_number"] == "FORM7-2026-000001"
    record = StatutoryRecord.objects.get(scheme=chit.pk, kind=RecordKind.COMMENCEMENT)
    assert record.number == "FORM7-2026-000001"


def test_a_start_that_has_passed_moves_to_the_day_of_the_certificate():
    chit = full_chit()
    move_to(day_after(chit.scheme.start_date, 30))
    row = client_for(chit.asha).post(f"/api/schemes/{chit.pk}/commence").json()
    assert (row["start_date"], row["next_auction_at"]) == (
        "2026-02-04",
        "2026-02-10T10:00:00+05:30",
    )


def test_only_an_administrator_with_the_right_commences():
    chit = full_chit()
    path = f"/api/schemes/{chit.pk}/commence"
    clients = everybody(chit)
    for who in ("member", "foreman", "other foreman", "other user", "powerless administrator"):
        assert error(clients[who].post(path), 403, "forbidden")["message"] == "Forbidden"
    error(clients["nobody"].post(path), 401, "not_authenticated")
    assert client_for(admin_with("commence_scheme")).post(path).status_code == 200
    error(clients["administrator"].post(path), 409, "wrong_state")


def test_a_chit_with_free_tickets_does_not_commence_and_says_how_many():
    chit = Chit.sanctioned(tickets=3)
    chit.enrol(2)
    body = error(
        client_for(chit.asha).post(f"/api/schemes/{chit.pk}/commence"), 409, "tickets_free"
    )
    assert body["message"].startswith("2 of 3 tickets are still free")


def test_a_scheme_that_does_not_exist_is_not_found():
    chit = full_chit()
    error(client_for(chit.asha).post(f"/api/schemes/{new_id()}/commence"), 404, "not_found")
