"""Foremen: the business they claim to have, and the office's decision on both.

A profile that was handed in is not edited while it waits, so that what was looked at is what is
approved. A foreman who is approved and then changes what the office compared (company, licence,
PAN, State) goes on working: the change waits at the desk beside what was approved before.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from stdnum.exceptions import ValidationError
from stdnum.in_ import pan as pan_number

from accounts.audit import record_audit_event
from accounts.models import ForemanProfile, ForemanProfileStatus, MailPurpose, Role, User
from accounts.sealing import blind_index, sealed_value
from accounts.services.mails import ask_for_mail
from accounts.services.recovery import activate_if_complete
from accounts.services.sessions import lock_user, revoke_authority
from chitfund.business_date import business_date
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from chitfund.masking import masked

PAN_COLUMN = "foreman_profiles.pan"
# What the office compares with papers; a change of these is reviewed again.
REVIEWED = (
    "company_name", "licence_number", "licence_expires_on", "pan_masked",
    "state_of_registration",
)  # fmt: skip


@transaction.atomic
def save_foreman_profile(
    *, user_id: UUID, actor: User, pan: str | None = None, **details: Any
) -> ForemanProfile:
    """Write a foreman's business down; an approved one that changes is reviewed again.

    `pan` may be left out once one is on file.
    """
    user = _lock_foreman(user_id)
    profile = ForemanProfile.objects.filter(user=user).first() or ForemanProfile(user=user)
    if profile.status == ForemanProfileStatus.SUBMITTED:
        raise WrongState("This profile waits for the office, which approves or returns it first.")
    changed = [name for name, value in details.items() if getattr(profile, name) != value]
    for name in changed:
        setattr(profile, name, details[name])
    changed += _set_pan(profile, pan)
    if profile.status == ForemanProfileStatus.APPROVED and set(changed) & set(REVIEWED):
        _hand_in(profile)
    _save(profile)
    if changed:
        record_audit_event(
            actor=actor,
            verb="foreman_profile.changed",
            target=profile,
            fields=sorted(changed),
            after=profile.status,
        )
    return profile


@transaction.atomic
def submit_foreman_profile(*, user_id: UUID, actor: User) -> ForemanProfile:
    """Hand a profile in; from now on it waits for the office."""
    profile = _profile(_lock_foreman(user_id))
    _hand_in(profile)
    profile.save()
    record_audit_event(actor=actor, verb="foreman_profile.submitted", target=profile)
    return profile


@transaction.atomic
def approve_foreman(*, user_id: UUID, actor: User, reason: str) -> User:
    """Approve a person and their business together, or a change of an approved one's business.

    They become active once their address is proven too.
    """
    _refuse_self(user_id, actor)
    user = _lock_foreman(user_id)
    profile = ForemanProfile.objects.filter(user=user).first()
    is_new = user.foreman_approved_at is None
    waits = profile is not None and profile.status == ForemanProfileStatus.SUBMITTED
    if not is_new and not waits:
        raise WrongState("This foreman is approved already.")
    _approve_profile(profile, actor)
    if is_new:
        _approve_person(user, actor)
    record_audit_event(
        actor=actor,
        verb="user.foreman_approved" if is_new else "user.foreman_change_approved",
        target=user,
        after=user.status,
        reason=reason,
    )
    return user


@transaction.atomic
def return_foreman(*, user_id: UUID, actor: User, reason: str) -> User:
    """Send a profile back with what is wrong; an approved person stays approved."""
    _refuse_self(user_id, actor)
    user = _lock_foreman(user_id)
    profile = _profile(user)
    profile.move_to(ForemanProfileStatus.RETURNED)
    _decided(profile, actor)
    profile.return_reason = reason
    profile.save()
    record_audit_event(actor=actor, verb="user.foreman_returned", target=user, reason=reason)
    return user


def _approve_profile(profile: ForemanProfile | None, actor: User) -> None:
    if profile is None:
        raise WrongState(
            "This foreman has no profile yet: company, licence and its expiry, PAN, State of "
            "registration, registered address and designation are missing. They hand it in, or "
            "you complete it for them (PUT /api/users/{id}/foreman-profile, then …/submit).",
            code="foreman_profile_missing",
        )
    if profile.status != ForemanProfileStatus.SUBMITTED:
        raise WrongState(
            f"This foreman's profile is {profile.get_status_display().lower()}: it has to be "
            "submitted first (POST /api/users/{id}/foreman-profile/submit).",
            code="foreman_profile_not_submitted",
        )
    _check_licence_runs(profile)
    profile.move_to(ForemanProfileStatus.APPROVED)
    _decided(profile, actor)
    profile.return_reason = ""
    profile.last_approved = {name: str(getattr(profile, name)) for name in REVIEWED}
    profile.save()


def _approve_person(user: User, actor: User) -> None:
    user.foreman_approved_at = timezone.now()
    user.foreman_approved_by = actor
    activate_if_complete(user)
    revoke_authority(user, reason="foreman was approved")
    user.save()
    ask_for_mail(user=user, purpose=MailPurpose.FOREMAN_APPROVED)


def _hand_in(profile: ForemanProfile) -> None:
    _check_licence_runs(profile)
    profile.move_to(ForemanProfileStatus.SUBMITTED)
    profile.submitted_at = timezone.now()


def _decided(profile: ForemanProfile, actor: User) -> None:
    profile.decided_at = timezone.now()
    profile.decided_by = actor


def _check_licence_runs(profile: ForemanProfile) -> None:
    if profile.licence_expires_on <= business_date():
        raise InvalidInput.on(
            "licence_expires_on",
            f"The licence ended on {profile.licence_expires_on}. Enter the renewed one.",
            code="licence_expired",
        )


def _set_pan(profile: ForemanProfile, typed: str | None) -> list[str]:
    """Seal a PAN, and return the names of the fields that this changed."""
    if typed is None:
        if not profile.pan_sealed:
            raise InvalidInput.on("pan", "Give the PAN of the business.", code="required")
        return []
    try:
        number = pan_number.validate(typed)
    except ValidationError as exc:
        raise InvalidInput.on(
            "pan",
            "This is not a valid PAN: five letters, four digits, one letter, for example "
            "ABCPK1234L. Compare it with the card.",
        ) from exc
    index = blind_index(number, column=PAN_COLUMN)
    if index == profile.pan_index:
        return []
    profile.pan_index = index
    profile.pan_sealed = sealed_value(number, cell=f"{PAN_COLUMN}.{profile.pk}")
    profile.pan_masked = masked(number)
    return ["pan_masked"]


def _save(profile: ForemanProfile) -> None:
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError as exc:
        same = ForemanProfile.objects.filter(pan_index=profile.pan_index)
        if not same.exclude(pk=profile.pk).exists():
            raise
        raise Conflict(
            "Another foreman has handed in this PAN. Ask the office.", code="pan_taken"
        ) from exc


def _profile(user: User) -> ForemanProfile:
    profile = ForemanProfile.objects.filter(user=user).first()
    if profile is None:
        raise NotFound("There is no foreman's profile yet. Write one first.")
    return profile


def _lock_foreman(user_id: UUID) -> User:
    user = lock_user(user_id)
    if user.role != Role.FOREMAN:
        raise WrongState("This user is no foreman. Give them that role first.")
    return user


def _refuse_self(user_id: UUID, actor: User) -> None:
    if user_id == actor.pk:
        raise NotAllowed("Nobody approves themselves as a foreman.")
