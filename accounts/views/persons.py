"""Views below `/api/users/{id}/`: about one person, for that person and for the office."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.permissions import IsAuthenticated

from accounts.api import OfficeViewSet
from accounts.models import User
from accounts.permissions import has_staff_permission


class PersonViewSet(OfficeViewSet):
    """One person's own rows: theirs, and staff's with the permission; 404 to everybody else.

    A foreman sees who subscribes to them, never what those say about themselves.
    """

    permission_classes = (IsAuthenticated,)
    view_permission = ""
    # Empty where only the person themselves may write.
    change_permission = ""

    @property
    def is_own(self) -> bool:
        return str(self.kwargs["pk"]) == str(self.request.user.pk)

    def person_to_read(self) -> User:
        """Return the person, or 404 to whoever may not see these rows of theirs."""
        if self.is_own:
            return self.request.user
        if not has_staff_permission(self.request.user, self.view_permission):
            raise Http404
        return self._person()

    def person_to_change(self) -> User:
        """Return the person; 403 to staff who may look and not write."""
        if self.is_own:
            return self.request.user
        # A superuser has every permission, the one without a name too.
        may_change = bool(self.change_permission) and has_staff_permission(
            self.request.user, self.change_permission
        )
        if not may_change:
            self.person_to_read()
            self.permission_denied(self.request, message=self._why_not())
        return self._person()

    def found(self, rows: QuerySet[Any], key: Any) -> Any:
        """Return one row of the person's, or 404."""
        row = rows.filter(pk=key).first()
        if row is None:
            raise Http404
        return row

    def _why_not(self) -> str:
        if not self.change_permission:
            return "Only the person themselves may do this."
        return f"Only an administrator with the permission {self.change_permission} may do this."

    def _person(self) -> Any:
        person = User.objects.filter(pk=self.kwargs["pk"]).first()
        if person is None:
            raise Http404
        return person
