"""Reads of schemes: who may see which, and what happened to one."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import AuditEvent, User
from accounts.permissions import has_staff_permission
from schemes.models import OPEN_FOR_ENROLMENT, Scheme

VIEW_PERMISSION = "schemes.view_scheme"


def visible_schemes(user: User, *, also: Q | None = None) -> QuerySet[Scheme]:
    """Return the schemes that somebody may see, with what they are shown with.

    All for staff with the right; else those open for enrolment, those they run, and `also`:
    where somebody holds a ticket is known further up.
    """
    schemes = Scheme.objects.with_records()
    if has_staff_permission(user, VIEW_PERMISSION):
        return schemes
    return schemes.filter(OPEN_FOR_ENROLMENT | Q(foreman=user.pk) | (also or Q()))


def managed_schemes(user: User, *, permission: str = VIEW_PERMISSION) -> QuerySet[Scheme]:
    """Return the schemes that somebody runs, or all for staff with the permission.

    Whose papers they may read; apps above ask with a permission of their own.
    """
    if has_staff_permission(user, permission):
        return Scheme.objects.all()
    return Scheme.objects.filter(foreman=user.pk)


def history_of(scheme_id: UUID) -> QuerySet[AuditEvent]:
    """Return what was done to a scheme, newest first."""
    events = AuditEvent.objects.filter(target_type=Scheme._meta.model_name, target_id=scheme_id)
    return events.select_related("actor")
