"""Withdrawing, giving a chit up, closing an account."""

import pytest

from accounts.models import AuditEvent, UserStatus
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from notifications.models import Notification, NotificationEvent
from schemes.models import Scheme, SchemeStatus
from schemes.tests.factories import SchemeFactory
from subscriptions.models import Subscription, SubscriptionStatus
from subscriptions.services import (
    deactivate_person,
    terminate_scheme,
    update_particulars,
    withdraw,
)
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket():
    return SubscriptionFactory.create()


@pytest.fixture
def admin():
    return AdminFactory.create()


def running_ticket():
    """Return a ticket of a chit that has commenced."""
    return SubscriptionFactory.create(scheme=SchemeFactory.create(commenced=True))


def test_a_holder_withdraws_and_the_seat_is_free_again(ticket):
    withdraw(subscription_id=ticket.pk, actor=ticket.subscriber)
    ticket.refresh_from_db()
    assert ticket.status == SubscriptionStatus.REMOVED
    assert ticket.withdrawn_at is not None
    assert ticket.withdrawal_reason == "Withdrawn by the holder."
    assert Scheme.objects.get().current_subscribers == 0
    event = AuditEvent.objects.get()
    assert (event.verb, event.target_id) == ("subscription.withdrawn", ticket.pk)


def test_the_foreman_withdraws_a_ticket_of_an_own_scheme(ticket):
    withdraw(subscription_id=ticket.pk, actor=ticket.scheme.foreman, reason="Moved away.")
    ticket.refresh_from_db()
    assert ticket.withdrawal_reason == "Moved away."


def test_a_holder_is_told_when_somebody_else_withdraws_their_ticket_and_not_by_oneself(ticket):
    own = SubscriptionFactory.create(scheme=ticket.scheme)
    withdraw(subscription_id=own.pk, actor=own.subscriber)
    assert not Notification.objects.exists()
    withdraw(subscription_id=ticket.pk, actor=ticket.scheme.foreman)
    told = Notification.objects.get()
    assert (told.recipient, told.event) == (ticket.subscriber, NotificationEvent.TICKET_WITHDRAWN)
    assert told.context == {
        "scheme": ticket.scheme.name,
        "ticket": str(ticket.ticket_number),
        "reason": "Withdrawn by the foreman.",
    }


def test_nobody_else_withdraws_a_ticket(ticket, admin):
    for stranger in (UserFactory.create(), ForemanFactory.create(), admin):
        with pytest.raises(NotAllowed):
            withdraw(subscription_id=ticket.pk, actor=stranger)
    with pytest.raises(NotFound):
        withdraw(subscription_id=ticket.scheme_id, actor=ticket.subscriber)


def test_after_commencement_a_ticket_is_transferred_not_withdrawn():
    ticket = running_ticket()
    with pytest.raises(WrongState, match="Transfer it") as refusal:
        withdraw(subscription_id=ticket.pk, actor=ticket.subscriber)
    assert refusal.value.code == "has_commenced"
    assert Scheme.objects.get().current_subscribers == 1


def test_a_ticket_is_withdrawn_once(ticket):
    withdraw(subscription_id=ticket.pk, actor=ticket.subscriber)
    with pytest.raises(WrongState, match="removed already"):
        withdraw(subscription_id=ticket.pk, actor=ticket.subscriber)
    assert Scheme.objects.get().current_subscribers == 0


# -- giving up -------------------------------------------------------------------------------


def test_a_chit_that_is_given_up_releases_its_tickets_and_tells_everybody(ticket, admin):
    scheme = ticket.scheme
    SubscriptionFactory.create(scheme=scheme, subscriber=ticket.subscriber)
    other = SubscriptionFactory.create(scheme=scheme)
    gone = SubscriptionFactory.create(scheme=scheme)
    withdraw(subscription_id=gone.pk, actor=gone.subscriber)
    terminate_scheme(scheme_id=scheme.pk, actor=admin, reason="Too few subscribers.")
    scheme.refresh_from_db()
    assert (scheme.status, scheme.current_subscribers) == (SchemeStatus.TERMINATED, 0)
    assert scheme.termination_reason == "Too few subscribers."
    assert scheme.terminated_at is not None
    assert set(Subscription.objects.values_list("status", flat=True)) == {"REMOVED"}
    gone.refresh_from_db()
    assert gone.withdrawal_reason == "Withdrawn by the holder."
    told = Notification.objects.all()
    assert {row.recipient for row in told} == {scheme.foreman, ticket.subscriber, other.subscriber}
    assert len(told) == 3
    assert all("Too few subscribers." in row.body for row in told)
    event = AuditEvent.objects.get(verb="scheme.terminated")
    assert (event.actor, event.target_id) == (admin, scheme.pk)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, "Only a sanctioned scheme"),
        ({"submitted": True}, "Return it to its foreman instead"),
        ({"commenced": True}, "runs until its books close"),
    ],
)
def test_only_a_sanctioned_chit_before_commencement_is_given_up(admin, state, told):
    scheme = SchemeFactory.create(**state)
    with pytest.raises(WrongState, match=told):
        terminate_scheme(scheme_id=scheme.pk, actor=admin, reason="x")
    scheme.refresh_from_db()
    assert scheme.status != SchemeStatus.TERMINATED


def test_giving_up_needs_a_reason_and_another_person(admin):
    scheme = SchemeFactory.create(active=True)
    with pytest.raises(InvalidInput):
        terminate_scheme(scheme_id=scheme.pk, actor=admin, reason=" ")
    with pytest.raises(NotAllowed):
        terminate_scheme(scheme_id=scheme.pk, actor=scheme.foreman, reason="x")


# -- closing an account -------------------------------------------------------------------------


def test_a_person_without_running_tickets_is_deactivated(ticket, admin):
    person = ticket.subscriber
    withdraw(subscription_id=ticket.pk, actor=person)
    deactivate_person(user_id=person.pk, actor=admin)
    person.refresh_from_db()
    assert person.status == UserStatus.SUSPENDED


def test_a_holder_of_a_running_ticket_is_not_deactivated(ticket, admin):
    with pytest.raises(Conflict, match=r"1 running ticket\(s\) and 0") as refusal:
        deactivate_person(user_id=ticket.subscriber_id, actor=admin)
    assert refusal.value.code == "still_running"
    ticket.subscriber.refresh_from_db()
    assert ticket.subscriber.status == UserStatus.ACTIVE


@pytest.mark.parametrize("state", ["submitted", "active", "commenced"])
def test_a_foreman_with_a_running_scheme_is_not_deactivated(admin, state):
    scheme = SchemeFactory.create(**{state: True})
    with pytest.raises(Conflict, match="1 running or submitted"):
        deactivate_person(user_id=scheme.foreman_id, actor=admin)


def test_a_foreman_with_drafts_only_is_deactivated(admin):
    scheme = SchemeFactory.create()
    deactivate_person(user_id=scheme.foreman_id, actor=admin)
    scheme.foreman.refresh_from_db()
    assert scheme.foreman.status == UserStatus.SUSPENDED


# -- particulars ---------------------------------------------------------------------------------


def test_holder_foreman_and_staff_say_who_the_nominee_is(ticket, admin):
    for actor in (ticket.subscriber, ticket.scheme.foreman, admin):
        update_particulars(subscription_id=ticket.pk, actor=actor, nominee_name=actor.full_name)
        ticket.refresh_from_db()
        assert ticket.nominee_name == actor.full_name
    assert AuditEvent.objects.filter(verb="subscription.changed").count() == 3


def test_saying_the_same_again_changes_nothing(ticket):
    update_particulars(subscription_id=ticket.pk, actor=ticket.subscriber, nominee_name="")
    assert not AuditEvent.objects.exists()


def test_strangers_change_nothing(ticket):
    for stranger in (UserFactory.create(), AdminFactory.create(is_superuser=False)):
        with pytest.raises(NotAllowed):
            update_particulars(subscription_id=ticket.pk, actor=stranger, nominee_name="x")


def test_a_ticket_that_was_given_back_is_not_changed(ticket):
    withdraw(subscription_id=ticket.pk, actor=ticket.subscriber)
    with pytest.raises(WrongState):
        update_particulars(subscription_id=ticket.pk, actor=ticket.subscriber, nominee_name="x")
