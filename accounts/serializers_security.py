"""The security log as it is read."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuditEvent
from accounts.security_log import Severity, severity_of, subject_of


class SecurityEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One event, in the portal's words."""

    timestamp = serializers.DateTimeField(source="created_at", read_only=True)
    ip = serializers.IPAddressField(source="ip_address", read_only=True)
    user_id = serializers.SerializerMethodField(
        help_text="Who did it; where that is nobody, whose account was tried."
    )
    action = serializers.CharField(source="verb", read_only=True)
    path = serializers.CharField(
        source="route", read_only=True, help_text="Method and route, without the ids in it."
    )
    severity = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = (
            "id", "timestamp", "ip", "user_id", "action", "path", "severity", "target_type",
            "target_id", "details", "trace_id",
        )  # fmt: skip
        read_only_fields = fields

    def get_user_id(self, event: AuditEvent) -> UUID | None:
        return subject_of(event)

    @extend_schema_field(serializers.ChoiceField(choices=Severity.choices))
    def get_severity(self, event: AuditEvent) -> str:
        return severity_of(event)
