"""Signing in with a password."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from accounts import limits
from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.clients import Client
from accounts.limits import Limit
from accounts.models import Role, User, UserStatus
from accounts.phones import to_e164
from accounts.services.known_places import is_known_place
from accounts.services.second_factor import check_second_factor
from accounts.services.sessions import SignedIn, open_session
from chitfund.exceptions import NotAllowed, NotAuthenticated, Unavailable

Slot = tuple[Limit, tuple[str, ...]]


@dataclass(frozen=True)
class Known:
    """Somebody whose credentials held, and whether a second factor was among them."""

    user: User
    has_shown_second_factor: bool


def sign_in(
    *,
    identifier: str,
    password: str,
    client: Client,
    role: Role | None = None,
    code: str | None = None,
) -> SignedIn:
    """Open a session for the right password, or refuse all wrong ones in the same words.

    Attempts are reserved before the password is hashed, so parallel guesses count, and an
    unknown person costs the same time as a known one. An account with a second factor wants
    its `code` as well, and says so after the right password only.
    """
    known = check_credentials(
        identifier=identifier, password=password, client=client, role=role, code=code
    )
    return open_session(
        user_id=known.user.pk,
        version=known.user.token_version,
        client=client,
        second_factor=known.has_shown_second_factor,
    )


def check_credentials(
    *,
    identifier: str,
    password: str,
    client: Client,
    role: Role | None = None,
    code: str | None = None,
) -> Known:
    """Return the active user of these credentials; the API's and the admin's one door."""
    user = _check_password(identifier, password, client, role)
    return Known(user, check_second_factor(user=user, code=code, client=client))


def _check_password(identifier: str, password: str, client: Client, role: Role | None) -> User:
    user = find_user(identifier)
    slots = _slots(user, identifier, client)
    for limit, who in slots:
        limits.reserve(limit, *who)
    try:
        is_right = _password_holds(user, password)
    except Unavailable:
        # Nothing was tried: a crowd at the door must not lock out those who wait.
        _give_back(slots)
        raise
    if user is None or not is_right or (role is not None and role != user.role):
        _record_failure(user)
        raise NotAuthenticated("These credentials are not right.", code="wrong_credentials")
    _give_back(slots)
    check_may_sign_in(user)
    return user


def _give_back(slots: list[Slot]) -> None:
    for limit, who in slots:
        limits.give_back(limit, *who)


def find_user(identifier: str) -> User | None:
    """Return the user of an e-mail address, phone number or UCFSIN, written in any case."""
    text = plain_identifier(identifier)
    return User.objects.with_identifier(text).first() if text else None


def plain_identifier(identifier: str) -> str:
    """Return an identifier as it is kept; what is none of the three as it was typed."""
    text = identifier.strip()
    if "@" in text:
        return text.lower()
    if text.upper().startswith("UCFSIN-"):
        return text.upper()
    return to_e164(text) or text.lower()


def _slots(user: User | None, identifier: str, client: Client) -> list[Slot]:
    # By what was typed, and not by whose it is: the count must not tell who is registered, nor
    # which address and which number are one person's.
    account = plain_identifier(identifier)
    slots: list[Slot] = [
        (limits.SIGN_IN_ADDRESS, (client.neighbourhood,)),
        (limits.SIGN_IN_PAIR, (account, client.neighbourhood)),
    ]
    if not is_known_place(user, client):
        slots.append((limits.SIGN_IN_ACCOUNT, (account,)))
    return slots


def _password_holds(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)  # as much work as a real check
        return False
    return user.check_password(password)


def _record_failure(user: User | None) -> None:
    if user is None:
        record_attempt_on_nobody(verb="user.sign_in_failed")
    else:
        record_audit_event(actor=None, verb="user.sign_in_failed", target=user)


def check_may_sign_in(user: User) -> None:
    """Say why an account that is not active may not sign in; asked after the password only."""
    if user.status == UserStatus.ACTIVE:
        return
    record_audit_event(actor=None, verb="user.sign_in_refused", target=user, status=user.status)
    if user.status == UserStatus.SUSPENDED:
        raise NotAllowed("This account is suspended. Ask the office why.", code="account_suspended")
    if user.email_verified_at is None:
        raise NotAllowed(
            "Confirm your e-mail address first: open the link that we sent you, "
            "or ask for a new one.",
            code="email_not_verified",
        )
    raise NotAllowed("The office has yet to approve you as a foreman.", code="approval_pending")
