"""Proving an address, and getting back in without a password."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import limits
from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.models import MailPurpose, User, UserStatus
from accounts.services.mails import ask_for_mail, dead_link, use_token, void_mails
from accounts.services.registration import check_password_strength
from accounts.services.sessions import lock_user, revoke_authority

WITH_SECRETS = [MailPurpose.VERIFY_EMAIL, MailPurpose.PASSWORD_RESET, MailPurpose.INVITATION]


@transaction.atomic
def verify_email(*, token: str) -> User:
    """Confirm an address with the secret that was mailed to it."""
    user = lock_user(_owner_of(token, MailPurpose.VERIFY_EMAIL).pk)
    if user.status == UserStatus.SUSPENDED:
        raise dead_link()
    confirm_address(user)
    user.save()
    record_audit_event(actor=user, verb="user.email_verified", target=user, status=user.status)
    return user


def _owner_of(token: str, *purposes: MailPurpose) -> User:
    owner = use_token(token, *purposes).user
    if owner is None:
        raise dead_link()
    return owner


def confirm_address(user: User) -> None:
    """Mark a locked user's address as proven, and activate them if nothing else is missing."""
    user.email_verified_at = user.email_verified_at or timezone.now()
    activate_if_complete(user)


def activate_if_complete(user: User) -> None:
    """Activate a locked pending user whom nothing holds back any more."""
    if user.status == UserStatus.PENDING and user.may_become_active:
        user.move_to(UserStatus.ACTIVE)


def resend_verification(*, email: str, client: Client) -> None:
    """Mail another link if the address waits for its proof; tells the caller nothing."""
    _reserve_mail(email, client)
    user = User.objects.filter(
        email=email.lower(), status=UserStatus.PENDING, email_verified_at=None
    ).first()
    ask_for_mail(user=user, purpose=MailPurpose.VERIFY_EMAIL)


def forgot_password(*, email: str, client: Client) -> None:
    """Mail a link to set a new password if the address is known; tells the caller nothing."""
    _reserve_mail(email, client)
    user = User.objects.filter(email=email.lower()).exclude(status=UserStatus.SUSPENDED).first()
    ask_for_mail(user=user, purpose=MailPurpose.PASSWORD_RESET)


def _reserve_mail(email: str, client: Client) -> None:
    limits.reserve(limits.MAIL_ADDRESS, client.neighbourhood)
    limits.reserve(limits.MAIL_ACCOUNT, email.lower())


@transaction.atomic
def reset_password(*, token: str, password: str) -> User:
    """Set a password with a mailed secret, and end every session of its owner.

    A password that is too weak rolls the secret's use back. Who holds the secret has the
    mailbox, so the address is proven too; an invitation ends here.
    """
    owner = _owner_of(token, MailPurpose.PASSWORD_RESET, MailPurpose.INVITATION)
    user = lock_user(owner.pk)
    if user.status == UserStatus.SUSPENDED:
        raise dead_link()
    check_password_strength(password, user)
    user.set_password(password)
    confirm_address(user)
    revoke_authority(user, reason="password was reset")
    user.save()
    void_mails(user=user, purposes=WITH_SECRETS)
    record_audit_event(actor=user, verb="user.password_reset", target=user)
    return user
