"""The office's addresses: API, its description, the staff desk, and the two health checks."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.desk_second_factor import second_factor_page
from chitfund.health import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api-docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("admin/second-factor/", second_factor_page, name="desk-second-factor"),
    path("admin/", admin.site.urls),
    path("api/", include("chitfund.api_router")),
]

handler400 = "chitfund.api.errors.bad_request"
handler403 = "chitfund.api.errors.permission_denied"
handler404 = "chitfund.api.errors.page_not_found"
handler500 = "chitfund.api.errors.server_error"
