"""Roles as permission classes. Ownership is the queryset's business, not theirs."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Role, User
from chitfund.exceptions import NotAllowed


def is_administrator(user: Any) -> bool:
    """Tell whether a user (or an anonymous one) acts for the office."""
    return _has_role(user, Role.ADMIN)


def has_staff_permission(user: Any, permission: str) -> bool:
    """Tell whether a user is an administrator with a Django permission (`app.codename`).

    Role and permission together: the same check in the API and in the admin.
    """
    return is_administrator(user) and user.has_perm(permission)


def refuse_over_superuser(user: User, actor: User) -> None:
    """Keep superusers out of clerks' hands; as nobody does this to themselves, one is left."""
    if user.is_superuser and not actor.is_superuser:
        raise NotAllowed("Only a superuser decides about a superuser.")


def _has_role(user: Any, *roles: Role) -> bool:
    return bool(user and user.is_authenticated and user.is_active and user.role in roles)


class _HasRole(BasePermission):
    roles: tuple[Role, ...] = ()

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _has_role(request.user, *self.roles)


class IsAdministrator(_HasRole):
    message = "Only an administrator may do this."
    roles = (Role.ADMIN,)


class IsForeman(_HasRole):
    message = "Only a foreman may do this."
    roles = (Role.FOREMAN,)


class IsForemanOrAdministrator(_HasRole):
    message = "Only a foreman or an administrator may do this."
    roles = (Role.FOREMAN, Role.ADMIN)


def needs(permission: str) -> type[BasePermission]:
    """Return the permission class for administrators who hold a Django permission."""

    class NeedsPermission(BasePermission):
        message = f"Only an administrator with the permission {permission} may do this."

        def has_permission(self, request: Request, view: APIView) -> bool:
            return has_staff_permission(request.user, permission)

    return NeedsPermission
