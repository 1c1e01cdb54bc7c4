"""Joining: the KYC gate, seats and numbers, and who may add whom."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEvent, KycStatus
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.business_date import business_date
from chitfund.exceptions import (
    Conflict,
    DomainError,
    InvalidInput,
    NotAllowed,
    NotFound,
    WrongState,
)
from notifications.models import Notification, NotificationEvent
from schemes.models import Scheme
from schemes.tests.factories import SchemeFactory
from subscriptions.models import Subscription, SubscriptionStatus
from subscriptions.services import create_foreman_ticket, enrol, withdraw
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme():
    return SchemeFactory.create(active=True)


@pytest.fixture
def person():
    return UserFactory.create(kyc_verified=True)


def taken(scheme):
    return list(
        Subscription.objects.filter(scheme=scheme, status=SubscriptionStatus.ACTIVE)
        .order_by("ticket_number")
        .values_list("ticket_number", flat=True)
    )


def count_of(scheme):
    return Scheme.objects.values_list("current_subscribers", flat=True).get(pk=scheme.pk)


# -- the gate --------------------------------------------------------------------------------


def test_a_verified_person_joins(scheme, person):
    ticket = enrol(scheme_id=scheme.pk, actor=person)
    ticket.refresh_from_db()
    assert (ticket.subscriber, ticket.enrolled_by) == (person, person)
    assert (ticket.ticket_number, ticket.join_date) == (2, business_date())
    assert ticket.status == SubscriptionStatus.ACTIVE
    assert count_of(scheme) == 1
    event = AuditEvent.objects.get()
    assert (event.verb, event.target_id) == ("subscription.enrolled", ticket.pk)
    assert event.details == {"scheme": str(scheme.pk), "ticket_number": 2}


@pytest.mark.parametrize("standing", [s for s in KycStatus if s != KycStatus.VERIFIED])
def test_without_verified_kyc_nobody_joins(scheme, standing):
    person = UserFactory.create(kyc_status=standing)
    with pytest.raises(NotAllowed, match="Upload an identity document") as own:
        enrol(scheme_id=scheme.pk, actor=person)
    assert own.value.code == "kyc_required"
    assert count_of(scheme) == 0


def test_who_cannot_be_added_is_refused_in_the_same_words_whatever_the_reason(scheme):
    people = [
        *(UserFactory.create(kyc_status=s) for s in KycStatus if s != KycStatus.VERIFIED),
        UserFactory.create(kyc_verified=True, pending=True),
        UserFactory.create(kyc_verified=True, suspended=True),
        AdminFactory.create(kyc_verified=True),
    ]
    named = [
        {"ucfsin": "UCFSIN-1999-000001"},
        {"ucfsin": ""},
        {"subscriber_id": scheme.pk},
        *({"ucfsin": person.ucfsin} for person in people),
        *({"subscriber_id": person.pk} for person in people),
    ]
    refusals = set()
    for who in named:
        with pytest.raises(WrongState) as refusal:
            enrol(scheme_id=scheme.pk, actor=scheme.foreman, **who)
        refusals.add((refusal.value.message, refusal.value.code, refusal.value.errors))
    assert len(refusals) == 1
    message, code, _errors = refusals.pop()
    assert "check in their own account that it is active and KYC-verified" in message
    assert code == "cannot_be_enrolled"
    assert count_of(scheme) == 0
    assert not Notification.objects.exists()


@pytest.mark.parametrize("ticket_number", [None, 2, 99])
def test_where_no_ticket_can_be_had_nobody_learns_how_a_person_stands(ticket_number):
    seats = 2 if ticket_number is None else 3
    scheme = SchemeFactory.create(active=True, max_subscribers=seats)
    SubscriptionFactory.create(scheme=scheme, ticket_number=2)
    told = set()
    for who in (UserFactory.create(kyc_verified=True), UserFactory.create()):
        with pytest.raises(DomainError) as refusal:
            enrol(
                scheme_id=scheme.pk,
                actor=scheme.foreman,
                subscriber_id=who.pk,
                ticket_number=ticket_number,
            )
        told.add((refusal.value.message, refusal.value.code))
    assert len(told) == 1


def test_a_person_is_told_when_a_foreman_enrols_them_and_not_when_they_join(scheme, person):
    enrol(scheme_id=scheme.pk, actor=person)
    assert not Notification.objects.exists()
    ticket = enrol(scheme_id=scheme.pk, actor=scheme.foreman, ucfsin=person.ucfsin)
    told = Notification.objects.get()
    assert (told.recipient, told.event) == (person, NotificationEvent.TICKET_TAKEN)
    assert told.context == {"scheme": scheme.name, "ticket": str(ticket.ticket_number)}


def test_the_standing_is_read_when_the_lock_is_had_and_not_when_the_token_was(scheme, person):
    type(person).objects.filter(pk=person.pk).update(kyc_status=KycStatus.REJECTED)
    assert person.is_kyc_verified
    with pytest.raises(NotAllowed):
        enrol(scheme_id=scheme.pk, actor=person)


# -- who -------------------------------------------------------------------------------------


def test_a_foreman_adds_a_person_by_id_or_ucfsin(scheme, person):
    foreman = scheme.foreman
    enrol(scheme_id=scheme.pk, actor=foreman, subscriber_id=person.pk)
    ticket = enrol(scheme_id=scheme.pk, actor=foreman, ucfsin=f" {person.ucfsin.lower()} ")
    assert (ticket.subscriber, ticket.enrolled_by) == (person, foreman)
    assert taken(scheme) == [2, 3]


def test_a_foreman_names_somebody(scheme):
    with pytest.raises(InvalidInput, match="Name the subscriber"):
        enrol(scheme_id=scheme.pk, actor=scheme.foreman)


def test_nobody_adds_others_to_a_scheme_they_do_not_run(scheme, person):
    for stranger in (UserFactory.create(kyc_verified=True), ForemanFactory.create()):
        for who in ({"subscriber_id": person.pk}, {"ucfsin": "UCFSIN-1999-000001"}):
            with pytest.raises(NotAllowed, match="for yourself only"):
                enrol(scheme_id=scheme.pk, actor=stranger, **who)


def test_naming_oneself_is_joining(scheme, person):
    enrol(scheme_id=scheme.pk, actor=person, subscriber_id=person.pk)
    assert taken(scheme) == [2]


def test_a_foreman_joins_the_scheme_of_another_but_not_an_own_one(scheme):
    other = ForemanFactory.create(kyc_verified=True)
    enrol(scheme_id=scheme.pk, actor=other)
    with pytest.raises(NotAllowed, match="foreman's ticket only"):
        enrol(scheme_id=scheme.pk, actor=scheme.foreman, subscriber_id=scheme.foreman_id)


def test_administrators_neither_enrol_nor_hold_tickets(scheme, person):
    admin = AdminFactory.create(kyc_verified=True)
    for subscriber in (None, person.pk):
        with pytest.raises(NotAllowed, match="Administrators do not enrol"):
            enrol(scheme_id=scheme.pk, actor=admin, subscriber_id=subscriber)


# -- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [{}, {"submitted": True}])
def test_a_scheme_that_is_not_public_does_not_exist_for_others(state, person):
    scheme = SchemeFactory.create(**state)
    with pytest.raises(NotFound):
        enrol(scheme_id=scheme.pk, actor=person)
    with pytest.raises(WrongState, match="between its sanction and its commencement"):
        enrol(scheme_id=scheme.pk, actor=scheme.foreman, subscriber_id=person.pk)


def test_a_running_chit_takes_nobody(person):
    scheme = SchemeFactory.create(commenced=True)
    with pytest.raises(WrongState, match="has commenced"):
        enrol(scheme_id=scheme.pk, actor=person)


def test_the_foremans_seat_is_kept_and_the_rest_is_sold(person):
    scheme = SchemeFactory.create(active=True, max_subscribers=3)
    assert [enrol(scheme_id=scheme.pk, actor=person).ticket_number for _ in range(2)] == [2, 3]
    with pytest.raises(Conflict, match="are taken") as refusal:
        enrol(scheme_id=scheme.pk, actor=person)
    assert refusal.value.code == "scheme_full"
    assert count_of(scheme) == 2


def test_without_a_foremans_ticket_every_seat_is_sold(person):
    scheme = SchemeFactory.create(active=True, max_subscribers=3, foreman_installment=None)
    assert [enrol(scheme_id=scheme.pk, actor=person).ticket_number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Conflict):
        enrol(scheme_id=scheme.pk, actor=person)


# -- numbers -----------------------------------------------------------------------------------


def test_a_wanted_number_is_given_and_the_next_free_one_otherwise(scheme, person):
    assert enrol(scheme_id=scheme.pk, actor=person, ticket_number=3).ticket_number == 3
    assert enrol(scheme_id=scheme.pk, actor=person).ticket_number == 2
    assert enrol(scheme_id=scheme.pk, actor=person).ticket_number == 4


@pytest.mark.parametrize(
    ("number", "refusal", "told"),
    [
        (1, Conflict, "is the foreman's"),
        (3, Conflict, "is taken. Free are 2, 4, 5"),
        (6, InvalidInput, "1 to 5"),
        (0, InvalidInput, "1 to 5"),
    ],
)
def test_a_number_that_is_not_free_is_refused_with_those_that_are(scheme, number, refusal, told):
    SubscriptionFactory.create(scheme=scheme, ticket_number=3)
    with pytest.raises(refusal, match=told):
        enrol(
            scheme_id=scheme.pk,
            actor=UserFactory.create(kyc_verified=True),
            ticket_number=number,
        )


def test_the_number_of_a_withdrawn_ticket_is_free_again(scheme, person):
    first = enrol(scheme_id=scheme.pk, actor=person)
    enrol(scheme_id=scheme.pk, actor=person)
    withdraw(subscription_id=first.pk, actor=person)
    assert enrol(scheme_id=scheme.pk, actor=person).ticket_number == 2


# -- the foreman's ticket --------------------------------------------------------------------


def test_commencement_takes_number_one_for_the_foreman():
    scheme, admin = SchemeFactory.create(active=True), AdminFactory.create()
    ticket = create_foreman_ticket(scheme=scheme, actor=admin)
    assert (ticket.ticket_number, ticket.is_foreman_ticket) == (1, True)
    assert (ticket.subscriber_id, ticket.enrolled_by) == (scheme.foreman_id, admin)
    assert count_of(scheme) == scheme.current_subscribers == 1


def test_a_foreman_without_a_ticket_gets_none():
    scheme = SchemeFactory.create(active=True, foreman_installment=None)
    with pytest.raises(WrongState, match="no ticket"):
        create_foreman_ticket(scheme=scheme, actor=AdminFactory.create())


# -- what the tables say by themselves ----------------------------------------------------------


def commit(write=lambda: None):
    """Write, and have the deferred rules looked at as the commit would."""
    with transaction.atomic(), connection.cursor() as cursor:
        write()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_ticket_that_is_not_counted_is_refused_at_the_commit(scheme, person):
    def uncounted():
        Subscription.objects.create(
            scheme=scheme,
            subscriber=person,
            ticket_number=2,
            join_date=business_date(),
            enrolled_by=person,
        )

    with pytest.raises(IntegrityError, match="count disagree"):
        commit(uncounted)


@pytest.mark.parametrize("spoil", [
    lambda t: Scheme.objects.filter(pk=t.scheme_id).update(current_subscribers=0),
    lambda t: Subscription.objects.filter(pk=t.pk).update(status=SubscriptionStatus.REMOVED),
])  # fmt: skip
def test_a_count_that_leaves_its_tickets_is_refused_at_the_commit(scheme, spoil):
    ticket = SubscriptionFactory.create(scheme=scheme)
    commit()
    with pytest.raises(IntegrityError, match="count disagree"):
        commit(lambda: spoil(ticket))


@pytest.mark.parametrize(
    "changes", [{"ticket_number": 5}, {"scheme": lambda: SchemeFactory.create(active=True)}]
)
def test_a_ticket_stays_in_its_scheme_under_its_number(scheme, changes):
    ticket = SubscriptionFactory.create(scheme=scheme)
    changes = {name: value() if callable(value) else value for name, value in changes.items()}
    with pytest.raises(IntegrityError, match="stays in its scheme"), transaction.atomic():
        Subscription.objects.filter(pk=ticket.pk).update(**changes)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("one_holder_per_ticket", {"ticket_number": 2}),
        ("foreman_ticket_is_number_1", {"ticket_number": 3, "is_foreman_ticket": True}),
        ("contact_preference_is_known", {"ticket_number": 3, "contact_preference": "PIGEON"}),
        ("ticket_number_is_positive", {"ticket_number": 0}),
    ],
)
def test_the_table_refuses_tickets_that_must_not_be(scheme, rule, changes):
    SubscriptionFactory.create(scheme=scheme, ticket_number=2)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        SubscriptionFactory.create(scheme=scheme, **changes)
