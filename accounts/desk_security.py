"""The desk's page for the security log: read, filtered, never changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.models import AuditEvent, SecurityEvent
from accounts.permissions import has_staff_permission
from accounts.security_log import BY_SEVERITY, SEVERITIES, Severity, severity_of
from chitfund.desk import ReadOnlyAdmin

COLOURS = {
    Severity.LOW: "default",
    Severity.MEDIUM: "info",
    Severity.HIGH: "warning",
    Severity.CRITICAL: "danger",
}


class SeverityFilter(admin.SimpleListFilter):
    """By weight, the gravest first."""

    title = "severity"
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(severity.value, str(severity.label)) for severity in reversed(Severity)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in Severity.values:
            return queryset
        return queryset.filter(verb__in=BY_SEVERITY[Severity(self.value())])


class ActionFilter(admin.SimpleListFilter):
    """By verb, of those that the log shows."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, verb) for verb in sorted(SEVERITIES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    """Who is at the doors: the audit events of weight, for administrators who may see them."""

    date_hierarchy = "created_at"
    list_display = (
        "created_at", "severity", "verb", "ip_address", "actor", "route", "target_type", "trace_id",
    )  # fmt: skip
    list_filter = (SeverityFilter, ActionFilter)
    list_select_related = ("actor",)
    search_fields = ("ip_address__startswith", "trace_id", "actor__email", "target_id")
    fields = (
        "created_at", "severity", "verb", "actor", "ip_address", "route", "target_type",
        "target_id", "details", "business_date", "trace_id",
    )  # fmt: skip
    readonly_fields = ("created_at", "severity")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecurityEvent]:
        events: QuerySet[SecurityEvent] = super().get_queryset(request)
        return events.filter(verb__in=SEVERITIES)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return has_staff_permission(request.user, "accounts.view_security_log")

    @display(description="Severity", label={c.value: COLOURS[c] for c in Severity})
    def severity(self, event: SecurityEvent) -> str:
        return severity_of(event).value
