"""Where tickets are served, and the paths of schemes and people that know tickets."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from subscriptions.views.people import TicketAwareUserViewSet
from subscriptions.views.schemes import (
    SubscribersViewSet,
    TerminationViewSet,
    TicketAwareSchemeViewSet,
)
from subscriptions.views.tickets import SubscriptionViewSet

_one = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
_many = {"get": "list", "post": "create"}

urlpatterns: list[URLPattern | URLResolver] = [
    path("subscriptions", SubscriptionViewSet.as_view({**_many}), name="subscriptions"),
    path("subscriptions/<uuid:pk>", SubscriptionViewSet.as_view({**_one}), name="subscription"),
    path("schemes", TicketAwareSchemeViewSet.as_view({**_many}), name="schemes"),
    path("schemes/<uuid:pk>", TicketAwareSchemeViewSet.as_view({**_one}), name="scheme"),
    path(
        "schemes/<uuid:pk>/subscribers",
        SubscribersViewSet.as_view({"get": "list"}),
        name="scheme-subscribers",
    ),
    path(
        "schemes/<uuid:pk>/terminate",
        TerminationViewSet.as_view({"post": "terminate"}),
        name="terminate-scheme",
    ),
    path("users", TicketAwareUserViewSet.as_view({**_many}), name="users"),
    path("users/<uuid:pk>", TicketAwareUserViewSet.as_view({**_one}), name="user"),
    path(
        "users/<uuid:pk>/role",
        TicketAwareUserViewSet.as_view({"post": "role"}),
        name="change-role",
    ),
]
