"""What the office decides about people. Every change of authority ends their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import MailPurpose, Role, User, UserStatus
from accounts.permissions import is_administrator, refuse_over_superuser
from accounts.services.mails import WITH_SECRETS, tell, void_mails
from accounts.services.recovery import activate_if_complete
from accounts.services.registration import check_grown_up, check_password_strength
from accounts.services.sessions import forget_identities, lock_user, revoke_authority
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, WrongState


@transaction.atomic
def suspend_user(*, user_id: UUID, actor: User, reason: str) -> User:
    """Shut a person out at once: their next request is refused."""
    return _shut_out(user_id, actor, reason, verb="user.suspended")


@transaction.atomic
def deactivate_user(*, user_id: UUID, actor: User, reason: str) -> User:
    """Close a person's account. Their rows and their address stay, as the law asks.

    Whoever calls this has checked that they hold no running ticket or scheme.
    """
    return _shut_out(user_id, actor, reason, verb="user.deactivated")


def _shut_out(user_id: UUID, actor: User, reason: str, *, verb: str) -> User:
    _refuse_self(user_id, actor, "Another administrator has to do this to your account.")
    user = lock_user(user_id)
    refuse_over_superuser(user, actor)
    before = user.status
    user.move_to(UserStatus.SUSPENDED)
    revoke_authority(user, reason="account was suspended")
    void_mails(user=user, purposes=WITH_SECRETS)
    user.save()
    record_audit_event(actor=actor, verb=verb, target=user, before=before, reason=reason)
    return user


@transaction.atomic
def activate_user(*, user_id: UUID, actor: User, reason: str) -> User:
    """Let a suspended person back in; who has yet to prove or be approved becomes pending."""
    _refuse_self(user_id, actor, "Another administrator has to do this to your account.")
    user = lock_user(user_id)
    refuse_over_superuser(user, actor)
    if user.status != UserStatus.SUSPENDED:
        raise WrongState(
            f"This user is {user.get_status_display().lower()}; only a suspended one is activated."
        )
    user.move_to(UserStatus.ACTIVE if user.may_become_active else UserStatus.PENDING)
    revoke_authority(user, reason="account was activated")
    user.save()
    record_audit_event(
        actor=actor, verb="user.activated", target=user, after=user.status, reason=reason
    )
    return user


@transaction.atomic
def change_role(*, user_id: UUID, role: Role, actor: User, reason: str) -> User:
    """Give a person another role; the old one's rights and sessions end with it.

    Making somebody a foreman is the approval as well. Leaving the office drops every Django
    permission, so that a later return begins with none.
    """
    _refuse_self(user_id, actor, "Nobody changes their own role.")
    user = lock_user(user_id)
    refuse_over_superuser(user, actor)
    before = Role(user.role)
    if before == role:
        raise WrongState(f"This user is {role.label.lower()} already.")
    user.role = role
    user.foreman_approved_at = timezone.now() if role == Role.FOREMAN else None
    user.foreman_approved_by = actor if role == Role.FOREMAN else None
    if before == Role.ADMIN:
        user.is_superuser = False
        user.groups.clear()
        user.user_permissions.clear()
    if role == Role.ADMIN:
        # Staff link a provider themselves, with their password.
        forget_identities(user)
    activate_if_complete(user)
    revoke_authority(user, reason="role was changed")
    user.save()
    record_audit_event(
        actor=actor, verb="user.role_changed", target=user, before=before, after=role, reason=reason
    )
    return user


@transaction.atomic
def update_user(
    *,
    user_id: UUID,
    actor: User,
    full_name: str | None = None,
    phone_number: str | None = None,
    date_of_birth: date | None = None,
) -> User:
    """Change what a person says about themselves; what is None stays.

    Name and birth date were compared with a document once KYC is verified: from then on
    only the office changes them. Nobody changes their own phone number without its proof.
    """
    user = lock_user(user_id)
    changes = {
        name: value
        for name, value in (
            ("full_name", full_name),
            ("phone_number", phone_number),
            ("date_of_birth", date_of_birth),
        )
        if value is not None and value != getattr(user, name)
    }
    _check_may_change(user, actor, changes)
    for name, value in changes.items():
        setattr(user, name, value)
    if "phone_number" in changes:
        user.phone_verified_at = None
        tell(user=user, purpose=MailPurpose.PHONE_CHANGED)
    check_grown_up(user.date_of_birth)
    _save_unless_taken(user)
    if changes:
        record_audit_event(actor=actor, verb="user.changed", target=user, fields=sorted(changes))
    return user


@transaction.atomic
def change_password(*, user_id: UUID, actor: User, password: str) -> User:
    """Set the password of a signed-in person, and end every session of theirs."""
    user = lock_user(user_id)
    check_password_strength(password, user)
    user.set_password(password)
    revoke_authority(user, reason="password was changed")
    user.save()
    tell(user=user, purpose=MailPurpose.PASSWORD_CHANGED)
    record_audit_event(actor=actor, verb="user.password_changed", target=user)
    return user


@transaction.atomic
def record_changed_permissions(*, user_id: UUID, actor: User) -> User:
    """End the sessions of an administrator whose groups or permissions were just changed."""
    _refuse_self(user_id, actor, "Nobody changes their own permissions.")
    user = lock_user(user_id)
    revoke_authority(user, reason="permissions were changed")
    user.save()
    record_audit_event(
        actor=actor,
        verb="user.permissions_changed",
        target=user,
        groups=sorted(user.groups.values_list("name", flat=True)),
        permissions=sorted(user.user_permissions.values_list("codename", flat=True)),
    )
    return user


@transaction.atomic
def record_changed_group(*, group: Group, actor: User, verb: str) -> None:
    """End the sessions of all members of a group of permissions that was just changed.

    But the actor's own: a superuser's permissions do not come from groups.
    """
    members = User.objects.filter(groups=group).exclude(pk=actor.pk).order_by("pk")
    for member_id in members.values_list("pk", flat=True):
        record_changed_permissions(user_id=member_id, actor=actor)
    record_audit_event(
        actor=actor,
        verb=verb,
        target=group,
        name=group.name,
        permissions=sorted(group.permissions.values_list("codename", flat=True)),
    )


@transaction.atomic
def delete_group(*, group: Group, actor: User) -> None:
    """Remove a group of permissions; the sessions of those who were in it end."""
    members = list(User.objects.filter(groups=group).order_by("pk").values_list("pk", flat=True))
    record_audit_event(actor=actor, verb="group.deleted", target=group, name=group.name)
    group.delete()
    for member_id in members:
        if member_id != actor.pk:
            record_changed_permissions(user_id=member_id, actor=actor)


def _check_may_change(user: User, actor: User, changes: Mapping[str, object]) -> None:
    if "phone_number" in changes and user.pk == actor.pk:
        raise InvalidInput.on(
            "phone_number",
            "Prove the new number first: ask for a code (POST /api/otp/send), then send its "
            "proof to POST /api/auth/change-phone.",
            code="proof_needed",
        )
    proven = {"full_name", "date_of_birth"} & changes.keys()
    if proven and user.is_kyc_verified and not is_administrator(actor):
        raise WrongState("Your name and birth date are verified. Ask the office to change them.")


def _save_unless_taken(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as exc:
        if not User.objects.filter(phone_number=user.phone_number).exclude(pk=user.pk).exists():
            raise
        raise Conflict("Somebody has an account with this phone number.") from exc


def _refuse_self(user_id: UUID, actor: User, message: str) -> None:
    if user_id == actor.pk:
        raise NotAllowed(message)
