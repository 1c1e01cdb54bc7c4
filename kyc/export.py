"""What `kyc` holds about one person, what the law keeps of it, and the removal of the rest."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.services.sessions import lock_user
from chitfund.data_rights import Hold, rows_of
from kyc import files
from kyc.models import UserKYC, VerificationStatus
from kyc.services.standing import refresh_standing


def documents(user_id: UUID) -> list[dict[str, Any]]:
    """Masked numbers: the full ones were never kept. Files are had from the list of documents."""
    rows = UserKYC.objects.filter(user=user_id)
    return rows_of(
        rows, "id", "document_type", "document_number", "file_name", "status", "verified_at",
        "rejection_reason", "created_at",
    )  # fmt: skip


def identity_hold(user_id: UUID) -> list[Hold]:
    """A verified identity is kept; a document that proved nothing is not."""
    verified = UserKYC.objects.filter(user=user_id, status=VerificationStatus.VERIFIED)
    if not verified.exists():
        return []
    return [
        Hold(
            what=("kyc_documents", "addresses"),
            law="Prevention of Money-laundering Act 2002, s.12",
            why="A chit fund is a financial institution: it keeps the identity of a client for "
            "five years after the business with them has ended.",
            until=None,
        )
    ]


@transaction.atomic
def erase_documents(user_id: UUID) -> int:
    """Remove a person's documents, and their files once that is certain."""
    person = lock_user(user_id)
    rows = UserKYC.objects.filter(user=person)
    for key in rows.values_list("document_url", flat=True):
        transaction.on_commit(partial(files.discard, key))
    count = rows.delete()[0]
    refresh_standing(person)
    return count
