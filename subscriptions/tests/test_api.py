"""Tickets over HTTP, and what schemes and people show because of them."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, UserStatus
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from schemes.models import Scheme
from schemes.tests.factories import SchemeFactory
from subscriptions.models import Subscription
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return UserFactory.create(kyc_verified=True)


@pytest.fixture
def admin():
    return AdminFactory.create()


@pytest.fixture
def scheme():
    return SchemeFactory.create(active=True)


def join(actor, scheme, **more):
    return client_for(actor).post("/api/subscriptions", {"scheme": str(scheme.pk), **more})


def rows(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def queries_of(client, path):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


# -- joining ---------------------------------------------------------------------------------


def test_a_subscriber_joins(person, scheme):
    answer = join(person, scheme)
    assert answer.status_code == 201
    ticket = answer.json()
    assert ticket["scheme"] == str(scheme.pk)
    assert ticket["subscriber"] == str(person.pk)
    assert (ticket["ticket_number"], ticket["status"]) == (2, "ACTIVE")
    assert (ticket["outstanding"], ticket["advance"]) == ("0.00", "0.00")
    assert ticket["next_due"] is ticket["prized_at"] is None
    assert {"id", "join_date", "created_at"} <= ticket.keys()


def test_a_foreman_adds_a_subscriber_under_a_number(person, scheme):
    answer = join(scheme.foreman, scheme, subscriber=str(person.pk), ticketNumber=4)
    assert (answer.status_code, answer.json()["ticket_number"]) == (201, 4)
    by_ucfsin = join(scheme.foreman, scheme, ucfsin=person.ucfsin)
    assert by_ucfsin.json()["subscriber"] == str(person.pk)


def test_what_keeps_somebody_out_is_said(scheme, admin, person):
    unverified = join(UserFactory.create(), scheme)
    assert (unverified.status_code, unverified.json()["code"]) == (403, "kyc_required")
    assert unverified.json()["message"] == "Forbidden"
    assert "/kyc" in unverified.json()["errors"][0]["message"]
    assert join(admin, scheme).status_code == 403
    assert join(person, scheme, ticket_number=1).status_code == 409
    assert join(person, scheme, ticket_number=6).status_code == 400
    assert join(person, scheme, subscriber=str(uuid4())).status_code == 403
    assert join(scheme.foreman, scheme).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"scheme": "x"},
        {"scheme": None},
        {"ticket_number": 0},
        {"ticket_number": 10**20},
        {"ticket_number": "x"},
        {"subscriber": "x"},
        {"ucfsin": "x" * 21},
    ],
)
def test_bad_values_are_answered_400(person, scheme, changes):
    answer = client_for(person).post("/api/subscriptions", {"scheme": str(scheme.pk), **changes})
    assert answer.status_code == 400
    assert not Subscription.objects.exists()


def test_losers_of_the_last_seat_are_answered_409(person):
    scheme = SchemeFactory.create(active=True, max_subscribers=2)
    assert join(UserFactory.create(kyc_verified=True), scheme).status_code == 201
    late = join(person, scheme)
    assert (late.status_code, late.json()["code"]) == (409, "scheme_full")


def test_a_scheme_that_is_unknown_or_not_public_is_404(person):
    assert join(person, SchemeFactory.create(submitted=True)).status_code == 404
    assert join(person, SchemeFactory.build()).status_code == 404


def test_joining_with_the_same_key_takes_one_ticket(person, scheme):
    client = client_for(person)
    answers = [
        client.post("/api/subscriptions", {"scheme": str(scheme.pk)}, HTTP_IDEMPOTENCY_KEY="join-1")
        for _ in range(3)
    ]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert Subscription.objects.count() == 1


# -- looking ---------------------------------------------------------------------------------


def test_each_sees_own_tickets_those_of_own_schemes_or_all(admin):
    mine, other = SubscriptionFactory.create(), SubscriptionFactory.create()

    def seen(who):
        return {row["id"] for row in rows(client_for(who).get("/api/subscriptions"))}

    assert seen(mine.subscriber) == {str(mine.pk)}
    assert seen(other.scheme.foreman) == {str(other.pk)}
    assert seen(ForemanFactory.create()) == seen(UserFactory.create()) == set()
    assert seen(AdminFactory.create(is_superuser=False)) == set()
    assert seen(admin) == {str(mine.pk), str(other.pk)}
    for stranger in (other.subscriber, other.scheme.foreman):
        for method in ("get", "put", "patch", "delete"):
            answer = getattr(client_for(stranger), method)(f"/api/subscriptions/{mine.pk}", {})
            assert answer.status_code == 404


def test_what_a_ticket_owes_and_has_won_is_shown(person):
    ticket = SubscriptionFactory.create(
        subscriber=person,
        scheme=SchemeFactory.create(commenced=True),
        outstanding=Decimal("1500.00"),
        next_due_number=3,
        next_due_on=date(2030, 3, 10),
        next_due_amount=Decimal("900.50"),
        prized_at=timezone.now(),
        prized_installment=2,
    )
    shown = client_for(person).get(f"/api/subscriptions/{ticket.pk}").json()
    assert shown["outstanding"] == "1500.00"
    assert shown["next_due"] == {"number": 3, "due_date": "2030-03-10", "amount": "900.50"}
    assert shown["prized_installment"] == 2
    assert shown["prized_at"]
    assert shown["scheme_name"] == ticket.scheme.name


def test_the_list_is_narrowed_and_ordered(admin):
    scheme = SchemeFactory.create(active=True)
    first = SubscriptionFactory.create(scheme=scheme, outstanding=Decimal(5))
    won = SubscriptionFactory.create(scheme=scheme, prized_at=timezone.now(), prized_installment=1)
    other = SubscriptionFactory.create()
    client = client_for(admin)

    def seen(query):
        return [row["id"] for row in rows(client.get(f"/api/subscriptions?{query}"))]

    assert seen("") == [str(other.pk), str(won.pk), str(first.pk)]
    assert seen(f"scheme={scheme.pk}") == [str(won.pk), str(first.pk)]
    assert seen("prized=true") == [str(won.pk)]
    assert seen("prized=false") == [str(other.pk), str(first.pk)]
    assert seen(f"subscriber={first.subscriber_id}") == [str(first.pk)]
    assert seen("status=REMOVED") == []
    assert seen(f"search={other.scheme.name}") == [str(other.pk)]
    assert seen("ordering=-outstanding")[0] == str(first.pk)
    assert client.get("/api/subscriptions?status=NO").status_code == 400


@pytest.mark.parametrize("who", ["user", "foreman", "admin"])
def test_a_list_costs_the_same_queries_however_long(who, person, admin):
    scheme = SchemeFactory.create(active=True, max_subscribers=12)
    actor = {"user": person, "foreman": scheme.foreman, "admin": admin}[who]
    client = client_for(actor)
    SubscriptionFactory.create(scheme=scheme, subscriber=person)
    paths = ["/api/subscriptions"]
    if who != "user":
        paths += [f"/api/schemes/{scheme.pk}/subscribers", "/api/users"]
    few = [queries_of(client, path) for path in paths]
    SubscriptionFactory.create_batch(4, scheme=scheme, subscriber=person)
    SubscriptionFactory.create_batch(4, scheme=scheme)
    assert [queries_of(client, path) for path in paths] == few


# -- changing and leaving ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch"])
def test_nominee_and_contact_preference_are_changed(person, method):
    ticket = SubscriptionFactory.create(subscriber=person)
    answer = getattr(client_for(person), method)(
        f"/api/subscriptions/{ticket.pk}",
        {
            "nominee": {"name": "P. Lakshmi", "relationship": "wife", "phoneNumber": "98765 43210"},
            "contact_preference": "SMS",
            "status": "COMPLETED",
            "outstanding": "0",
        },
    )
    assert answer.status_code == 200
    assert answer.json()["nominee"] == {
        "name": "P. Lakshmi",
        "relationship": "wife",
        "phone_number": "+919876543210",
    }
    assert answer.json()["contact_preference"] == "SMS"
    assert answer.json()["status"] == "ACTIVE"
    kept = client_for(person).put(f"/api/subscriptions/{ticket.pk}", {}).json()
    assert kept["nominee"]["name"] == "P. Lakshmi"


@pytest.mark.parametrize(
    "changes",
    [
        {"contact_preference": "PIGEON"},
        {"nominee": {"name": "x" * 256}},
        {"nominee": {"name": "x", "phone_number": "12"}},
        {"nominee": "x"},
        {"nominee": {"relationship": "wife"}},
    ],
)
def test_particulars_that_make_no_sense_are_400(person, changes):
    ticket = SubscriptionFactory.create(subscriber=person)
    answer = client_for(person).put(f"/api/subscriptions/{ticket.pk}", changes)
    assert answer.status_code == 400


def test_a_ticket_is_withdrawn_before_commencement_and_not_after(person, admin):
    ticket = SubscriptionFactory.create(subscriber=person)
    path = f"/api/subscriptions/{ticket.pk}"
    assert client_for(admin).delete(path).status_code == 403
    assert client_for(person).delete(path).status_code == 204
    assert client_for(person).get(path).json()["status"] == "REMOVED"
    assert client_for(person).delete(path).status_code == 409
    running = SubscriptionFactory.create(
        subscriber=person, scheme=SchemeFactory.create(commenced=True)
    )
    refused = client_for(person).delete(f"/api/subscriptions/{running.pk}")
    assert (refused.status_code, refused.json()["code"]) == (409, "has_commenced")
    assert "Transfer it" in refused.json()["message"]


# -- schemes because of tickets ------------------------------------------------------------------


def test_a_holder_goes_on_seeing_the_scheme_and_a_stranger_does_not(person):
    ticket = SubscriptionFactory.create(
        subscriber=person, scheme=SchemeFactory.create(commenced=True)
    )
    path = f"/api/schemes/{ticket.scheme_id}"
    assert client_for(person).get(path).status_code == 200
    assert [row["id"] for row in rows(client_for(person).get("/api/schemes"))] == [
        str(ticket.scheme_id)
    ]
    stranger = client_for(UserFactory.create())
    assert stranger.get(path).status_code == 404
    assert rows(stranger.get("/api/schemes")) == []


def test_several_tickets_show_a_scheme_once(person):
    scheme = SchemeFactory.create(active=True)
    SubscriptionFactory.create_batch(3, scheme=scheme, subscriber=person)
    answer = client_for(person).get("/api/schemes").json()
    assert (answer["count"], len(answer["results"])) == (1, 1)


def test_who_gave_the_ticket_back_sees_the_scheme_only_while_it_is_open(person):
    scheme = SchemeFactory.create(active=True)
    ticket = SubscriptionFactory.create(scheme=scheme, subscriber=person)
    client_for(person).delete(f"/api/subscriptions/{ticket.pk}")
    assert client_for(person).get(f"/api/schemes/{scheme.pk}").status_code == 200
    Scheme.objects.filter(pk=scheme.pk).update(commenced_on=date(2030, 1, 1))
    assert client_for(person).get(f"/api/schemes/{scheme.pk}").status_code == 404


def test_the_list_of_schemes_costs_the_same_queries_however_many_tickets(person):
    client = client_for(person)
    SubscriptionFactory.create(subscriber=person)
    few = queries_of(client, "/api/schemes")
    for _ in range(4):
        SubscriptionFactory.create(subscriber=person)
    assert queries_of(client, "/api/schemes") == few


def test_subscribers_are_shown_to_foreman_and_staff_by_number_without_birth_dates(admin, person):
    scheme = SchemeFactory.create(active=True)
    SubscriptionFactory.create(scheme=scheme, ticket_number=4)
    low = SubscriptionFactory.create(
        scheme=scheme, ticket_number=2, subscriber=person, outstanding=Decimal(7)
    )
    gone = SubscriptionFactory.create(scheme=scheme, ticket_number=3)
    path = f"/api/schemes/{scheme.pk}/subscribers"
    client_for(gone.subscriber).delete(f"/api/subscriptions/{gone.pk}")
    for reader in (scheme.foreman, admin):
        shown = rows(client_for(reader).get(path))
        assert [row["ticket_number"] for row in shown] == [2, 4]
        assert shown[0]["id"] == str(low.pk)
        assert shown[0]["outstanding"] == "7.00"
        assert shown[0]["subscriber"]["full_name"] == person.full_name
        assert shown[0]["subscriber"]["ucfsin"] == person.ucfsin
        assert "birth" not in str(shown)
    removed = rows(client_for(admin).get(f"{path}?status=REMOVED"))
    assert [row["ticket_number"] for row in removed] == [3]
    assert rows(client_for(scheme.foreman).get(f"{path}?status=REMOVED")) == []
    assert client_for(person).get(path).status_code == 403
    assert client_for(ForemanFactory.create()).get(path).status_code == 404
    assert client_for(AdminFactory.create(is_superuser=False)).get(path).status_code == 404


def test_a_chit_is_given_up_by_staff_only(admin, scheme):
    SubscriptionFactory.create(scheme=scheme)
    path = f"/api/schemes/{scheme.pk}/terminate"
    for stranger in (
        scheme.foreman,
        UserFactory.create(),
        AdminFactory.create(is_superuser=False),
    ):
        assert client_for(stranger).post(path, {"reason": "x"}).status_code == 403
    assert client_for(admin).post(path, {}).status_code == 400
    answer = client_for(admin).post(path, {"reason": "Too few."})
    assert (answer.status_code, answer.json()["stage"]) == (200, "terminated")
    assert answer.json()["current_subscribers"] == 0
    assert client_for(admin).post(path, {"reason": "Too few."}).status_code == 409
    unknown = f"/api/schemes/{uuid4()}/terminate"
    assert client_for(admin).post(unknown, {"reason": "x"}).status_code == 404


# -- people because of tickets ---------------------------------------------------------------------


def test_a_foreman_sees_themselves_and_their_subscribers_without_birth_dates(person):
    ticket = SubscriptionFactory.create(subscriber=person)
    SubscriptionFactory.create()
    foreman = ticket.scheme.foreman
    client = client_for(foreman)
    shown = rows(client.get("/api/users"))
    assert {row["id"] for row in shown} == {str(person.pk), str(foreman.pk)}
    assert "date_of_birth" not in shown[0]
    assert "date_of_birth" not in client.get(f"/api/users/{person.pk}").json()
    assert client.get(f"/api/users/{foreman.pk}").json()["date_of_birth"] == "1990-01-15"
    assert client_for(ForemanFactory.create()).get(f"/api/users/{person.pk}").status_code == 404


def test_a_foreman_sees_nobody_any_more_whose_ticket_was_withdrawn(person, scheme):
    client = client_for(scheme.foreman)
    ticket = join(scheme.foreman, scheme, ucfsin=person.ucfsin).json()
    assert client.get(f"/api/users/{person.pk}").status_code == 200
    assert client.delete(f"/api/subscriptions/{ticket['id']}").status_code == 204
    assert client.get(f"/api/users/{person.pk}").status_code == 404
    assert [row["id"] for row in rows(client.get("/api/users"))] == [str(scheme.foreman_id)]


def test_a_foreman_changes_nothing_of_a_subscriber(person):
    foreman = SubscriptionFactory.create(subscriber=person).scheme.foreman
    answer = client_for(foreman).patch(f"/api/users/{person.pk}", {"full_name": "Other"})
    assert answer.status_code == 403


def test_staff_see_people_with_birth_dates(admin, person):
    assert client_for(admin).get(f"/api/users/{person.pk}").json()["date_of_birth"]


def test_an_account_is_closed_by_staff_unless_a_ticket_runs(admin, person):
    ticket = SubscriptionFactory.create(subscriber=person)
    path = f"/api/users/{person.pk}"
    for stranger in (person, ticket.scheme.foreman, AdminFactory.create(is_superuser=False)):
        assert client_for(stranger).delete(path).status_code == 403
    refused = client_for(admin).delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    client_for(person).delete(f"/api/subscriptions/{ticket.pk}")
    assert client_for(admin).delete(path).status_code == 204
    person.refresh_from_db()
    assert person.status == UserStatus.SUSPENDED
    assert client_for(admin).delete(path).status_code == 409
    assert client_for(admin).delete(f"/api/users/{uuid4()}").status_code == 404
    assert client_for(admin).delete(f"/api/users/{admin.pk}").status_code == 403


def test_a_role_stays_while_a_ticket_runs(admin, person):
    ticket = SubscriptionFactory.create(subscriber=person)
    path, body = f"/api/users/{person.pk}/role", {"role": "ADMIN", "reason": "joins the office"}
    for stranger in (person, ticket.scheme.foreman, AdminFactory.create(is_superuser=False)):
        assert client_for(stranger).post(path, body).status_code == 403
    refused = client_for(admin).post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    person.refresh_from_db()
    assert person.role == Role.USER
    client_for(person).delete(f"/api/subscriptions/{ticket.pk}")
    assert client_for(admin).post(path, body).json()["role"] == Role.ADMIN


@pytest.mark.parametrize("state", [{}, {"submitted": True}, {"active": True}, {"commenced": True}])
def test_a_foreman_stays_one_while_a_scheme_is_unfinished(admin, state):
    scheme = SchemeFactory.create(**state)
    path = f"/api/users/{scheme.foreman_id}/role"
    refused = client_for(admin).post(path, {"role": "USER", "reason": "gives it up"})
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    assert "1 unfinished scheme(s)" in refused.json()["message"]


def test_a_foreman_without_an_unfinished_scheme_gets_another_role(admin, scheme):
    client_for(admin).post(f"/api/schemes/{scheme.pk}/terminate", {"reason": "Too few."})
    answer = client_for(admin).post(
        f"/api/users/{scheme.foreman_id}/role", {"role": "USER", "reason": "gives it up"}
    )
    assert (answer.status_code, answer.json()["role"]) == (200, Role.USER)


def test_nobody_is_answered_without_a_token(scheme):
    for path in ("/api/subscriptions", f"/api/schemes/{scheme.pk}/subscribers", "/api/users"):
        assert client_for(None).get(path).status_code == 401
