"""What signed-in people change about how they get in: password, address, phone number.

Each wants the present password, whose attempts must outlive a refusal: call these outside a
transaction. The owner is told by mail of every change, at the address they had before it.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import limits
from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.models import CodePurpose, MailPurpose, User, UserStatus
from accounts.services.mails import (
    ask_for_mail,
    dead_link,
    owner_of_token,
    tell,
    use_token,
    void_mails,
)
from accounts.services.one_time_codes import redeem_phone_token
from accounts.services.registration import check_password_strength
from accounts.services.second_factor import check_own_password
from accounts.services.sessions import (
    SignedIn,
    forget_identities,
    lock_user,
    renew_session,
    revoke_authority,
)
from accounts.tokens import invalid_token
from chitfund.exceptions import Conflict, InvalidInput


def change_own_password(
    *, actor: User, session_id: UUID, current_password: str, new_password: str, client: Client
) -> SignedIn:
    """Set a new password. All other sessions end; the present one gets a new pair of tokens."""
    _check_password(actor, current_password, client)
    if new_password == current_password:
        raise InvalidInput.on("new_password", "Choose another password than the present one.")
    return _set_password(actor, session_id, new_password)


@transaction.atomic
def _set_password(actor: User, session_id: UUID, password: str) -> SignedIn:
    user = _lock_unchanged(actor)
    check_password_strength(password, user, field="new_password")
    user.set_password(password)
    revoke_authority(user, reason="password was changed", but_session=session_id)
    user.save()
    tell(user=user, purpose=MailPurpose.PASSWORD_CHANGED)
    record_audit_event(actor=user, verb="user.password_changed", target=user)
    return renew_session(session_id=session_id, user=user)


def ask_for_email_change(*, actor: User, current_password: str, email: str, client: Client) -> None:
    """Mail a link to a new address, which has to prove itself, and tell the present one.

    Returns nothing, for a taken address too, at the same cost: only its owner is told.
    """
    if email == actor.email:
        raise InvalidInput.on("email", "This is your address already.")
    _check_password(actor, current_password, client)
    # Counters of their own: nobody's way back in by mail can be used up from here.
    limits.reserve(limits.CHANGE_OF_ADDRESS, str(actor.pk))
    limits.reserve(limits.CHANGE_OF_ADDRESS, email)
    owner = User.objects.filter(email=email).first()
    may_tell = limits.is_within(limits.TAKEN_ACCOUNT, str(owner.pk) if owner else email)
    _queue_link(actor, email, owner)
    if may_tell:
        ask_for_mail(user=owner, purpose=MailPurpose.ADDRESS_TAKEN)


@transaction.atomic
def _queue_link(actor: User, email: str, owner: User | None) -> None:
    user = _lock_unchanged(actor)
    void_mails(user=user, purposes=[MailPurpose.EMAIL_CHANGE])
    if owner is None:
        ask_for_mail(user=user, purpose=MailPurpose.EMAIL_CHANGE, address=email)
    else:
        ask_for_mail(user=None, purpose=MailPurpose.EMAIL_CHANGE)
    tell(user=user, purpose=MailPurpose.EMAIL_CHANGE_ASKED, address=user.email)
    record_audit_event(actor=user, verb="user.email_change_asked", target=user)


@transaction.atomic
def confirm_email_change(*, token: str) -> User:
    """Take a new address over with the secret that was mailed to it; every session ends.

    Raises Conflict when somebody else has got the address since, and says no more than that.
    """
    user = lock_user(owner_of_token(token, MailPurpose.EMAIL_CHANGE))
    link = use_token(token, MailPurpose.EMAIL_CHANGE)
    if user.status != UserStatus.ACTIVE:
        raise dead_link()
    old = user.email
    user.email = link.address
    user.email_verified_at = timezone.now()
    forget_identities(user)
    revoke_authority(user, reason="e-mail address was changed")
    _save_unless_taken(user, "email")
    void_mails(user=user, purposes=[MailPurpose.VERIFY_EMAIL, MailPurpose.INVITATION])
    tell(user=user, purpose=MailPurpose.EMAIL_CHANGED, address=old)
    record_audit_event(actor=user, verb="user.email_changed", target=user)
    return user


def change_own_phone(
    *, actor: User, current_password: str, phone_number: str, phone_token: str, client: Client
) -> User:
    """Take a new phone number, whose proof a one-time code has earned; sessions stay."""
    if phone_number == actor.phone_number:
        raise InvalidInput.on("phone_number", "This is your phone number already.")
    _check_password(actor, current_password, client)
    return _set_phone(actor, phone_number, phone_token)


@transaction.atomic
def _set_phone(actor: User, phone_number: str, phone_token: str) -> User:
    user = _lock_unchanged(actor)
    redeem_phone_token(
        token=phone_token, phone_number=phone_number, purpose=CodePurpose.CHANGE_PHONE
    )
    user.phone_number = phone_number
    user.phone_verified_at = timezone.now()
    _save_unless_taken(user, "phone_number")
    tell(user=user, purpose=MailPurpose.PHONE_CHANGED)
    record_audit_event(actor=user, verb="user.phone_changed", target=user)
    return user


def _check_password(actor: User, password: str, client: Client) -> None:
    try:
        check_own_password(user=actor, password=password, client=client)
    except InvalidInput as exc:
        raise InvalidInput.on("current_password", exc.message, code=exc.code) from exc


def _lock_unchanged(actor: User) -> User:
    """Lock the actor's row; whatever ended their authority while a password was hashed wins."""
    user = lock_user(actor.pk)
    if user.status != UserStatus.ACTIVE or user.token_version != actor.token_version:
        raise invalid_token()
    return user


def _save_unless_taken(user: User, field: str) -> None:
    """Save, or say that the value cannot be had. It was proven, so this tells no stranger."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as exc:
        wanted = {field: getattr(user, field)}
        if not User.objects.filter(**wanted).exclude(pk=user.pk).exists():
            raise
        raise Conflict(
            "This cannot be used for your account. Use another, or ask the office.",
            code="address_taken",
        ) from exc
