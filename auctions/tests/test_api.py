"""Draws over HTTP: who sees them, what they show, how bids are taken and refused."""

from __future__ import annotations

import hashlib

import pytest
from rest_framework.test import APIClient

from accounts.idempotency import REPLAYED
from accounts.models import AuditEvent, IdempotencyRecord
from accounts.tests.api import client_for
from accounts.tests.factories import UserFactory
from auctions.models import Auction, AuctionStatus, Bid
from chitfund.db import new_id
from payments.tests.asking import (
    admin_with,
    check_queries,
    error,
    error_fields,
    everybody,
    is_money,
    statuses,
)
from payments.tests.chits import Chit, move_to, running_chit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

# The fields that api.md promises, and what came beside them.
PROMISED = {
    "id", "scheme", "installment_number", "status", "scheduled_at", "opens_at", "closes_at",
    "min_discount", "max_discount", "bid_step", "leading_discount", "winner", "method",
    "discount", "prize_amount", "commission", "dividend_per_ticket", "tax", "seed_hash", "seed",
}  # fmt: skip
RUPEES = (
    "min_discount", "max_discount", "bid_step", "leading_discount", "discount", "prize_amount",
    "commission", "tax", "dividend_pool", "dividend_per_ticket", "residue",
)  # fmt: skip
NOT_THEIRS = {"other foreman": 404, "other user": 404, "powerless administrator": 404}


def on_its_day(**terms) -> Chit:
    chit = running_chit(**terms)
    move_to(chit.draw_day(1))
    return chit


def bidding(**terms) -> Chit:
    chit = on_its_day(**terms)
    chit.open(1)
    return chit


def path_of(chit: Chit, action: str = "", month: int = 1) -> str:
    return f"/api/auctions/{chit.auction(month).pk}" + (f"/{action}" if action else "")


def bid(client: APIClient, chit: Chit, number: int, discount: object, **headers) -> object:
    body = {"subscription": str(chit.ticket(number).pk), "discount": discount}
    return client.post(path_of(chit, "bids"), body, **headers)


# -- who sees them ---------------------------------------------------------------------


@pytest.mark.parametrize("action", ["", "bids", "minutes"])
def test_a_draw_is_seen_by_its_members_its_foreman_and_the_office(action):
    chit = running_chit()
    assert statuses(chit, "get", path_of(chit, action)) == {
        "member": 200,
        "foreman": 200,
        "administrator": 200,
        "nobody": 401,
        **NOT_THEIRS,
    }


def test_the_draws_of_a_scheme_are_not_found_by_whoever_may_not_see_them():
    chit = running_chit()
    path = f"/api/schemes/{chit.pk}/auctions"
    assert statuses(chit, "get", path) == {
        "member": 200,
        "foreman": 200,
        "administrator": 200,
        "nobody": 401,
        **NOT_THEIRS,
    }
    rows = client_for(chit.members[0]).get(path).json()["results"]
    assert [row["installment_number"] for row in rows] == [1, 2, 3, 4]
    assert client_for(chit.asha).get(f"/api/schemes/{new_id()}/auctions").status_code == 404


def test_the_list_holds_the_draws_of_ones_own_chits():
    chit, other = running_chit(2), running_chit(3)
    counts = {
        who: client.get("/api/auctions").json().get("count")
        for who, client in everybody(chit).items()
    }
    assert counts == {
        "member": 2,
        "foreman": 2,
        "administrator": 5,
        "other foreman": 0,
        "other user": 0,
        "powerless administrator": 0,
        "nobody": None,
    }
    assert client_for(other.foreman).get("/api/auctions").json()["count"] == 3


def test_a_draw_that_does_not_exist_is_not_found():
    chit = running_chit()
    error(client_for(chit.asha).get(f"/api/auctions/{new_id()}"), 404, "not_found")
    assert client_for(chit.asha).get("/api/auctions/what").status_code == 404


# -- what they show --------------------------------------------------------------------


def test_a_draw_has_the_fields_of_the_contract_and_money_as_text():
    chit = bidding()
    chit.bid(1, 2, 600)
    chit.close(1)
    row = client_for(chit.members[0]).get(path_of(chit)).json()
    assert set(row) >= PROMISED
    assert is_money(row, RUPEES)
    assert (row["status"], row["method"]) == ("SETTLED", "BID")
    assert row["winner"] == {"ticket_number": 2}
    assert (row["discount"], row["prize_amount"], row["commission"]) == (
        "600.00",
        "3400.00",
        "200.00",
    )
    assert (row["dividend_per_ticket"], row["tax"]) == ("100.00", "36.00")
    assert row["scheduled_at"] == "2026-01-10T10:00:00+05:30"


def test_names_are_never_shown():
    chit = bidding()
    chit.bid(1, 2, 600)
    chit.close(1)
    client = client_for(chit.members[0])
    for action in ("", "bids", "minutes"):
        shown = client.get(path_of(chit, action)).content.decode()
        for member in chit.members:
            assert member.full_name not in shown
            assert str(member.pk) not in shown


def test_the_seed_is_secret_until_the_draw_is_settled():
    chit = bidding()
    secret = chit.auction(1).seed
    client = client_for(chit.foreman)
    places = [path_of(chit), path_of(chit, "minutes"), "/api/auctions"]
    for path in places:
        assert secret not in client.get(path).content.decode()
    assert (
        client.get(path_of(chit)).json()["seed_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    )
    chit.close(1)
    for path in places:
        assert secret in client.get(path).content.decode()


def test_minutes_tell_what_happened_in_order():
    chit = bidding()
    for number, discount in ((3, 400), (2, 600), (3, 700)):
        chit.bid(1, number, discount)
    chit.close(1)
    minutes = client_for(chit.members[0]).get(path_of(chit, "minutes")).json()
    assert [(row["ticket_number"], row["discount"]) for row in minutes["bids"]] == [
        (3, "400.00"),
        (2, "600.00"),
        (3, "700.00"),
    ]
    assert minutes["present"] == ["Ticket 2", "Ticket 3"]
    assert (minutes["winner"], minutes["prize_amount"]) == ({"ticket_number": 3}, "3300.00")
    assert minutes["rules"]["total_amount"] == "4000.00"
    assert minutes["began_at"] < minutes["ended_at"]
    assert (minutes["closed_by"], minutes["is_closed_early"]) == ("FOREMAN", True)


def test_the_minutes_of_a_lot_print_its_rule():
    chit = bidding()
    chit.close(1)
    minutes = client_for(chit.members[0]).get(path_of(chit, "minutes")).json()
    assert minutes["lot_tickets"] == [1, 2, 3, 4]
    assert "SHA-256" in minutes["lot_rule"]


# -- filters, order, pages -------------------------------------------------------------


def test_draws_are_filtered_by_scheme_and_status_and_ordered_by_day():
    chit, other = running_chit(2), running_chit(3)
    chit.hold_draw(1)
    client = client_for(chit.asha)

    def months(query: str) -> list[int]:
        rows = client.get(f"/api/auctions?{query}").json()["results"]
        return [row["installment_number"] for row in rows]

    assert months(f"scheme={chit.pk}") == [1, 2]
    assert months(f"scheme={chit.pk}&status=SETTLED") == [1]
    assert months(f"scheme={other.pk}&ordering=-installment_number") == [3, 2, 1]
    assert months(f"scheme={other.pk}&ordering=seed") == [1, 2, 3]
    assert error_fields(client.get("/api/auctions?status=OVER")) == ["status"]
    assert error_fields(client.get("/api/auctions?scheme=what")) == ["scheme"]


def test_the_list_comes_in_numbered_pages():
    chit = running_chit(3)
    client = client_for(chit.foreman)
    page = client.get("/api/auctions?page_size=2").json()
    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert len(client.get(page["next"]).json()["results"]) == 1
    error(client.get("/api/auctions?page=9"), 404, "not_found")


def test_bids_come_newest_first_by_a_cursor_and_a_bad_one_is_not_found():
    chit = bidding()
    for number, discount in ((2, 300), (3, 400), (4, 500)):
        chit.bid(1, number, discount)
    client = client_for(chit.members[0])
    page = client.get(path_of(chit, "bids?page_size=2")).json()
    assert set(page) == {"next", "previous", "results"}
    assert [row["discount"] for row in page["results"]] == ["500.00", "400.00"]
    assert [row["discount"] for row in client.get(page["next"]).json()["results"]] == ["300.00"]
    for cursor in ("what", "cD0x", "cD1ub3QtYS11dWlk"):
        error(client.get(path_of(chit, f"bids?cursor={cursor}")), 404, "not_found")


@pytest.mark.parametrize("who", ["foreman", "member", "administrator"])
def test_every_list_asks_the_same_however_long_it_is(who):
    chit = running_chit()
    for month, winner in ((1, 1), (2, 3)):
        chit.pay_all()
        chit.hold_draw(month, winner=winner, discount=200)
    chit.pay_all()
    move_to(chit.draw_day(3))
    chit.open(3)
    for number, discount in ((2, 300), (4, 400), (2, 500)):
        chit.bid(3, number, discount)
    client = everybody(chit)[who]
    check_queries(client, "/api/auctions", most=3)
    check_queries(client, f"/api/schemes/{chit.pk}/auctions", most=4)
    check_queries(client, path_of(chit, "bids", 3), most=3)


# -- opening ---------------------------------------------------------------------------


def test_the_foreman_and_the_office_open_a_draw_and_nobody_else():
    expected = {
        "member": 403,
        "other foreman": 404,
        "other user": 403,
        "powerless administrator": 404,
        "nobody": 401,
        "foreman": 200,
        "administrator": 200,
    }
    for who, status in expected.items():
        chit = on_its_day()
        assert everybody(chit)[who].post(path_of(chit, "open")).status_code == status, who
        is_open = chit.auction(1).status == AuctionStatus.OPEN
        assert is_open == (status == 200)


def test_a_role_refusal_says_forbidden_with_its_reason_and_is_audited():
    chit = on_its_day()
    body = error(client_for(chit.members[1]).post(path_of(chit, "open")), 403, "forbidden")
    assert body["message"] == "Forbidden"
    assert body["errors"][0]["message"] == "Only a foreman or an administrator may do this."
    assert AuditEvent.objects.filter(verb="access.denied", actor=chit.members[1]).exists()


def test_an_administrator_who_may_only_look_does_not_open():
    chit = on_its_day()
    client = client_for(admin_with("view_auction"))
    assert client.get(path_of(chit)).status_code == 200
    error(client.post(path_of(chit, "open")), 403, "forbidden")


def test_opening_answers_the_open_draw_and_a_second_time_409():
    chit = on_its_day()
    client = client_for(chit.foreman)
    row = client.post(path_of(chit, "open")).json()
    assert (row["status"], len(row["seed_hash"]), row["seed"]) == ("OPEN", 64, "")
    error(client.post(path_of(chit, "open")), 409, "invalid_transition")


def test_opening_on_another_day_is_409_and_says_what_to_do():
    chit = running_chit()
    body = error(client_for(chit.foreman).post(path_of(chit, "open")), 409, "not_the_day")
    assert "Postpone it" in body["message"]


# -- bidding ---------------------------------------------------------------------------


def test_a_bid_is_taken_and_answered():
    chit = bidding()
    response = bid(client_for(chit.members[1]), chit, 2, "300.00")
    assert response.status_code == 201
    row = response.json()
    assert set(row) == {"id", "auction", "ticket_number", "discount", "is_proxy", "placed_at"}
    assert (row["ticket_number"], row["discount"], row["is_proxy"]) == (2, "300.00", False)
    assert client_for(chit.foreman).get(path_of(chit)).json()["leading_discount"] == "300.00"


@pytest.mark.parametrize("discount", ["300", "300.00", "300.0", b"300", b"300.0", b"3e2"])
def test_a_discount_is_text_or_an_exact_number(discount):
    chit = bidding()
    client = client_for(chit.members[1])
    if isinstance(discount, str):
        assert bid(client, chit, 2, discount).status_code == 201
    else:
        raw = b'{"subscription": "%s", "discount": %s}' % (
            str(chit.ticket(2).pk).encode(),
            discount,
        )
        response = client.post(path_of(chit, "bids"), raw, content_type="application/json")
        assert response.status_code == 201
    assert Bid.objects.get().discount == 300


@pytest.mark.parametrize(
    "discount", ["300.001", 300.001, -1, "", "many", None, True, [], {}, "99999999999", "NaN"]
)
def test_a_discount_that_is_no_amount_is_refused_by_name(discount):
    chit = bidding()
    assert error_fields(bid(client_for(chit.members[1]), chit, 2, discount)) == ["discount"]
    assert not Bid.objects.exists()


def test_a_bid_names_a_ticket():
    chit = bidding()
    client = client_for(chit.members[1])
    for body in ({"discount": "300"}, {"discount": "300", "subscription": "ticket 2"}):
        assert error_fields(client.post(path_of(chit, "bids"), body)) == ["subscription"]


@pytest.mark.parametrize(
    ("discount", "status", "code"),
    [
        (150, 400, "below_minimum"),
        (1250, 400, "above_cap"),
        (325, 400, "wrong_step"),
        (400, 409, "not_above_leader"),
    ],
)
def test_a_refused_bid_says_why(discount, status, code):
    chit = bidding()
    chit.bid(1, 3, 400)
    error(bid(client_for(chit.members[1]), chit, 2, discount), status, code)
    assert Bid.objects.count() == 1


def test_a_bid_in_a_draw_that_is_not_open_is_409():
    chit = on_its_day()
    error(bid(client_for(chit.members[1]), chit, 2, 300), 409, "auction_not_open")


def test_everybody_bids_with_their_own_ticket_only():
    chit = bidding()
    got = {who: bid(client, chit, 2, 300).status_code for who, client in everybody(chit).items()}
    got.pop("member"), got.pop("foreman")
    assert got == {
        "administrator": 404,
        "other foreman": 404,
        "other user": 404,
        "powerless administrator": 404,
        "nobody": 401,
    }
    error(bid(client_for(chit.members[2]), chit, 2, 400), 404, "not_found")


def test_a_member_of_the_chit_who_has_withdrawn_sees_nothing():
    chit = Chit.sanctioned(tickets=2)
    leaver = UserFactory.create(kyc_verified=True)
    chit.enrol(1, leaver)
    chit.withdraw(1)
    chit.enrol_all()
    chit.commence()
    assert client_for(leaver).get(path_of(chit)).status_code == 404


def test_a_bid_with_a_key_is_placed_once():
    chit = bidding()
    client = client_for(chit.members[1])
    key = {"headers": {"Idempotency-Key": "k1"}}
    first, again = (bid(client, chit, 2, "300.00", **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert Bid.objects.count() == 1
    error(bid(client, chit, 2, "350.00", **key), 422, "idempotency_mismatch")


def test_a_refused_bid_leaves_its_key_free():
    chit = bidding()
    client = client_for(chit.members[1])
    key = {"headers": {"Idempotency-Key": "k1"}}
    error(bid(client, chit, 2, "325.00", **key), 400, "wrong_step")
    assert not IdempotencyRecord.objects.exists()
    assert bid(client, chit, 2, "350.00", **key).status_code == 201


# -- paths and methods -----------------------------------------------------------------


@pytest.mark.parametrize("form", ["/api/auctions{}/", "/api/v1/auctions{}", "/api/v1/auctions{}/"])
def test_a_path_works_with_a_slash_and_a_version(form):
    chit = bidding()
    client = client_for(chit.members[1])
    plain = client.get("/api/auctions").json()
    assert client.get(form.format("")).json()["results"] == plain["results"]
    body = {"subscription": str(chit.ticket(2).pk), "discount": "300"}
    response = client.post(form.format(f"/{chit.auction(1).pk}/bids"), body)
    assert response.status_code == 201


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_draws_and_bids_are_never_edited(method):
    chit = bidding()
    chit.bid(1, 2, 300)
    client = client_for(chit.asha)
    for path in (path_of(chit), path_of(chit, "bids"), "/api/auctions"):
        error(getattr(client, method)(path, {}), 405, "method_not_allowed")
    assert Auction.objects.get(pk=chit.auction(1).pk).leading_discount == 300
