"""Rows about people, their sessions, and the office's own records."""

from accounts.models.office import (
    AuditEvent,
    BusinessClock,
    IdempotencyRecord,
    JobRun,
    JobStatus,
    NumberSeries,
)
from accounts.models.sessions import (
    AccountMail,
    AttemptCounter,
    AuthSession,
    MailPurpose,
    RefreshToken,
)
from accounts.models.users import KycStatus, Role, User, UserStatus

__all__ = [
    "AccountMail",
    "AttemptCounter",
    "AuditEvent",
    "AuthSession",
    "BusinessClock",
    "IdempotencyRecord",
    "JobRun",
    "JobStatus",
    "KycStatus",
    "MailPurpose",
    "NumberSeries",
    "RefreshToken",
    "Role",
    "User",
    "UserStatus",
]
