"""What `accounts` holds about one person: sections of their export, and what is kept of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import (
    AccountMail,
    Address,
    AuditEvent,
    AuthSession,
    BankAccount,
    Consent,
    ErasureRequest,
    ExternalIdentity,
    ForemanProfile,
    Nominee,
    TimeBasedFactor,
    User,
    UserProfile,
)
from chitfund.data_rights import Hold, rows_of

CONTRACT = "Digital Personal Data Protection Act 2023, s.6 and s.8"


def account(user_id: UUID) -> list[dict[str, Any]]:
    return rows_of(
        User.objects.filter(pk=user_id),
        "id", "ucfsin", "role", "email", "phone_number", "full_name", "date_of_birth",
        "status", "kyc_status", "chit_score", "email_verified_at", "phone_verified_at",
        "foreman_approved_at", "last_login", "created_at", "updated_at",
    )  # fmt: skip


def profile(user_id: UUID) -> list[dict[str, Any]]:
    return rows_of(
        UserProfile.objects.filter(user=user_id),
        "occupation", "annual_income", "income_source", "employer", "designation",
        "experience_years", "updated_at",
    )  # fmt: skip


def addresses(user_id: UUID) -> list[dict[str, Any]]:
    return rows_of(
        Address.objects.filter(user=user_id),
        "kind", "line1", "line2", "landmark", "city", "district", "state", "pin_code",
        "updated_at",
    )  # fmt: skip


def nominees(user_id: UUID) -> list[dict[str, Any]]:
    return rows_of(
        Nominee.objects.filter(user=user_id),
        "full_name", "relation", "date_of_birth", "share", "contact_number", "email",
        "guardian_name", "guardian_relation", "created_at",
    )  # fmt: skip


def bank_accounts(user_id: UUID) -> list[dict[str, Any]]:
    """Without the whole number: its owner has it, and the file lies about."""
    return rows_of(
        BankAccount.objects.filter(user=user_id),
        "holder_name", "number_last4", "ifsc", "bank_name", "branch_name", "account_type",
        "joint_holder_name", "joint_holder_relation", "is_primary", "created_at",
    )  # fmt: skip


def consents(user_id: UUID) -> list[dict[str, Any]]:
    rows = Consent.objects.filter(user=user_id)
    return rows_of(
        rows,
        "purpose",
        "version",
        "granted",
        "created_at",
    )


def foreman_profile(user_id: UUID) -> list[dict[str, Any]]:
    return rows_of(
        ForemanProfile.objects.filter(user=user_id),
        "company_name", "licence_number", "licence_expires_on", "pan_masked",
        "state_of_registration", "line1", "line2", "city", "state", "pin_code",
        "designation", "status", "submitted_at", "decided_at", "return_reason",
    )  # fmt: skip


def sessions(user_id: UUID) -> list[dict[str, Any]]:
    rows = AuthSession.objects.filter(user=user_id)
    return rows_of(
        rows,
        "user_agent",
        "ip_address",
        "created_at",
        "last_used_at",
        "ended_at",
        "end_reason",
    )


def identities(user_id: UUID) -> list[dict[str, Any]]:
    """Which providers sign them in."""
    rows = ExternalIdentity.objects.filter(user=user_id)
    return rows_of(rows, "provider", "created_at", "last_used_at")


def erasure_requests(user_id: UUID) -> list[dict[str, Any]]:
    rows = ErasureRequest.objects.filter(user=user_id)
    return rows_of(
        rows,
        "status",
        "note",
        "erased",
        "kept",
        "created_at",
        "decided_at",
        "decision_reason",
    )


def audit_events(user_id: UUID) -> list[dict[str, Any]]:
    """What they did and what was decided about them; not who of the office did it."""
    rows = AuditEvent.objects.filter(
        Q(actor=user_id) | Q(target_type="user", target_id=user_id)
    ).order_by("id")
    return [
        {
            "verb": row.verb,
            "target_type": row.target_type,
            "target_id": row.target_id,
            "by": "you" if row.actor_id == user_id else "the office",
            "at": row.created_at,
        }
        for row in rows.iterator(chunk_size=1000)
    ]


def second_factor(user_id: UUID) -> list[dict[str, Any]]:
    """Tell that there is one, and since when; its secret is nobody's to read."""
    return rows_of(TimeBasedFactor.objects.filter(user=user_id), "created_at", "confirmed_at")


def account_mails(user_id: UUID) -> list[dict[str, Any]]:
    rows = AccountMail.objects.filter(user=user_id)
    return rows_of(rows, "purpose", "address", "created_at", "sent_at")


def erase_identities(user_id: UUID) -> int:
    """Unlink other sign-in providers; the password still signs in."""
    return ExternalIdentity.objects.filter(user=user_id).delete()[0]


def account_hold(user_id: UUID) -> list[Hold]:
    """The account itself stays, closed, and so does the proof of what was agreed."""
    return [
        Hold(
            what=("account", "foreman_profile", "consents", "audit_events"),
            law=CONTRACT,
            why="Whoever processes personal data has to prove what was agreed, decided and done. "
            "A closed account is kept shut, and its address stays taken.",
            until=None,
        ),
        Hold(
            what=("sessions", "second_factor", "account_mails", "erasure_requests"),
            law="Digital Personal Data Protection Act 2023, s.8(5)",
            why="Who signed in from where, and what was asked and told, finds an intruder and "
            "proves what the office did. Sessions go ninety days after their end, mails after "
            "thirty; a request for erasure stays as the proof of it.",
            until=None,
        ),
    ]
