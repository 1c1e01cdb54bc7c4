"""Where schemes are served. The list and one scheme are served by `subscriptions`, which knows
who holds a ticket."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from schemes.views import HistoryViewSet, RecordViewSet, SchemeViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "schemes/<uuid:pk>/submit", SchemeViewSet.as_view({"post": "submit"}), name="submit-scheme"
    ),
    path(
        "schemes/<uuid:pk>/approve",
        SchemeViewSet.as_view({"post": "approve"}),
        name="approve-scheme",
    ),
    path(
        "schemes/<uuid:pk>/return",
        SchemeViewSet.as_view({"post": "send_back"}),
        name="return-scheme",
    ),
    path(
        "schemes/<uuid:pk>/records",
        RecordViewSet.as_view({"get": "list", "post": "create"}),
        name="scheme-records",
    ),
    path(
        "schemes/<uuid:pk>/history",
        HistoryViewSet.as_view({"get": "list"}),
        name="scheme-history",
    ),
]
