"""Sign-ins as rows: opened, refreshed by single-use tokens, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.models import (
    AuthSession,
    ExternalIdentity,
    MailPurpose,
    RefreshToken,
    SignInMethod,
    TimeBasedFactor,
    User,
    UserStatus,
)
from accounts.services.mails import TAKE_OVER, tell, void_mails
from accounts.tokens import (
    SESSION_LIFETIME,
    Claims,
    access_token_for,
    invalid_token,
    read_refresh_token,
    refresh_token_for,
    successor_of,
)
from chitfund.exceptions import NotFound


@dataclass(frozen=True)
class SignedIn:
    """A session with the pair of tokens that was just issued for it."""

    user: User
    session: AuthSession
    access_token: str
    refresh_token: str
    refresh_expires_at: datetime


@transaction.atomic
def open_session(
    *,
    user_id: UUID,
    version: int,
    client: Client,
    signed_in_with: SignInMethod = SignInMethod.PASSWORD,
    second_factor: bool = False,
) -> SignedIn:
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
        signed_in_with=signed_in_with,
        second_factor_at=now if second_factor else None,
        second_factor_due=not second_factor and _has_second_factor(user),
        expires_at=now + SESSION_LIFETIME,
    )
    User.objects.filter(pk=user.pk).update(last_login=now)
    void_mails(user=user, purposes=[MailPurpose.PASSWORD_RESET])
    record_audit_event(actor=user, verb="session.opened", target=session)
    return _issue(session, jti=uuid4(), now=now)


def _has_second_factor(user: User) -> bool:
    """Tell whether a locked user has a factor: one may have come since the password was asked."""
    return TimeBasedFactor.objects.filter(user=user.pk, confirmed_at__isnull=False).exists()


def refresh_session(*, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for a new pair, once.

    Whoever lost the reply may ask again for a few seconds and gets the same successor. Any
    other use of a used one may be a stolen copy's, so the whole session ends; that must
    commit, hence the refusal comes after the transaction.
    """
    renewed = _rotate(read_refresh_token(refresh_token))
    if renewed is None:
        raise invalid_token()
    return renewed


@transaction.atomic
def _rotate(claims: Claims) -> SignedIn | None:
    now = timezone.now()
    session = _live_session(claims, now)
    if session is None or not _use_once(claims, now):
        return _answer_again(claims, session, now)
    # Should the session end at this very moment, what is issued here is dead with it.
    AuthSession.objects.filter(pk=session.pk).update(last_used_at=now)
    return _issue(session, jti=successor_of(claims.jti), now=now)


def _tokens(claims: Claims) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(jti=claims.jti, session=claims.session_id)


def _use_once(claims: Claims, now: datetime) -> bool:
    """Use a token up by compare-and-set: of many who send it at once one succeeds."""
    unused = _tokens(claims).filter(used_at=None, expires_at__gt=now)
    return bool(unused.update(used_at=now))


def _answer_again(claims: Claims, session: AuthSession | None, now: datetime) -> SignedIn | None:
    """Give the lost reply of a used token again, or end the session of a copied one."""
    token = _tokens(claims).filter(used_at__isnull=False).select_related("session__user").first()
    if token is None:
        return None
    grace = timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
    successor = RefreshToken.objects.filter(
        jti=successor_of(token.jti), session=token.session_id, used_at=None, expires_at__gt=now
    ).first()
    if successor is None or token.used_at is None or token.used_at + grace < now:
        _end_reused(token.session)
        return None
    return _with_tokens(session, successor) if session is not None else None


def _live_session(claims: Claims, now: datetime) -> AuthSession | None:
    return (
        AuthSession.objects.select_related("user")
        .filter(pk=claims.session_id, ended_at=None, expires_at__gt=now)
        .filter(user=claims.user_id, user__status=UserStatus.ACTIVE)
        .filter(user__token_version=claims.version)
        .first()
    )


def _end_reused(session: AuthSession) -> None:
    """End a session of which a used token came again, and tell its owner: once."""
    _end(session.pk, "refresh token reused")
    unnoticed = AuthSession.objects.filter(pk=session.pk, reuse_detected_at=None)
    if unnoticed.update(reuse_detected_at=timezone.now()):
        record_audit_event(actor=None, verb="session.reuse_detected", target=session)
        tell(user=session.user, purpose=MailPurpose.SESSION_REUSED)


def _issue(session: AuthSession, *, jti: UUID, now: datetime) -> SignedIn:
    token = RefreshToken.objects.create(
        jti=jti,
        session=session,
        expires_at=min(now + settings.REFRESH_TOKEN_LIFETIME, session.expires_at),
    )
    return _with_tokens(session, token)


def _with_tokens(session: AuthSession, token: RefreshToken) -> SignedIn:
    user = session.user
    return SignedIn(
        user=user,
        session=session,
        access_token=access_token_for(user, session),
        refresh_token=refresh_token_for(user, session, token),
        refresh_expires_at=token.expires_at,
    )


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


def revoke_authority(user: User, *, reason: str, but_session: UUID | None = None) -> None:
    """Void every token of a locked user, and the links with which somebody could take over.

    The caller saves the user in the same transaction. One session may stay open; its tokens
    are void like all others, and `renew_session` gives it new ones.
    """
    user.token_version += 1
    live = AuthSession.objects.filter(user=user, ended_at=None)
    if but_session is not None:
        live = live.exclude(pk=but_session)
    live.update(ended_at=timezone.now(), end_reason=reason)
    void_mails(user=user, purposes=TAKE_OVER)


def renew_session(*, session_id: UUID, user: User) -> SignedIn:
    """Give the one session that survived a new version its new pair; its old tokens go.

    They are deleted, not used up: who sends one of them again has copied nothing.
    """
    session = AuthSession.objects.filter(pk=session_id, user=user, ended_at=None).first()
    if session is None:
        raise invalid_token()
    RefreshToken.objects.filter(session=session).delete()
    session.user = user
    return _issue(session, jti=uuid4(), now=timezone.now())


def forget_identities(user: User) -> None:
    """Unlink a locked user's other providers: an intruder may have linked one."""
    ExternalIdentity.objects.filter(user=user).delete()


def lock_user(user_id: UUID) -> User:
    """Return the user's row locked, or raise NotFound."""
    user = User.objects.select_for_update(of=("self",), no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user
