"""Handing in a document: the number is checked and forgotten, the file kept privately."""

from __future__ import annotations

from uuid import UUID

from django.core.files.base import File
from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.services.sessions import lock_user
from chitfund.exceptions import NotFound, WrongState
from kyc import files
from kyc.models import DocumentType, UserKYC, VerificationStatus
from kyc.numbers import masked_number
from kyc.services.standing import refresh_standing


def submit_document(
    *, user_id: UUID, actor: User, document_type: DocumentType, document_number: str, file: File
) -> UserKYC:
    """Hand in one's own document for review; earlier ones stay as they were decided.

    Raises InvalidInput for a number or a file that cannot be right, WrongState while another
    of the same type waits. A file whose row is not written is not kept.
    """
    if user_id != actor.pk:
        raise NotFound("There is no such person, or it is not you; people hand in their own.")
    number = masked_number(document_type, document_number)
    kind = files.kind_of(file, file.size or 0)
    key = files.store(file, kind)
    document = UserKYC(
        user=actor,
        document_type=document_type,
        document_number=number,
        document_url=key,
        # Not the sender's name for it, which may hold the very number.
        file_name=f"{document_type.lower()}.{kind.extension}",
    )
    try:
        return _write(document, actor)
    except BaseException:
        files.discard(key)
        raise


@transaction.atomic
def _write(document: UserKYC, actor: User) -> UserKYC:
    person = lock_user(actor.pk)
    waiting = UserKYC.objects.filter(
        user=person, document_type=document.document_type, status=VerificationStatus.PENDING
    )
    if waiting.exists():
        raise WrongState(
            f"Your {document.get_document_type_display()} waits for review already. You will be "
            "told the result."
        )
    document.user = person
    document.save()
    refresh_standing(person)
    record_audit_event(
        actor=actor,
        verb="kyc.submitted",
        target=document,
        document_type=document.document_type,
    )
    return document
