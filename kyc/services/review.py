"""The review desk: only people verify, and nobody their own document."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.services.sessions import lock_user
from chitfund.exceptions import InvalidInput, InvalidTransition, NotAllowed, NotFound
from kyc.models import UserKYC, VerificationStatus
from kyc.services.standing import refresh_standing
from notifications.models import NotificationEvent
from notifications.services import notify


@transaction.atomic
def verify_document(*, document_id: UUID, actor: User) -> UserKYC:
    """Accept a document; its owner may join chits from now on."""
    document = _lock_for_review(document_id, actor)
    _decide(document, VerificationStatus.VERIFIED, actor)
    document.verified_at = document.reviewed_at
    document.save()
    refresh_standing(document.user)
    record_audit_event(actor=actor, verb="kyc.verified", target=document)
    notify(
        recipient_id=document.user_id,
        event=NotificationEvent.KYC_VERIFIED,
        document=document.get_document_type_display(),
    )
    return document


@transaction.atomic
def reject_document(*, document_id: UUID, actor: User, reason: str) -> UserKYC:
    """Refuse a document, a verified one too, and tell its owner why."""
    document = _lock_for_review(document_id, actor)
    if not reason.strip():
        raise InvalidInput.on("reason", "Say what is wrong with the document.", code="required")
    _decide(document, VerificationStatus.REJECTED, actor)
    document.verified_at = None
    document.rejection_reason = reason
    document.save()
    refresh_standing(document.user)
    record_audit_event(actor=actor, verb="kyc.rejected", target=document, reason=reason)
    notify(
        recipient_id=document.user_id,
        event=NotificationEvent.KYC_REJECTED,
        document=document.get_document_type_display(),
        reason=reason,
    )
    return document


def _lock_for_review(document_id: UUID, actor: User) -> UserKYC:
    """Lock the owner, then the document, and return it with its owner."""
    owner_id = UserKYC.objects.filter(pk=document_id).values_list("user_id", flat=True).first()
    if owner_id is None:
        raise NotFound("There is no such document.")
    if owner_id == actor.pk:
        raise NotAllowed("Nobody decides on a document of their own; ask another administrator.")
    owner = lock_user(owner_id)
    document = UserKYC.objects.select_for_update(no_key=True).get(pk=document_id)
    document.user = owner
    return document


def _decide(document: UserKYC, status: VerificationStatus, actor: User) -> None:
    if status not in document.MOVES[document.status]:
        raise InvalidTransition(
            f"This {document.get_document_type_display()} is "
            f"{document.get_status_display().lower()} already. A person whose document was "
            "rejected hands in a new one."
        )
    document.move_to(status)
    document.reviewed_by = actor
    document.reviewed_at = timezone.now()
