"""Documents by which a user proves who they are: the guide's `user_kyc`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chitfund.db import IdentifiedModel, StatusModel, one_of


class DocumentType(models.TextChoices):
    AADHAR = "AADHAR", "Aadhaar"
    PAN = "PAN", "PAN"
    DRIVING_LICENSE = "DRIVING_LICENSE", "Driving licence"


class VerificationStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    VERIFIED = "VERIFIED", "Verified"
    REJECTED = "REJECTED", "Rejected"


class UserKYC(IdentifiedModel, StatusModel):
    """One document of one user, with what the reviewer decided.

    `document_number` holds a masked number only: the full one is checked and forgotten.
    `document_url` holds the key of the stored file, never an address.
    """

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        VerificationStatus.PENDING: frozenset(
            {VerificationStatus.VERIFIED, VerificationStatus.REJECTED}
        ),
        VerificationStatus.VERIFIED: frozenset({VerificationStatus.REJECTED}),
        VerificationStatus.REJECTED: frozenset(),
    }

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="kyc_documents"
    )
    document_type = models.CharField(max_length=20, choices=DocumentType)
    document_number = models.CharField(max_length=50)
    document_url = models.CharField(max_length=255)
    file_name = models.CharField(max_length=120)
    status = models.CharField(
        max_length=10,
        choices=VerificationStatus,
        default=VerificationStatus.PENDING,
        db_column="verification_status",
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="kyc_reviewed",
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    rejection_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "user_kyc"
        ordering = ("-id",)
        verbose_name = "KYC document"
        permissions = (("review_kyc", "Can verify and reject KYC documents"),)
        indexes = (models.Index(fields=["status", "id"], name="user_kyc_desk"),)
        constraints = (
            models.CheckConstraint(
                condition=one_of("document_type", DocumentType), name="user_kyc_type_is_known"
            ),
            models.CheckConstraint(
                condition=one_of("status", VerificationStatus), name="user_kyc_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(document_number__regex=r"^X+[0-9A-Z]{4}$"),
                name="user_kyc_number_is_masked",
            ),
            models.CheckConstraint(
                condition=~Q(status=VerificationStatus.REJECTED) | ~Q(rejection_reason=""),
                name="user_kyc_rejection_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status=VerificationStatus.VERIFIED) | Q(verified_at__isnull=False),
                name="user_kyc_verified_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status=VerificationStatus.PENDING) | Q(reviewed_by__isnull=False),
                name="user_kyc_decision_has_a_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                name="user_kyc_not_reviewed_by_owner",
            ),
            models.UniqueConstraint(
                fields=["user", "document_type"],
                condition=Q(status=VerificationStatus.PENDING),
                name="user_kyc_one_of_a_type_waits",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_document_type_display()} {self.document_number}"
