"""Links that the office sends again. It never sees, sets or sends a password."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts import limits
from accounts.audit import record_audit_event
from accounts.models import MailPurpose, User, UserStatus
from accounts.services.mails import ask_for_mail
from accounts.services.sessions import lock_user
from chitfund.exceptions import WrongState


def resend_invitation(*, user_id: UUID, actor: User) -> User:
    """Mail an invited person another link; the one before opens nothing any more."""
    limits.reserve(limits.MAIL_ACCOUNT, str(user_id))
    return _send(user_id, actor, MailPurpose.INVITATION)


def send_reset_link(*, user_id: UUID, actor: User) -> User:
    """Mail a person a link by which they set a new password themselves."""
    limits.reserve(limits.MAIL_ACCOUNT, str(user_id))
    return _send(user_id, actor, MailPurpose.PASSWORD_RESET)


@transaction.atomic
def _send(user_id: UUID, actor: User, purpose: MailPurpose) -> User:
    user = lock_user(user_id)
    is_invited = user.status == UserStatus.PENDING and not user.has_usable_password()
    if purpose == MailPurpose.INVITATION and not is_invited:
        raise WrongState("This user waits for no invitation. Send a reset link instead.")
    if purpose == MailPurpose.PASSWORD_RESET and is_invited:
        raise WrongState("This user has set no password yet. Send the invitation again instead.")
    if user.status == UserStatus.SUSPENDED:
        raise WrongState("This user is suspended. Activate them first.")
    ask_for_mail(user=user, purpose=purpose)
    verb = "invitation_resent" if purpose == MailPurpose.INVITATION else "reset_link_sent"
    record_audit_event(actor=actor, verb=f"user.{verb}", target=user)
    return user
