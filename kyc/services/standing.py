"""What a person's documents say about them, kept on the person."""

from __future__ import annotations

from accounts.models import KycStatus, User
from kyc.models import UserKYC, VerificationStatus

# The first of these that any document has is what the person is.
_STRONGEST_FIRST = (
    (VerificationStatus.VERIFIED, KycStatus.VERIFIED),
    (VerificationStatus.PENDING, KycStatus.PENDING),
    (VerificationStatus.REJECTED, KycStatus.REJECTED),
)


def refresh_standing(person: User) -> None:
    """Set a locked person's KYC status to what their documents say, strongest first."""
    statuses = set(UserKYC.objects.filter(user=person).values_list("status", flat=True))
    person.kyc_status = next(
        (standing for status, standing in _STRONGEST_FIRST if status in statuses), KycStatus.NONE
    )
    person.save(update_fields=["kyc_status", "updated_at"])
