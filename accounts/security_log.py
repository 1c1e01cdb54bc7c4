"""Which audit events the security log shows, and how grave each is.

The log is a view on the audit trail, not a second record of the same. A verb that is not named
here is ordinary business; `accounts/tests/test_security_log.py` wants every new verb of accounts
to be put on one side or the other.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet

from accounts.audit import NOBODY
from accounts.models import AuditEvent, User
from accounts.services.audit_trail import first_id_of


class Severity(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


SEVERITIES: dict[str, Severity] = {
    # Somebody else may be inside, or rules and powers were changed.
    "session.reuse_detected": Severity.CRITICAL,
    "second_factor.reset": Severity.CRITICAL,
    "user.role_changed": Severity.CRITICAL,
    "user.permissions_changed": Severity.CRITICAL,
    "group.created": Severity.CRITICAL,
    "group.changed": Severity.CRITICAL,
    "group.deleted": Severity.CRITICAL,
    "business_date.moved": Severity.CRITICAL,
    # Somebody is trying, or personal data in bulk or in full went out.
    "limit.reached": Severity.HIGH,
    "token.refused_often": Severity.HIGH,
    "user.suspended": Severity.HIGH,
    "user.deactivated": Severity.HIGH,
    "second_factor.removed": Severity.HIGH,
    "recovery_code.used": Severity.HIGH,
    "bank_account.number_revealed": Severity.HIGH,
    "users.exported": Severity.HIGH,
    "user.data_exported": Severity.HIGH,
    "erasure.done": Severity.HIGH,
    # One refusal, or a change that its owner is told of.
    "access.denied": Severity.MEDIUM,
    "user.sign_in_failed": Severity.MEDIUM,
    "user.sign_in_refused": Severity.MEDIUM,
    "second_factor.refused": Severity.MEDIUM,
    "code.refused": Severity.MEDIUM,
    "user.password_refused": Severity.MEDIUM,
    "user.password_changed": Severity.MEDIUM,
    "user.password_reset": Severity.MEDIUM,
    "erasure.requested": Severity.MEDIUM,
    "erasure.refused": Severity.MEDIUM,
    "user.reset_link_sent": Severity.MEDIUM,
    "user.email_changed": Severity.MEDIUM,
    "user.phone_changed": Severity.MEDIUM,
    "user.activated": Severity.MEDIUM,
    "user.foreman_approved": Severity.MEDIUM,
    "recovery_codes.renewed": Severity.MEDIUM,
    "identity.linked": Severity.MEDIUM,
    "identity.unlinked": Severity.MEDIUM,
    "kyc.listed": Severity.MEDIUM,
    "kyc.file_opened": Severity.MEDIUM,
    # What people do every day, worth seeing beside the rest.
    "session.opened": Severity.LOW,
    "session.ended": Severity.LOW,
    "user.signed_out_everywhere": Severity.LOW,
    "desk.opened": Severity.LOW,
    "second_factor.begun": Severity.LOW,
    "second_factor.added": Severity.LOW,
    "second_factor.shown": Severity.LOW,
    "code.requested": Severity.LOW,
    "code.verified": Severity.LOW,
    "user.created": Severity.LOW,
    "user.email_verified": Severity.LOW,
    "user.email_change_asked": Severity.LOW,
    "user.verification_asked": Severity.LOW,
    "user.reset_asked": Severity.LOW,
    "user.invitation_resent": Severity.LOW,
}
BY_SEVERITY = {
    severity: [verb for verb, other in SEVERITIES.items() if other == severity]
    for severity in Severity
}


def security_events() -> QuerySet[AuditEvent]:
    """Return the audit events that the security log shows, newest first."""
    return AuditEvent.objects.filter(verb__in=SEVERITIES).order_by("-id")


def severity_of(event: AuditEvent) -> Severity:
    return SEVERITIES[event.verb]


def subject_of(event: AuditEvent) -> UUID | None:
    """Return whom an event is about: who did it, or whose account somebody unknown tried."""
    if event.actor_id is not None:
        return event.actor_id
    is_person = event.target_type == User._meta.model_name and event.target_id != NOBODY
    return event.target_id if is_person else None


def about(user_id: UUID) -> Q:
    """Return the condition for events that a person did or that were done to their account."""
    return Q(actor=user_id) | Q(target_type=User._meta.model_name, target_id=user_id)


def since(moment: datetime) -> Q:
    """Return the condition for events from a moment on; ids are in order of time."""
    return Q(id__gte=first_id_of(moment))


def until(moment: datetime) -> Q:
    """Return the condition for events before a moment."""
    return Q(id__lt=first_id_of(moment))
