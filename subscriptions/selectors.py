"""Reads of tickets: own ones, those of a foreman's schemes, all for staff."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Role, User
from accounts.permissions import has_staff_permission
from schemes.models import Scheme
from schemes.selectors import managed_schemes
from subscriptions.models import HOLDING, Subscription, SubscriptionStatus

VIEW_PERMISSION = "subscriptions.view_subscription"


def visible_tickets(user: User) -> QuerySet[Subscription]:
    """Return the tickets that somebody may see, with their schemes."""
    tickets = Subscription.objects.select_related("scheme")
    if has_staff_permission(user, VIEW_PERMISSION):
        return tickets
    return tickets.filter(Q(subscriber=user.pk) | Q(scheme__foreman=user.pk))


def schemes_with_subscribers_for(user: User) -> QuerySet[Scheme]:
    """Return the schemes whose subscribers somebody may see: own ones, or all for staff."""
    return managed_schemes(user, permission=VIEW_PERMISSION)


def tickets_with_holders(scheme: Scheme, viewer: User) -> QuerySet[Subscription]:
    """Return a scheme's tickets by number, each with its holder.

    Who gave a ticket back is shown to staff only: to the foreman they are a stranger again.
    """
    tickets = Subscription.objects.filter(scheme=scheme).select_related("subscriber")
    if not has_staff_permission(viewer, VIEW_PERMISSION):
        tickets = tickets.exclude(status=SubscriptionStatus.REMOVED)
    return tickets.order_by("ticket_number", "id")


def where_held_by(user: User) -> Q:
    """Return the condition that somebody holds a ticket of a scheme."""
    held = Subscription.objects.filter(subscriber=user.pk, status__in=HOLDING)
    return Q(pk__in=held.values("scheme"))


def foreman_and_subscribers(foreman: User) -> QuerySet[User]:
    """Return a foreman and everybody who has a ticket of a scheme of theirs.

    Not those whose ticket was withdrawn: or enrolling a stranger and withdrawing the ticket
    would show their address for ever.
    """
    tickets = Subscription.objects.filter(scheme__foreman=foreman.pk)
    theirs = tickets.exclude(status=SubscriptionStatus.REMOVED)
    return User.objects.filter(Q(pk=foreman.pk) | Q(pk__in=theirs.values("subscriber")))


def is_foreman(user: User) -> bool:
    return getattr(user, "role", None) == Role.FOREMAN
