"""Proving an address, and getting back in without a password."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import limits
from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.clients import Client
from accounts.models import MailPurpose, User, UserStatus
from accounts.services.mails import (
    WITH_SECRETS,
    ask_for_mail,
    dead_link,
    owner_of_token,
    tell,
    use_token,
    void_mails,
)
from accounts.services.registration import check_password_strength
from accounts.services.sessions import forget_identities, lock_user, revoke_authority


@transaction.atomic
def verify_email(*, token: str) -> User:
    """Confirm an address with the secret that was mailed to it."""
    user = _use_up(token, MailPurpose.VERIFY_EMAIL)
    if user.status == UserStatus.SUSPENDED:
        raise dead_link()
    confirm_address(user)
    user.save()
    record_audit_event(actor=user, verb="user.email_verified", target=user, status=user.status)
    return user


def _use_up(token: str, *purposes: MailPurpose) -> User:
    """Use a secret and return its owner, locked."""
    user = lock_user(owner_of_token(token, *purposes))
    use_token(token, *purposes)
    return user


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
    _ask(user, MailPurpose.VERIFY_EMAIL, verb="user.verification_asked")


def forgot_password(*, email: str, client: Client) -> None:
    """Mail a link to set a new password if the address is known; tells the caller nothing."""
    _reserve_mail(email, client)
    user = User.objects.filter(email=email.lower()).exclude(status=UserStatus.SUSPENDED).first()
    _ask(user, MailPurpose.PASSWORD_RESET, verb="user.reset_asked")


@transaction.atomic
def _ask(user: User | None, purpose: MailPurpose, *, verb: str) -> None:
    """Queue a mail and record the wish; for an address that nobody has the same is written."""
    ask_for_mail(user=user, purpose=purpose)
    if user is None:
        record_attempt_on_nobody(verb=verb)
    else:
        record_audit_event(actor=None, verb=verb, target=user)


def _reserve_mail(email: str, client: Client) -> None:
    limits.reserve(limits.MAIL_ADDRESS, client.neighbourhood)
    limits.reserve(limits.MAIL_ACCOUNT, email.lower())


@transaction.atomic
def reset_password(*, token: str, password: str) -> User:
    """Set a password with a mailed secret, and end every session of its owner.

    A password that is too weak rolls the secret's use back. Who holds the secret has the
    mailbox, so the address is proven too; an invitation ends here.
    """
    user = _use_up(token, MailPurpose.PASSWORD_RESET, MailPurpose.INVITATION)
    if user.status == UserStatus.SUSPENDED:
        raise dead_link()
    check_password_strength(password, user)
    is_first = not user.has_usable_password()
    user.set_password(password)
    confirm_address(user)
    forget_identities(user)
    revoke_authority(user, reason="password was reset")
    user.save()
    void_mails(user=user, purposes=WITH_SECRETS)
    if not is_first:
        tell(user=user, purpose=MailPurpose.PASSWORD_CHANGED)
    record_audit_event(actor=user, verb="user.password_reset", target=user)
    return user
