"""Who is signed in, and what waits for them: `GET /api/auth/me`."""

from __future__ import annotations

import pytest

from accounts.models import KycStatus
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from notifications.models import Notification, NotificationEvent
from notifications.services import mark_all_read, notify
from payments.tests.asking import error
from payments.tests.chits import Chit, running_chit
from subscriptions.models import Subscription, SubscriptionStatus

pytestmark = pytest.mark.django_db

# api.md: the `user` of every answer.
USER = {
    "id", "ucfsin", "role", "email", "phone_number", "full_name", "date_of_birth", "status",
    "chit_score", "created_at", "updated_at",
}  # fmt: skip


def me(person, path: str = "/api/auth/me") -> dict:
    response = client_for(person).get(path)
    assert response.status_code == 200
    return response.json()


def test_one_sees_oneself_and_no_secret():
    user = UserFactory.create(kyc_verified=True)
    body = me(user)
    assert set(body) == {"user", "profile", "kyc", "unread", "tickets"}
    assert set(body["user"]) >= USER
    assert (body["user"]["id"], body["user"]["ucfsin"]) == (str(user.pk), user.ucfsin)
    assert (body["user"]["email"], body["user"]["date_of_birth"]) == (user.email, "1990-01-15")
    assert not {"password", "password_hash", "token_version"} & set(body["user"])


@pytest.mark.parametrize(
    ("make", "role"), [(UserFactory, "USER"), (ForemanFactory, "FOREMAN"), (AdminFactory, "ADMIN")]
)
def test_everybody_who_is_signed_in_may_ask(make, role):
    assert me(make.create())["user"]["role"] == role


def test_without_a_token_one_is_nobody():
    error(client_for(None).get("/api/auth/me"), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("status", "is_verified"),
    [
        (KycStatus.NONE, False),
        (KycStatus.PENDING, False),
        (KycStatus.REJECTED, False),
        (KycStatus.VERIFIED, True),
    ],
)
def test_kyc_says_where_it_stands(status, is_verified):
    assert me(UserFactory.create(kyc_status=status))["kyc"] == {
        "status": status,
        "is_verified": is_verified,
    }


def test_unread_counts_ones_own_and_what_was_read_no_more():
    user, other = UserFactory.create(), UserFactory.create()
    for person in (user, user, other):
        notify(recipient_id=person.pk, event=NotificationEvent.SCHEME_COMPLETED, scheme="Lakshmi")
    assert me(user)["unread"] == {"notifications": 2}
    mark_all_read(reader=user)
    assert me(user)["unread"] == {"notifications": 0}
    assert Notification.objects.filter(recipient=other, read_at=None).count() == 1


def test_tickets_are_counted_by_how_they_stand():
    chit = Chit.sanctioned(tickets=3)
    member = chit.members[0]
    for number in (1, 2):
        chit.enrol(number, member)
    chit.enrol(3)
    chit.commence()
    assert me(member)["tickets"] == {"active": 2, "completed": 0}
    assert me(chit.members[2])["tickets"] == {"active": 1, "completed": 0}
    Subscription.objects.filter(pk=chit.ticket(1).pk).update(status=SubscriptionStatus.DEFAULTED)
    assert me(member)["tickets"] == {"active": 1, "completed": 0}
    assert me(chit.foreman)["tickets"] == {"active": 0, "completed": 0}


def test_tickets_of_a_chit_that_has_closed_are_completed():
    chit = running_chit(2)
    chit.play_to_the_end()
    assert me(chit.members[0])["tickets"] == {"active": 0, "completed": 1}


def test_it_asks_the_same_however_much_there_is(django_assert_num_queries):
    chit = Chit.sanctioned(tickets=4)
    member = chit.members[0]
    client = client_for(member)
    with django_assert_num_queries(4):
        client.get("/api/auth/me")
    for number in (1, 2, 3, 4):
        chit.enrol(number, member)
    chit.commence()
    assert Notification.objects.filter(recipient=member).count() > 1
    with django_assert_num_queries(4):
        client.get("/api/auth/me")


@pytest.mark.parametrize("path", ["/api/auth/me/", "/api/v1/auth/me", "/api/v1/auth/me/"])
def test_the_path_works_with_a_slash_and_a_version(path):
    user = UserFactory.create()
    assert me(user, path) == me(user)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_only(method):
    client = client_for(UserFactory.create())
    error(getattr(client, method)("/api/auth/me", {}), 405, "method_not_allowed")
