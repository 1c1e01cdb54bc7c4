"""Signing in with another provider (OpenID Connect, authorization code with PKCE).

The browser is sent away with a state and comes back with it and a code. The state opens one
attempt, once, and only for the browser that began it. Calls that talk to a provider stand
outside transactions: a slow provider must hold no lock.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import limits
from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.clients import Client
from accounts.models import (
    ExternalIdentity,
    MailPurpose,
    OAuthAttempt,
    Role,
    SignInMethod,
    User,
)
from accounts.providers import Person, authorization_url, person_of_code
from accounts.sealing import opened, sealed
from accounts.services.credentials import check_may_sign_in
from accounts.services.mails import tell
from accounts.services.second_factor import check_own_password, check_second_factor
from accounts.services.sessions import SignedIn, lock_user, open_session
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed, NotFound
from chitfund.settings.oidc import OidcProvider

ATTEMPT_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and the state that it brings back."""

    authorization_url: str
    state: str
    expires_in: int


def provider_named(name: str) -> OidcProvider:
    """Return one of the office's providers, or raise NotFound."""
    try:
        return settings.OIDC_PROVIDERS[name]
    except KeyError as exc:
        raise NotFound("The office does not know this sign-in provider.") from exc


def begin(*, provider: str, redirect_uri: str, browser: str, client: Client) -> Begun:
    """Begin a sign-in: write the attempt down and return where the browser goes.

    `browser` is a secret that only this browser has. Raises InvalidInput for a page that is
    not on the office's list, Unavailable without the provider.
    """
    limits.reserve(limits.OAUTH_ADDRESS, client.neighbourhood)
    known = provider_named(provider)
    if redirect_uri not in settings.OIDC_REDIRECT_URIS:
        raise InvalidInput.on(
            "redirect_uri", "This page is not on the office's list (OIDC_REDIRECT_URIS)."
        )
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = authorization_url(
        known, redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier
    )
    OAuthAttempt.objects.create(
        provider=known.name,
        state_hash=_hash(state),
        browser_hash=_hash(browser),
        secrets=sealed(json.dumps([nonce, verifier]).encode(), label=_label(state)),
        redirect_uri=redirect_uri,
        expires_at=timezone.now() + ATTEMPT_LIFETIME,
    )
    return Begun(url, state, int(ATTEMPT_LIFETIME.total_seconds()))


def finish(
    *,
    provider: str,
    code: str,
    state: str,
    browser: str,
    client: Client,
    second_factor_code: str | None = None,
) -> SignedIn:
    """Open a session for the person whom the provider vouches for.

    Where their second factor is asked for, the same state may be sent again with it: the code
    is not exchanged twice. Raises what `sign_in` raises, InvalidInput for an attempt that is
    used, expired or another browser's, NotAllowed where nobody may be linked.
    """
    limits.reserve(limits.OAUTH_ADDRESS, client.neighbourhood)
    known = provider_named(provider)
    attempt = _attempt(known, state, browser)
    if attempt.exchanged_at is None:
        person = _exchange(known, attempt, code, state)
        user = _user_of(known, person)
        OAuthAttempt.objects.filter(pk=attempt.pk).update(user=user)
    elif attempt.user is not None:
        user = attempt.user
    else:
        raise _dead_attempt()
    check_may_sign_in(user)
    has_shown = check_second_factor(user=user, code=second_factor_code, client=client)
    return _open(attempt.pk, user, client, has_shown=has_shown)


@transaction.atomic
def _open(attempt_id: UUID, user: User, client: Client, *, has_shown: bool) -> SignedIn:
    """Use the attempt up and open its session together, so that there is one of each."""
    now = timezone.now()
    if not OAuthAttempt.objects.filter(pk=attempt_id, used_at=None).update(used_at=now):
        raise _dead_attempt()
    return open_session(
        user_id=user.pk,
        version=user.token_version,
        client=client,
        signed_in_with=SignInMethod.OIDC,
        second_factor=has_shown,
    )


def link(
    *,
    actor: User,
    provider: str,
    code: str,
    state: str,
    browser: str,
    password: str,
    client: Client,
) -> ExternalIdentity:
    """Let a signed-in person use a provider from now on, whatever address they have there.

    The password is asked for: a copied token must not become a second way in.
    """
    known = provider_named(provider)
    check_own_password(user=actor, password=password, client=client)
    attempt = _attempt(known, state, browser)
    person = _exchange(known, attempt, code, state)
    if not OAuthAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=timezone.now()):
        raise _dead_attempt()
    return _link(known, person.subject, actor.pk)


def unlink(*, actor: User, identity_id: UUID, password: str, client: Client) -> None:
    """Forget a provider. The password, which is asked for, still signs its owner in."""
    check_own_password(user=actor, password=password, client=client)
    with transaction.atomic():
        user = lock_user(actor.pk)
        identity = ExternalIdentity.objects.filter(pk=identity_id, user=user).first()
        if identity is None:
            raise NotFound("This link is not among yours.")
        record_audit_event(
            actor=user, verb="identity.unlinked", target=identity, provider=identity.provider
        )
        identity.delete()
        tell(user=user, purpose=MailPurpose.IDENTITY_REMOVED)


def _attempt(provider: OidcProvider, state: str, browser: str) -> OAuthAttempt:
    """Return the attempt of this state and this browser, or refuse both in the same words."""
    attempt = (
        OAuthAttempt.objects.select_related("user")
        .filter(provider=provider.name, state_hash=_hash(state), browser_hash=_hash(browser))
        .filter(used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if attempt is None:
        raise _dead_attempt()
    return attempt


def _exchange(provider: OidcProvider, attempt: OAuthAttempt, code: str, state: str) -> Person:
    """Ask the provider whom the code is about; of many who bring the state back, one asks."""
    once = OAuthAttempt.objects.filter(pk=attempt.pk, exchanged_at=None)
    if not once.update(exchanged_at=timezone.now()):
        raise _dead_attempt()
    nonce, verifier = json.loads(opened(bytes(attempt.secrets), label=_label(state)))
    return person_of_code(
        provider, code=code, redirect_uri=attempt.redirect_uri, nonce=nonce, verifier=verifier
    )


def _user_of(provider: OidcProvider, person: Person) -> User:
    """Return who this is to us: known already, or linked now by an address both have proven."""
    known = ExternalIdentity.objects.filter(provider=provider.name, subject=person.subject)
    identity = known.select_related("user").first()
    if identity is not None:
        known.update(last_used_at=timezone.now())
        return identity.user
    user = _owner_of_address(provider, person)
    return _link(provider, person.subject, user.pk).user


def _owner_of_address(provider: OidcProvider, person: Person) -> User:
    if not (person.email and person.is_email_verified):
        _refuse("address_not_verified")
        raise NotAllowed(
            f"{provider.label} has not verified your e-mail address. Do that there, or sign in "
            "with your password.",
            code="address_not_verified",
        )
    user = User.objects.filter(email=person.email).first()
    if user is None:
        _refuse("not_registered")
        raise NotAllowed(
            "Nobody is registered with this address. Register with it first; from then on "
            f"{provider.label} signs you in.",
            code="not_registered",
        )
    check_may_sign_in(user)
    if user.role == Role.ADMIN:
        record_audit_event(
            actor=None, verb="user.sign_in_refused", target=user, reason="not_linked"
        )
        raise NotAllowed(
            f"Staff link {provider.label} themselves: sign in with your password first.",
            code="not_linked",
        )
    return user


def _refuse(reason: str) -> None:
    record_attempt_on_nobody(verb="user.sign_in_refused", reason=reason)


@transaction.atomic
def _link(provider: OidcProvider, subject: str, user_id: UUID) -> ExternalIdentity:
    """Write the link and tell its owner. Raises Conflict where either side has one already."""
    user = lock_user(user_id)
    try:
        with transaction.atomic():
            identity = ExternalIdentity.objects.create(
                user=user, provider=provider.name, subject=subject, last_used_at=timezone.now()
            )
    except IntegrityError as exc:
        raise Conflict(
            f"This account is linked with another person at {provider.label}, or that person "
            "with another account. Remove the old link first.",
            code="already_linked",
        ) from exc
    tell(user=user, purpose=MailPurpose.IDENTITY_LINKED)
    record_audit_event(actor=user, verb="identity.linked", target=identity, provider=provider.name)
    return identity


def _dead_attempt() -> InvalidInput:
    return InvalidInput.on(
        "state",
        "This sign-in was used, has expired or began in another browser. Begin again.",
        code="invalid_state",
    )


def _label(state: str) -> bytes:
    return f"oauth attempt {_hash(state)}".encode()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
