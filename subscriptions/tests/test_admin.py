"""Tickets at the desk are read and nothing else."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import AdminFactory, UserFactory
from schemes.tests.factories import SchemeFactory
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:subscriptions_subscription_changelist")


@pytest.fixture
def desk():
    client = Client()
    client.force_login(AdminFactory.create())
    return client


def test_tickets_are_found_by_scheme_and_holder(desk):
    SubscriptionFactory.create(subscriber__full_name="R. Meenakshi")
    SubscriptionFactory.create(subscriber__full_name="S. Karthikeyan")
    text = desk.get(LIST, {"q": "meenakshi"}).content.decode()
    assert "R. Meenakshi" in text
    assert "S. Karthikeyan" not in text


def test_a_ticket_is_neither_added_edited_nor_deleted(desk):
    ticket = SubscriptionFactory.create()
    page = reverse("admin:subscriptions_subscription_change", args=[ticket.pk])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"status": "COMPLETED"}).status_code == 403
    assert desk.get(reverse("admin:subscriptions_subscription_add")).status_code == 403
    delete = reverse("admin:subscriptions_subscription_delete", args=[ticket.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403


def test_nobody_but_staff_is_let_in():
    client = Client()
    client.force_login(UserFactory.create())
    assert client.get(LIST).status_code == 302


def test_the_list_costs_the_same_queries_however_long(desk):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST).status_code == 200
        return len(captured)

    scheme = SchemeFactory.create(active=True, max_subscribers=10)
    SubscriptionFactory.create(scheme=scheme)
    few = queries()
    SubscriptionFactory.create_batch(5, scheme=scheme)
    assert queries() == few
