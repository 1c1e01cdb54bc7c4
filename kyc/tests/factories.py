"""Identity documents for tests. Numbers are masks; files are a few bytes."""

from __future__ import annotations

import factory
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.tests.factories import AdminFactory, UserFactory
from kyc.models import DocumentType, UserKYC, VerificationStatus

# UIDAI's published sandbox numbers (domain.md 5); a random valid one may be somebody's.
AADHAAR = "999941057058"
OTHER_AADHAAR = "999971658847"
PAN = "ZZZPK0001Z"
LICENCE = "KA01 20150001234"

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 64
PDF = b"%PDF-1.7\n" + b"\0" * 64


class UserKYCFactory(factory.django.DjangoModelFactory[UserKYC]):
    """A document that waits; `verified` or `rejected` for one that was decided.

    The row alone: its owner's `kyc_status` is the services' business.
    """

    class Meta:
        model = UserKYC

    class Params:
        decided = factory.Trait(
            reviewed_by=factory.SubFactory(AdminFactory),
            reviewed_at=factory.LazyFunction(timezone.now),
        )
        verified = factory.Trait(
            decided=True,
            status=VerificationStatus.VERIFIED,
            verified_at=factory.LazyFunction(timezone.now),
        )
        rejected = factory.Trait(
            decided=True, status=VerificationStatus.REJECTED, rejection_reason="Not readable."
        )

    user = factory.SubFactory(UserFactory)
    document_type = DocumentType.AADHAR
    document_number = "XXXXXXXX7058"
    document_url = factory.Sequence(lambda n: f"kyc/{n:064x}.png")
    file_name = "aadhar.png"


def a_file(content: bytes = PNG, name: str = "scan.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)
