"""What a person agrees to, and no longer. Every word of theirs is another row."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import Consent, ConsentPurpose, User
from accounts.notices import CURRENT_VERSIONS
from accounts.services.sessions import lock_user
from chitfund.exceptions import InvalidInput, WrongState


@transaction.atomic
def record_consent(
    *, user_id: UUID, actor: User, purpose: ConsentPurpose, version: str, granted: bool
) -> Consent:
    """Record a yes to the notice in force, or the end of a yes that was given.

    Nobody agrees to a notice that is no longer shown; a yes to one may always be taken back.
    """
    user = lock_user(user_id)
    current = CURRENT_VERSIONS[purpose]
    if granted and version != current:
        raise InvalidInput.on(
            "version",
            f"The notice in force is version {current}. Show that one and ask again.",
            code="outdated_notice",
        )
    latest = Consent.objects.filter(user=user, purpose=purpose).order_by("-id").first()
    _check_says_something_new(latest, version=version, granted=granted)
    consent = Consent.objects.create(user=user, purpose=purpose, version=version, granted=granted)
    record_audit_event(
        actor=actor,
        verb="consent.given" if granted else "consent.withdrawn",
        target=consent,
        purpose=purpose,
        version=version,
    )
    return consent


def _check_says_something_new(latest: Consent | None, *, version: str, granted: bool) -> None:
    if not granted and (latest is None or not latest.granted):
        raise WrongState("There is no consent to withdraw.")
    if not granted and latest is not None and latest.version != version:
        raise InvalidInput.on("version", f"Your consent was to version {latest.version}.")
    if granted and latest is not None and latest.granted and latest.version == version:
        raise WrongState("You have agreed to this version already.")
