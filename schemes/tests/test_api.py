"""Schemes over HTTP: shapes, roles, refusals, and what each may see."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.business_date import business_date
from schemes.models import TERMS, RecordKind, Scheme, SchemeStatus
from schemes.services import return_scheme, submit_scheme, update_scheme
from schemes.tests.factories import SchemeFactory, StatutoryRecordFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def foreman():
    return ForemanFactory.create()


@pytest.fixture
def admin():
    return AdminFactory.create()


def body(**changes):
    start = business_date() + timedelta(days=10)
    return {
        "name": "Lakshmi",
        "monthly_installment": "1000.00",
        "max_subscribers": 5,
        "duration_months": 5,
        "start_date": start.isoformat(),
        **changes,
    }


# -- drafting ------------------------------------------------------------------------------


def test_a_foreman_drafts_a_scheme(foreman):
    answer = client_for(foreman).post("/api/schemes", body())
    assert answer.status_code == 201
    scheme = answer.json()
    assert scheme["foreman"] == {"id": str(foreman.pk), "full_name": foreman.full_name}
    assert scheme["foreman_id"] == str(foreman.pk)
    assert (scheme["status"], scheme["stage"]) == ("DRAFT", "draft")
    assert scheme["total_amount"] == "5000.00"
    assert scheme["monthly_installment"] == "1000.00"
    assert scheme["commission_percent"] == "5.00"
    assert scheme["rounding_unit"] == "1.00"
    assert (scheme["current_subscribers"], scheme["seats_left"]) == (0, 4)
    assert scheme["sanction_number"] is scheme["certificate_number"] is None
    assert scheme["next_auction_at"] is None
    assert set(TERMS) | {"end_date", "created_at", "updated_at", "id"} <= scheme.keys()


def test_the_portals_names_and_numbers_are_taken(foreman):
    answer = client_for(foreman).post(
        "/api/schemes",
        {
            "name": "Lakshmi",
            "monthlyInstallment": 15000,
            "maxSubscribers": 20,
            "startDate": "2030-01-15",
            "maxDiscountPercent": 40,
            "foremanInstallment": None,
        },
    )
    assert answer.status_code == 201
    assert answer.json()["total_amount"] == "300000.00"
    assert answer.json()["foreman_installment"] is None


def test_amounts_that_do_not_divide_are_answered_with_those_that_do(foreman):
    answer = client_for(foreman).post(
        "/api/schemes",
        body(
            max_subscribers=15,
            duration_months=15,
            monthly_installment="33333.3333333333",
            total_amount=500000,
        ),
    )
    assert answer.status_code == 400
    assert "₹4,99,999.95" in answer.json()["message"]
    assert answer.json()["errors"][0]["field"] == "total_amount"


def test_a_commission_above_the_law_is_answered_with_the_law(foreman):
    answer = client_for(foreman).post("/api/schemes", body(commission_percent="10"))
    assert answer.status_code == 400
    assert answer.json()["code"] == "commission_above_law"
    assert "section 21" in answer.json()["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": "a\x00b"},
        {"monthly_installment": "abc"},
        {"monthly_installment": "NaN"},
        {"monthly_installment": "Infinity"},
        {"monthly_installment": "-1"},
        {"monthly_installment": "1E+400"},
        {"monthly_installment": "0.00000000000000000000000000001"},
        {"max_subscribers": 10**30},
        {"max_subscribers": 2.5},
        {"max_subscribers": None},
        {"start_date": "2026-02-30"},
        {"start_date": "9999-12-31"},
        {"start_date": "0001-01-01"},
        {"commission_base": "PRIZE"},
        {"commission_percent": "5.001"},
        {"auction_time": "25:00"},
        {"bid_step": "0"},
        {"foreman_installment": 0},
        {"rounding_unit": "0.05"},
    ],
)
def test_bad_values_are_answered_400_and_leave_nothing(foreman, changes):
    answer = client_for(foreman).post("/api/schemes", body(**changes))
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not Scheme.objects.exists()


def test_a_draft_is_rewritten_patched_and_removed(foreman):
    client = client_for(foreman)
    path = f"/api/schemes/{client.post('/api/schemes', body()).json()['id']}"
    put = client.put(path, body(name="Annapurna", max_subscribers=6, duration_months=6))
    assert put.json()["total_amount"] == "6000.00"
    patched = client.patch(path, {"commission_percent": 4.5, "minDiscountPercent": 6})
    assert patched.status_code == 200
    assert patched.json()["commission_percent"] == "4.50"
    assert patched.json()["name"] == "Annapurna"
    assert client.put(path, {"name": "x"}).status_code == 400
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_what_get_shows_put_takes_back(foreman):
    client = client_for(foreman)
    scheme = client.post("/api/schemes", body()).json()
    again = client.put(f"/api/schemes/{scheme['id']}", scheme)
    assert again.status_code == 200
    assert again.json() == {**scheme, "updated_at": again.json()["updated_at"]}


@pytest.mark.parametrize(
    ("method", "data"), [("put", body), ("patch", lambda: {"name": "x"}), ("delete", lambda: None)]
)
def test_a_submitted_scheme_answers_409_to_changes(method, data):
    scheme = SchemeFactory.create(submitted=True)
    answer = getattr(client_for(scheme.foreman), method)(f"/api/schemes/{scheme.pk}", data())
    assert answer.status_code == 409
    assert "pending approval" in answer.json()["message"]


# -- the way to the sanction -----------------------------------------------------------------


def test_submit_approve_and_return_over_http(foreman, admin):
    client, desk = client_for(foreman), client_for(admin)
    path = f"/api/schemes/{client.post('/api/schemes', body()).json()['id']}"
    assert client.post(f"{path}/submit").json()["stage"] == "submitted"
    returned = desk.post(f"{path}/return", {"reason": "Name the bank."}).json()
    assert (returned["stage"], returned["return_reason"]) == ("returned", "Name the bank.")
    client.post(f"{path}/submit")
    approved = desk.post(f"{path}/approve", {"comment": "In order."})
    assert approved.status_code == 200
    assert approved.json()["stage"] == "pso_approved"
    assert approved.json()["sanction_number"] == f"PSO-{business_date().year}-000001"
    again = desk.post(f"{path}/approve", {"comment": "In order."})
    assert again.status_code == 409
    assert "approved already" in again.json()["message"]


def test_a_given_sanction_number_is_kept(admin):
    scheme = SchemeFactory.create(submitted=True)
    answer = client_for(admin).post(
        f"/api/schemes/{scheme.pk}/approve",
        {"comment": "", "sanction_number": "PSO/CHN/2026/044"},
    )
    assert answer.json()["sanction_number"] == "PSO/CHN/2026/044"


def test_an_idempotent_approval_is_replayed(admin):
    scheme = SchemeFactory.create(submitted=True)
    client = client_for(admin)
    send = lambda: client.post(  # noqa: E731
        f"/api/schemes/{scheme.pk}/approve", {"comment": "ok"}, HTTP_IDEMPOTENCY_KEY="k1"
    )
    first, second = send(), send()
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json() == second.json()


ROLE_TABLE = [
    # method, path, subscriber, stranger foreman, own foreman, admin without rights, admin
    ("post", "/api/schemes", 403, 400, 400, 403, 403),
    ("put", "/api/schemes/{pk}", 403, 404, 409, 403, 403),
    ("delete", "/api/schemes/{pk}", 403, 404, 409, 403, 403),
    ("post", "/api/schemes/{pk}/submit", 403, 404, 409, 403, 403),
    ("post", "/api/schemes/{pk}/approve", 403, 403, 403, 403, 200),
    ("post", "/api/schemes/{pk}/return", 403, 403, 403, 403, 200),
    ("get", "/api/schemes/{pk}", 404, 404, 200, 404, 200),
    ("get", "/api/schemes/{pk}/records", 403, 404, 200, 404, 200),
    ("post", "/api/schemes/{pk}/records", 403, 404, 201, 404, 201),
    ("get", "/api/schemes/{pk}/history", 403, 404, 200, 404, 200),
]


@pytest.mark.parametrize("who", range(5), ids=["user", "stranger", "foreman", "clerk", "admin"])
@pytest.mark.parametrize("row", ROLE_TABLE, ids=lambda row: f"{row[0]} {row[1]}")
def test_who_may_do_what_with_a_submitted_scheme(row, who):
    method, path, *expected = row
    scheme = SchemeFactory.create(submitted=True)
    person = [
        UserFactory.create,
        ForemanFactory.create,
        lambda: scheme.foreman,
        lambda: AdminFactory.create(is_superuser=False),
        AdminFactory.create,
    ][who]()
    data = {
        "/api/schemes": {},
        "/api/schemes/{pk}": body(),
        "/api/schemes/{pk}/return": {"reason": "Name the bank."},
        "/api/schemes/{pk}/records": {
            "kind": "SECURITY_DEPOSIT",
            "number": "FDR 1",
            "issued_on": business_date().isoformat(),
            "amount": "5000.00",
        },
    }.get(path, {})
    answer = getattr(client_for(person), method)(path.format(pk=scheme.pk), data)
    assert answer.status_code == expected[who]
    if answer.status_code == 403:
        assert answer.json()["message"] == "Forbidden"
        assert answer.json()["errors"][0]["message"]


def test_nobody_is_answered_without_a_token():
    scheme = SchemeFactory.create(active=True)
    for path in ("/api/schemes", f"/api/schemes/{scheme.pk}", f"/api/schemes/{scheme.pk}/records"):
        assert client_for(None).get(path).status_code == 401


def test_unknown_schemes_are_404(admin, foreman):
    for client in (client_for(admin), client_for(foreman)):
        assert client.get(f"/api/schemes/{uuid4()}").status_code == 404
    assert client_for(admin).post(f"/api/schemes/{uuid4()}/approve", {}).status_code == 404


# -- records and history -----------------------------------------------------------------------


def test_records_are_listed_and_entered_once(foreman, admin):
    scheme = SchemeFactory.create(active=True, foreman=foreman)
    path = f"/api/schemes/{scheme.pk}/records"
    record = {"kind": "AGREEMENT", "number": "REG 1", "issued_on": business_date().isoformat()}
    assert client_for(foreman).post(path, record).status_code == 201
    assert client_for(foreman).post(path, record).status_code == 409
    listed = client_for(admin).get(path).json()
    assert [row["kind"] for row in listed["results"]] == ["PRIOR_SANCTION", "AGREEMENT"]
    assert listed["results"][1]["recorded_by"]["id"] == str(foreman.pk)
    stage = client_for(foreman).get(f"/api/schemes/{scheme.pk}").json()["stage"]
    assert stage == "final_agreement_uploaded"


def test_history_tells_who_did_what_newest_first(foreman, admin):
    scheme = SchemeFactory.create(foreman=foreman)
    submit_scheme(scheme_id=scheme.pk, actor=foreman)
    return_scheme(scheme_id=scheme.pk, actor=admin, reason="Name the bank.")
    rows = client_for(foreman).get(f"/api/schemes/{scheme.pk}/history").json()["results"]
    assert [row["verb"] for row in rows] == ["scheme.returned", "scheme.submitted"]
    assert rows[0]["actor"] == {"id": str(admin.pk), "full_name": admin.full_name}
    assert rows[0]["details"] == {"reason": "Name the bank."}


# -- lists -----------------------------------------------------------------------------------


def test_each_sees_what_is_open_and_what_is_theirs(foreman, admin):
    mine = {str(SchemeFactory.create(foreman=foreman, **state).pk) for state in (
        {}, {"submitted": True}, {"commenced": True},
    )}  # fmt: skip
    is_open = str(SchemeFactory.create(active=True).pk)
    hidden = {str(SchemeFactory.create(**state).pk) for state in (
        {}, {"submitted": True}, {"commenced": True},
    )}  # fmt: skip

    def seen(person):
        rows = client_for(person).get("/api/schemes?page_size=100").json()["results"]
        return {row["id"] for row in rows}

    assert seen(UserFactory.create()) == {is_open}
    assert seen(foreman) == {is_open, *mine}
    assert seen(AdminFactory.create(is_superuser=False)) == {is_open}
    assert seen(admin) == {is_open, *mine, *hidden}


@pytest.fixture
def shelf(foreman):
    """Schemes that differ in all that a list can be narrowed by."""
    return {
        "small": SchemeFactory.create(active=True, foreman=foreman, name="Small"),
        "large": SchemeFactory.create(
            active=True, name="Large", monthly_installment=Decimal(5000), max_subscribers=10
        ),
        "draft": SchemeFactory.create(name="Draft"),
        "returned": SchemeFactory.create(name="Returned", returned=True),
        "live": SchemeFactory.create(name="Live", commenced=True),
        "agreed": StatutoryRecordFactory.create(
            scheme=SchemeFactory.create(active=True, name="Agreed", max_subscribers=4),
            kind=RecordKind.AGREEMENT,
        ).scheme,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=ACTIVE", {"Small", "Large", "Live", "Agreed"}),
        ("status=DRAFT", {"Draft", "Returned"}),
        ("stage=returned", {"Returned"}),
        ("stage=live", {"Live"}),
        ("stage=pso_approved", {"Small", "Large"}),
        ("stage=final_agreement_uploaded", {"Agreed"}),
        ("open_for_enrolment=true", {"Small", "Large", "Agreed"}),
        ("open_for_enrolment=false", {"Draft", "Returned", "Live"}),
        ("min_installment=1000.01", {"Large"}),
        ("max_installment=1000", {"Small", "Draft", "Returned", "Live", "Agreed"}),
        ("duration_months=4", {"Agreed"}),
        ("duration_months=99999999999999", set()),
        ("search=larg", {"Large"}),
        ("status=ACTIVE&stage=live", {"Live"}),
    ],
)
def test_the_list_is_narrowed(shelf, admin, query, names):
    rows = client_for(admin).get(f"/api/schemes?{query}").json()["results"]
    assert {row["name"] for row in rows} == names


def test_the_list_is_narrowed_to_a_foreman(shelf, admin, foreman):
    rows = client_for(admin).get(f"/api/schemes?foreman={foreman.pk}").json()["results"]
    assert [row["name"] for row in rows] == ["Small"]


@pytest.mark.parametrize(
    "query",
    ["status=NO", "stage=no", "foreman=x", "min_installment=NaN", "duration_months=x", "page=0"],
)
def test_filters_that_make_no_sense_are_refused(admin, query):
    assert client_for(admin).get(f"/api/schemes?{query}").status_code in (400, 404)


def test_the_list_is_ordered_by_allowed_columns_only(shelf, admin):
    client = client_for(admin)
    by_amount = client.get("/api/schemes?ordering=-total_amount").json()["results"]
    assert by_amount[0]["name"] == "Large"
    newest = [row["id"] for row in client.get("/api/schemes").json()["results"]]
    forbidden = client.get("/api/schemes?ordering=foreman__password").json()["results"]
    assert [row["id"] for row in forbidden] == newest


@pytest.mark.parametrize("who", ["user", "foreman", "admin"])
def test_a_list_costs_the_same_queries_however_long(who):
    person = {"user": UserFactory, "foreman": ForemanFactory, "admin": AdminFactory}[who].create()
    client = client_for(person)

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get("/api/schemes?page_size=100").status_code == 200
        return len(captured)

    SchemeFactory.create(active=True)
    few = queries()
    SchemeFactory.create_batch(7, active=True)
    assert queries() == few


def test_records_and_history_cost_the_same_queries_however_long(foreman):
    scheme = SchemeFactory.create(foreman=foreman)
    client = client_for(foreman)

    def queries(path):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/schemes/{scheme.pk}/{path}").status_code == 200
        return len(captured)

    update_scheme(scheme_id=scheme.pk, actor=foreman, name="Name 0")
    StatutoryRecordFactory.create(scheme=scheme, kind=RecordKind.SECURITY_DEPOSIT)
    few = {path: queries(path) for path in ("records", "history")}
    for number in range(1, 5):
        update_scheme(scheme_id=scheme.pk, actor=foreman, name=f"Name {number}")
    StatutoryRecordFactory.create(scheme=scheme, kind=RecordKind.AGREEMENT)
    assert {path: queries(path) for path in ("records", "history")} == few


def test_a_scheme_on_its_own_is_shown_as_in_the_list(admin):
    scheme = SchemeFactory.create(commenced=True)
    client = client_for(admin)
    one = client.get(f"/api/schemes/{scheme.pk}").json()
    assert client.get("/api/schemes").json()["results"] == [one]
    assert (one["status"], one["stage"]) == (SchemeStatus.ACTIVE, "live")
    assert one["certificate_number"]
