"""Sign-ins as rows: opened, refreshed by single-use tokens, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.models import AuthSession, MailPurpose, RefreshToken, User, UserStatus
from accounts.services.mails import void_mails
from accounts.tokens import (
    SESSION_LIFETIME,
    Claims,
    access_token_for,
    invalid_token,
    read_refresh_token,
    refresh_token_for,
)
from chitfund.exceptions import NotFound


@dataclass(frozen=True)
class SignedIn:
    """A session with the pair of tokens that was just issued for it."""

    user: User
    session: AuthSession
    access_token: str
    refresh_token: str


@transaction.atomic
def open_session(*, user_id: UUID, version: int, client: Client) -> SignedIn:
    """Open a session for a user whose password was just checked at this token version.

    The row is locked and looked at again: a suspension or a new password that came while
    the password was hashed wins.
    """
    user = lock_user(user_id)
    if user.status != UserStatus.ACTIVE or user.token_version != version:
        raise invalid_token()
    now = timezone.now()
    session = AuthSession.objects.create(
        user=user,
        user_agent=client.user_agent,
        ip_address=client.ip,
        expires_at=now + SESSION_LIFETIME,
    )
    User.objects.filter(pk=user.pk).update(last_login=now)
    void_mails(user=user, purposes=[MailPurpose.PASSWORD_RESET])
    record_audit_event(actor=user, verb="session.opened", target=session)
    return _issue(user, session, now)


def refresh_session(*, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for a new pair, once.

    Whoever sends a used one again may hold a stolen copy, so the whole session ends; that
    must commit, hence the refusal comes after the transaction.
    """
    renewed = _rotate(read_refresh_token(refresh_token))
    if renewed is None:
        raise invalid_token()
    return renewed


@transaction.atomic
def _rotate(claims: Claims) -> SignedIn | None:
    now = timezone.now()
    token = RefreshToken.objects.filter(jti=claims.jti, session=claims.session_id)
    if not token.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        if token.filter(used_at__isnull=False).exists():
            _end_reused(claims.session_id)
        return None
    session = _live_session(claims, now)
    if session is None:
        return None
    AuthSession.objects.filter(pk=session.pk).update(last_used_at=now)
    return _issue(session.user, session, now)


def _live_session(claims: Claims, now: datetime) -> AuthSession | None:
    return (
        AuthSession.objects.select_related("user")
        .filter(pk=claims.session_id, ended_at=None, expires_at__gt=now)
        .filter(user__status=UserStatus.ACTIVE, user__token_version=claims.version)
        .first()
    )


def _end_reused(session_id: UUID) -> None:
    session = AuthSession.objects.filter(pk=session_id, ended_at=None).first()
    if session is not None and _end(session_id, "refresh token reused"):
        record_audit_event(actor=None, verb="session.reuse_detected", target=session)


def _issue(user: User, session: AuthSession, now: datetime) -> SignedIn:
    token = RefreshToken.objects.create(
        jti=uuid4(),
        session=session,
        expires_at=min(now + settings.REFRESH_TOKEN_LIFETIME, session.expires_at),
    )
    refresh = refresh_token_for(user, session, jti=token.jti, expires_at=token.expires_at)
    return SignedIn(user, session, access_token_for(user, session), refresh)


@transaction.atomic
def end_session(*, session_id: UUID, actor: User, reason: str = "signed out") -> None:
    """End one of the actor's own sessions, with every token of it."""
    session = AuthSession.objects.filter(pk=session_id, user=actor, ended_at=None).first()
    if session is None or not _end(session_id, reason):
        raise NotFound("This session is not among your open ones.")
    record_audit_event(actor=actor, verb="session.ended", target=session)


def _end(session_id: UUID, reason: str) -> int:
    return AuthSession.objects.filter(pk=session_id, ended_at=None).update(
        ended_at=timezone.now(), end_reason=reason
    )


@transaction.atomic
def sign_out_everywhere(*, actor: User) -> None:
    """End every session of the actor, the one that asks included."""
    user = lock_user(actor.pk)
    revoke_authority(user, reason="signed out everywhere")
    user.save(update_fields=["token_version", "updated_at"])
    record_audit_event(actor=actor, verb="user.signed_out_everywhere", target=user)


def revoke_authority(user: User, *, reason: str) -> None:
    """Void every token of a locked user. The caller saves the user in the same transaction."""
    user.token_version += 1
    AuthSession.objects.filter(user=user, ended_at=None).update(
        ended_at=timezone.now(), end_reason=reason
    )


def lock_user(user_id: UUID) -> User:
    """Return the user's row locked, or raise NotFound."""
    user = User.objects.select_for_update(of=("self",), no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user
