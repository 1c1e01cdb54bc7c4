"""What an administrator reads to see whether somebody is at the doors."""

from __future__ import annotations

import ipaddress
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.permissions import IsAuthenticated

from accounts import security_log
from accounts.api import OfficeViewSet
from accounts.models import AuditEvent
from accounts.permissions import needs
from accounts.security_log import BY_SEVERITY, SEVERITIES, Severity
from accounts.serializers_security import SecurityEventSerializer
from chitfund.api.pagination import KeysetPagination

TAG = "Security"


def _as_address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError as exc:
        raise ValidationError("This is no IP address.") from exc


class _AddressField(forms.CharField):
    default_validators = [_as_address]


class _AddressFilter(django_filters.Filter):
    field_class = _AddressField


class SecurityEventFilter(django_filters.FilterSet):
    """By weight, address, person, time and verb."""

    severity = django_filters.ChoiceFilter(choices=Severity.choices, method="by_severity")
    ip = _AddressFilter(field_name="ip_address")
    user = django_filters.UUIDFilter(method="by_user")
    action = django_filters.ChoiceFilter(
        field_name="verb", choices=[(verb, verb) for verb in sorted(SEVERITIES)]
    )
    to = django_filters.IsoDateTimeFilter(method="by_end")

    class Meta:
        model = AuditEvent
        fields = ()

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Add `from`, which is a word of Python's."""
        return {
            "from": django_filters.IsoDateTimeFilter(method="by_start"),
            **super().get_filters(),
        }

    def by_severity(self, events: QuerySet[AuditEvent], _: str, value: str) -> Any:
        return events.filter(verb__in=BY_SEVERITY[Severity(value)])

    def by_user(self, events: QuerySet[AuditEvent], _: str, value: Any) -> Any:
        return events.filter(security_log.about(value))

    def by_start(self, events: QuerySet[AuditEvent], _: str, value: Any) -> Any:
        return events.filter(security_log.since(value))

    def by_end(self, events: QuerySet[AuditEvent], _: str, value: Any) -> Any:
        return events.filter(security_log.until(value))


@extend_schema_view(list=extend_schema(tags=[TAG]))
class ActivityLogViewSet(mixins.ListModelMixin, OfficeViewSet):
    """Events of weight for the security of the office, newest first."""

    queryset = AuditEvent.objects.none()
    serializer_class = SecurityEventSerializer
    permission_classes = (IsAuthenticated, needs("accounts.view_security_log"))
    pagination_class = KeysetPagination
    filter_backends = (DjangoFilterBackend,)
    filterset_class = SecurityEventFilter
    # Who looks for this and may not is worth knowing.
    records_denied_reads = True

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return security_log.security_events()
