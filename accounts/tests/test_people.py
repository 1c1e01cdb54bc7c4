"""What the office decides about people: states, sessions, traces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection, transaction

from accounts.audit import record_audit_event
from accounts.models import AuditEvent, AuthSession, MailPurpose, Role, User, UserStatus
from accounts.services import (
    activate_user,
    approve_foreman,
    change_role,
    deactivate_user,
    suspend_user,
)
from accounts.services.people import change_password, record_changed_permissions
from accounts.tests.api import session_of
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.exceptions import InvalidTransition, NotAllowed, NotFound, WrongState
from chitfund.testing import in_own_connection, wait_for_blocked_query


def decisions():
    """Every change of authority, with somebody it fits."""
    admin = AdminFactory.create()
    why = {"actor": admin, "reason": "as decided"}
    return [
        (UserFactory.create(), lambda u: suspend_user(user_id=u.pk, **why)),
        (UserFactory.create(), lambda u: deactivate_user(user_id=u.pk, **why)),
        (UserFactory.create(suspended=True), lambda u: activate_user(user_id=u.pk, **why)),
        (
            ForemanFactory.create(unapproved=True),
            lambda u: approve_foreman(user_id=u.pk, **why),
        ),
        (UserFactory.create(), lambda u: change_role(user_id=u.pk, role=Role.ADMIN, **why)),
        (UserFactory.create(), lambda u: change_password(
            user_id=u.pk, actor=u, password="another good one")),
        (AdminFactory.create(), lambda u: record_changed_permissions(user_id=u.pk, actor=admin)),
    ]  # fmt: skip


@pytest.mark.django_db
def test_every_change_of_authority_ends_all_sessions_and_is_recorded_once():
    for user, decide in decisions():
        session_of(user)
        before = AuditEvent.objects.count()
        decide(user)

        fresh = User.objects.get(pk=user.pk)
        assert fresh.token_version == user.token_version + 1
        assert not AuthSession.objects.filter(user=user, ended_at=None).exists()
        assert AuditEvent.objects.count() == before + 1
        event = AuditEvent.objects.latest("id")
        assert (event.target_type, event.target_id) == ("user", user.pk)


@pytest.mark.django_db
def test_an_audit_event_knows_actor_trace_and_business_date():
    admin, user = AdminFactory.create(), UserFactory.create()
    suspend_user(user_id=user.pk, actor=admin, reason="fraud")

    event = AuditEvent.objects.get()
    assert (event.actor, event.verb) == (admin, "user.suspended")
    assert event.details == {"before": "ACTIVE", "reason": "fraud"}
    assert len(event.trace_id) == 32
    assert event.business_date is not None


@pytest.mark.django_db
def test_the_audit_trail_cannot_be_changed_or_removed():
    record_audit_event(actor=None, verb="user.seen", target=UserFactory.create())
    for statement in (
        "UPDATE audit_events SET verb = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ):
        with (
            pytest.raises(Exception, match=r"permission denied|never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_a_person_who_was_suspended_before_they_proved_their_address_is_pending_again():
    admin = AdminFactory.create()
    user = UserFactory.create(pending=True)
    suspend_user(user_id=user.pk, actor=admin, reason="doubts")

    assert activate_user(user_id=user.pk, actor=admin, reason="clear").status == "PENDING"


@pytest.mark.django_db
def test_only_a_suspended_person_is_activated():
    user = UserFactory.create(pending=True)
    with pytest.raises(WrongState, match="pending"):
        activate_user(user_id=user.pk, actor=AdminFactory.create(), reason="by mistake")


@pytest.mark.django_db
def test_nobody_approves_themselves_not_even_in_the_database():
    foreman = ForemanFactory.create(unapproved=True)
    with pytest.raises(NotAllowed):
        approve_foreman(user_id=foreman.pk, actor=foreman, reason="I am good")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=foreman.pk).update(foreman_approved_by=foreman)


@pytest.mark.django_db
def test_an_active_foreman_without_approval_cannot_be_written():
    with pytest.raises(IntegrityError), transaction.atomic():
        ForemanFactory.create(foreman_approved_at=None)


@pytest.mark.django_db
def test_an_approved_foreman_is_told():
    foreman = ForemanFactory.create(unapproved=True)
    approve_foreman(user_id=foreman.pk, actor=AdminFactory.create(), reason="papers seen")

    assert foreman.account_mails.get().purpose == MailPurpose.FOREMAN_APPROVED


@pytest.mark.django_db
def test_leaving_the_office_leaves_every_permission_behind():
    chief = AdminFactory.create()
    admin = AdminFactory.create()
    admin.groups.add(Group.objects.create(name="Clerks"))
    admin.user_permissions.add(Permission.objects.get(codename="suspend_user"))
    change_role(user_id=admin.pk, role=Role.USER, actor=chief, reason="left")
    back = change_role(user_id=admin.pk, role=Role.ADMIN, actor=chief, reason="returned")

    assert back.is_staff
    assert (back.is_superuser, back.groups.count(), back.user_permissions.count()) == (False, 0, 0)


@pytest.mark.django_db
def test_a_foreman_who_stops_being_one_needs_a_new_approval():
    admin = AdminFactory.create()
    foreman = ForemanFactory.create()
    change_role(user_id=foreman.pk, role=Role.USER, actor=admin, reason="retired")

    foreman.refresh_from_db()
    assert foreman.foreman_approved_at is None


@pytest.mark.django_db
def test_a_role_that_one_has_is_not_given_again():
    with pytest.raises(WrongState):
        change_role(
            user_id=UserFactory.create().pk,
            role=Role.USER,
            actor=AdminFactory.create(),
            reason="twice",
        )


@pytest.mark.django_db
def test_somebody_unknown_is_not_found():
    with pytest.raises(NotFound):
        suspend_user(user_id=AuthSession().pk, actor=AdminFactory.create(), reason="who is this")


@pytest.mark.django_db(transaction=True)
def test_the_later_of_two_suspensions_is_refused():
    user = UserFactory.create()
    first, second = AdminFactory.create_batch(2)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            suspend_user(user_id=user.pk, actor=first, reason="fraud")
            rival = pool.submit(
                in_own_connection(suspend_user), user_id=user.pk, actor=second, reason="fraud"
            )
            wait_for_blocked_query()
        with pytest.raises(InvalidTransition):
            rival.result(timeout=5)

    assert AuditEvent.objects.filter(verb="user.suspended").count() == 1
    user.refresh_from_db()
    assert (user.status, user.token_version) == (UserStatus.SUSPENDED, 1)
