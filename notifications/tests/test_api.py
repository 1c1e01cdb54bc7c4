"""What I was told, over HTTP."""

from __future__ import annotations

import pytest

from accounts.tests.api import client_for
from accounts.tests.factories import UserFactory
from notifications.models import Notification, NotificationEvent
from notifications.services import notify, unread_count
from notifications.tests.factories import NotificationFactory

PATH = "/api/notifications"


@pytest.mark.django_db
def test_one_reads_ones_own_newest_first():
    user = UserFactory.create()
    older = NotificationFactory.create(recipient=user)
    newer = NotificationFactory.create(recipient=user)
    NotificationFactory.create()
    response = client_for(user).get(PATH)

    assert response.json().keys() == {"next", "previous", "results"}
    rows = response.json()["results"]
    assert [row["id"] for row in rows] == [str(newer.pk), str(older.pk)]
    assert rows[0].keys() == {
        "id", "event", "title", "body", "context", "is_read", "read_at", "created_at",
    }  # fmt: skip
    assert client_for(None).get(PATH).status_code == 401


@pytest.mark.django_db
def test_the_list_goes_on_where_it_stopped():
    user = UserFactory.create()
    made = NotificationFactory.create_batch(5, recipient=user)
    client = client_for(user)
    first = client.get(PATH, {"page_size": 2}).json()
    NotificationFactory.create(recipient=user)  # what comes meanwhile moves nothing
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()

    seen = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert seen == [str(row.pk) for row in reversed(made)]
    assert third["next"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0%3D"])
def test_a_made_up_cursor_is_not_found(cursor):
    assert client_for(UserFactory.create()).get(f"{PATH}?cursor={cursor}").status_code == 404


@pytest.mark.django_db
def test_the_list_is_filtered():
    user = UserFactory.create()
    done = notify(recipient_id=user.pk, event=NotificationEvent.SCHEME_COMPLETED, scheme="Lakshmi")
    read = NotificationFactory.create(recipient=user)
    client = client_for(user)
    client.post(f"{PATH}/{read.pk}/read")

    def found(query):
        return [row["id"] for row in client.get(f"{PATH}?{query}").json()["results"]]

    assert found("unread=true") == [str(done.pk)]
    assert found("unread=false") == [str(read.pk)]
    assert found("event=SCHEME_COMPLETED") == [str(done.pk)]
    assert found("channel=EMAIL") == [str(done.pk)]
    assert found("channel=IN_APP&unread=true") == [str(done.pk)]
    assert client.get(f"{PATH}?event=PARTY").status_code == 400


@pytest.mark.django_db
def test_reading_one_is_remembered_the_first_time():
    user = UserFactory.create()
    told = NotificationFactory.create(recipient=user)
    client = client_for(user)
    first = client.post(f"{PATH}/{told.pk}/read").json()
    second = client.post(f"{PATH}/{told.pk}/read").json()

    assert first["is_read"] is True
    assert second["read_at"] == first["read_at"]


@pytest.mark.django_db
def test_somebody_elses_is_not_found_and_not_read():
    told = NotificationFactory.create()

    assert client_for(UserFactory.create()).post(f"{PATH}/{told.pk}/read").status_code == 404
    told.refresh_from_db()
    assert told.read_at is None


@pytest.mark.django_db
def test_reading_all_reads_ones_own():
    user = UserFactory.create()
    NotificationFactory.create_batch(3, recipient=user)
    other = NotificationFactory.create()
    client = client_for(user)
    assert unread_count(user) == 3

    assert client.post(f"{PATH}/read-all").json() == {"read": 3}
    assert client.post(f"{PATH}/read-all").json() == {"read": 0}
    assert Notification.objects.filter(read_at=None).get() == other


@pytest.mark.django_db
def test_the_list_asks_the_same_however_long_it_is(django_assert_num_queries):
    user = UserFactory.create()
    client = client_for(user)
    for count in (1, 15):
        NotificationFactory.create_batch(count, recipient=user)
        with django_assert_num_queries(2):
            client.get(PATH)
