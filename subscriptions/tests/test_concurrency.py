"""The last seat, and what else two people want at once: forced, with a negative control."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, transaction

from accounts.models import UserStatus
from accounts.services import suspend_user
from accounts.tests.factories import AdminFactory, UserFactory
from chitfund.exceptions import Conflict, WrongState
from chitfund.testing import in_own_connection, wait_for_blocked_query
from schemes.models import Scheme
from schemes.tests.factories import SchemeFactory
from subscriptions.models import HOLDING, Subscription
from subscriptions.services import (
    deactivate_person,
    enrol,
    enrolment,
    terminate_scheme,
    withdraw,
)
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def in_the_shadow_of(first, rival):
    """Run `first` uncommitted, let `rival` run into its lock, commit, return the rival's end."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            late = pool.submit(in_own_connection(rival))
            wait_for_blocked_query()
        return late.exception(timeout=10)


def people(count):
    return UserFactory.create_batch(count, kyc_verified=True)


def one_seat():
    scheme = SchemeFactory.create(active=True, max_subscribers=2)
    assert scheme.seats_left == 1
    return scheme


def sold(scheme):
    return Subscription.objects.filter(scheme=scheme, status__in=HOLDING).count()


def test_the_last_seat_is_sold_once():
    scheme = one_seat()
    asha, ravi = people(2)
    refusal = in_the_shadow_of(
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
        lambda: enrol(scheme_id=scheme.pk, actor=ravi),
    )
    assert isinstance(refusal, Conflict)
    assert refusal.code == "scheme_full"
    assert sold(scheme) == 1
    assert Scheme.objects.get(pk=scheme.pk).current_subscribers == 1


def test_without_the_lock_the_table_is_what_is_left(monkeypatch):
    """Negative control: unlocked, the loser has read a free seat and only a constraint stops
    it; so it is the lock that makes the refusal above."""
    monkeypatch.setattr(enrolment, "lock_scheme", lambda pk: Scheme.objects.get(pk=pk))
    scheme = one_seat()
    asha, ravi = people(2)
    refusal = in_the_shadow_of(
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
        lambda: enrol(scheme_id=scheme.pk, actor=ravi),
    )
    assert isinstance(refusal, IntegrityError)


def test_two_who_want_the_same_number_do_not_both_get_it():
    scheme = SchemeFactory.create(active=True)
    asha, ravi = people(2)
    refusal = in_the_shadow_of(
        lambda: enrol(scheme_id=scheme.pk, actor=asha, ticket_number=4),
        lambda: enrol(scheme_id=scheme.pk, actor=ravi, ticket_number=4),
    )
    assert isinstance(refusal, Conflict)
    assert refusal.code == "ticket_taken"


def test_two_who_want_any_number_get_different_ones():
    scheme = SchemeFactory.create(active=True)
    asha, ravi = people(2)
    outcome = in_the_shadow_of(
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
        lambda: enrol(scheme_id=scheme.pk, actor=ravi),
    )
    assert outcome is None
    numbers = Subscription.objects.values_list("ticket_number", flat=True)
    assert sorted(numbers) == [2, 3]
    assert Scheme.objects.get().current_subscribers == 2


def test_a_ticket_withdrawn_twice_at_once_is_counted_once():
    ticket = SubscriptionFactory.create()
    foreman = ticket.scheme.foreman
    refusal = in_the_shadow_of(
        lambda: withdraw(subscription_id=ticket.pk, actor=ticket.subscriber),
        lambda: withdraw(subscription_id=ticket.pk, actor=foreman),
    )
    assert isinstance(refusal, WrongState)
    assert Scheme.objects.get().current_subscribers == 0


def test_a_chit_that_is_being_given_up_takes_nobody():
    scheme, admin, (asha,) = one_seat(), AdminFactory.create(), people(1)
    refusal = in_the_shadow_of(
        lambda: terminate_scheme(scheme_id=scheme.pk, actor=admin, reason="Too few."),
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
    )
    assert isinstance(refusal, WrongState)
    assert sold(scheme) == 0


def test_nobody_joins_while_their_account_is_being_closed():
    scheme, admin, (asha,) = one_seat(), AdminFactory.create(), people(1)
    refusal = in_the_shadow_of(
        lambda: deactivate_person(user_id=asha.pk, actor=admin),
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
    )
    assert isinstance(refusal, WrongState)
    assert sold(scheme) == 0


def test_an_account_is_not_closed_over_a_ticket_that_is_being_taken():
    scheme, admin, (asha,) = one_seat(), AdminFactory.create(), people(1)
    refusal = in_the_shadow_of(
        lambda: enrol(scheme_id=scheme.pk, actor=asha),
        lambda: deactivate_person(user_id=asha.pk, actor=admin),
    )
    assert isinstance(refusal, Conflict)
    asha.refresh_from_db()
    assert asha.status == UserStatus.ACTIVE


def test_nobody_joins_while_they_are_being_suspended():
    scheme, admin, (asha,) = one_seat(), AdminFactory.create(), people(1)
    refusal = in_the_shadow_of(
        lambda: suspend_user(user_id=asha.pk, actor=admin, reason="Fraud."),
        lambda: enrol(scheme_id=scheme.pk, actor=scheme.foreman, subscriber_id=asha.pk),
    )
    assert isinstance(refusal, WrongState)
    assert sold(scheme) == 0
