"""Roles and permissions: who may act for the office."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from rest_framework.test import APIRequestFactory

from accounts.models import Role
from accounts.permissions import (
    IsAdministrator,
    IsForeman,
    IsForemanOrAdministrator,
    has_staff_permission,
    is_administrator,
    needs,
)
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory

SUSPEND = "accounts.suspend_user"


def lets(permission, user):
    request = APIRequestFactory().get("/")
    request.user = user
    return permission().has_permission(request, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (IsAdministrator, {Role.ADMIN}),
        (IsForeman, {Role.FOREMAN}),
        (IsForemanOrAdministrator, {Role.FOREMAN, Role.ADMIN}),
        (needs(SUSPEND), {Role.ADMIN}),
    ],
)
def test_each_permission_lets_its_roles_in_while_they_are_active(permission, roles):
    for factory in (UserFactory, ForemanFactory, AdminFactory):
        active = factory.create()
        assert lets(permission, active) == (active.role in roles)
        assert not lets(permission, factory.create(suspended=True))
    assert not lets(permission, AnonymousUser())


@pytest.mark.django_db
def test_staff_need_the_role_and_the_permission_together():
    clerk = AdminFactory.create(is_superuser=False)
    foreman = ForemanFactory.create()
    for person in (clerk, foreman):
        assert not has_staff_permission(person, SUSPEND)
        person.user_permissions.add(Permission.objects.get(codename="suspend_user"))

    assert has_staff_permission(type(clerk).objects.get(pk=clerk.pk), SUSPEND)
    assert not has_staff_permission(type(clerk).objects.get(pk=foreman.pk), SUSPEND)
    assert not has_staff_permission(UserFactory.create(is_superuser=True), SUSPEND)


@pytest.mark.django_db
def test_a_suspended_administrator_acts_for_nobody():
    assert is_administrator(AdminFactory.create())
    assert not is_administrator(AdminFactory.create(suspended=True))
