"""Notifications."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from notifications.views import NotificationViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path("notifications", NotificationViewSet.as_view({"get": "list"}), name="notifications"),
    path(
        "notifications/read-all",
        NotificationViewSet.as_view({"post": "read_all"}),
        name="read-all-notifications",
    ),
    path(
        "notifications/<uuid:pk>/read",
        NotificationViewSet.as_view({"post": "read"}),
        name="read-notification",
    ),
]
