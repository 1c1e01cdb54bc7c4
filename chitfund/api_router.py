"""The one place where all API routes meet. Who serves a path is said by its app's urls.py."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from accounts.urls import urlpatterns as accounts_routes
from auctions.urls import urlpatterns as auctions_routes
from kyc.urls import urlpatterns as kyc_routes
from notifications.urls import urlpatterns as notifications_routes
from payments.urls import urlpatterns as payments_routes
from reports.urls import urlpatterns as reports_routes
from schemes.urls import urlpatterns as schemes_routes
from subscriptions.urls import urlpatterns as subscriptions_routes

# Upper apps first: where two apps answer the same path (a scheme list that knows tickets),
# the one that knows more is asked.
urlpatterns: list[URLPattern | URLResolver] = [
    *reports_routes,
    *payments_routes,
    *auctions_routes,
    *subscriptions_routes,
    *schemes_routes,
    *kyc_routes,
    *notifications_routes,
    *accounts_routes,
]
