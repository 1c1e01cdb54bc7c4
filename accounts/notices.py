"""The notices that people consent to, and the version of each that is in force.

A new wording gets a new version here; consents to the old one stay on record as what they were.
"""

from __future__ import annotations

from accounts.models import ConsentPurpose

CURRENT_VERSIONS: dict[ConsentPurpose, str] = {
    ConsentPurpose.DATA_PROCESSING: "2026-01",
    ConsentPurpose.DOCUMENT_VERIFICATION: "2026-01",
    ConsentPurpose.BACKGROUND_CHECK: "2026-01",
    ConsentPurpose.TERMS: "2026-01",
}
