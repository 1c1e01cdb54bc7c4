"""The second factor: an authenticator app, ten recovery codes, and what to do without either.

Attempts are reserved before a secret is looked at and must outlive a refusal: call
`check_second_factor` and what takes a password outside a transaction.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import limits
from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.limits import Limit
from accounts.models import AuthSession, MailPurpose, RecoveryCode, TimeBasedFactor, User
from accounts.permissions import is_administrator, refuse_over_superuser
from accounts.sealing import blind_index, opened, sealed
from accounts.services.known_places import has_shown_factor_there
from accounts.services.mails import tell
from accounts.services.sessions import lock_user, revoke_authority
from chitfund.exceptions import InvalidInput, NotAllowed, NotAuthenticated, Unavailable, WrongState

ISSUER = "Chit fund office"
STEP_SECONDS = 30
APP_DIGITS = 6
# A phone's clock may be half a minute off.
STEPS_OFF = (0, -1, 1)
RECOVERY_CODES = 10
# Ten signs of 32: 50 bits, behind the same limits as the app's six digits.
RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
RECOVERY_LENGTH = 10
# So long may the first code take after the password; then one begins again.
BEGUN_LIFETIME = timedelta(minutes=10)

Slot = tuple[Limit, tuple[str, ...]]


@dataclass(frozen=True)
class BegunFactor:
    """What an authenticator app is told; shown once, to its owner."""

    otpauth_uri: str
    secret: str
    qr_svg: str


@dataclass(frozen=True)
class FactorState:
    """How a person stands with their second factor."""

    is_enrolled: bool
    is_required: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


def is_second_factor_required(user: User) -> bool:
    """Tell whether this person must show one: staff, where the office demands it of them."""
    return bool(settings.REQUIRE_STAFF_SECOND_FACTOR and is_administrator(user))


def second_factor_state(user: User) -> FactorState:
    factor = _confirmed(user)
    return FactorState(
        is_enrolled=factor is not None,
        is_required=is_second_factor_required(user),
        confirmed_at=factor.confirmed_at if factor else None,
        recovery_codes_left=RecoveryCode.objects.filter(user=user, used_at=None).count(),
    )


def check_second_factor(*, user: User, code: str | None, client: Client) -> bool:
    """Return True for the right code, False where the user has no factor, or refuse.

    A code of the app and a recovery code each work once. An attempt is reserved first, and
    given back when it was right.
    """
    factor = _confirmed(user)
    if factor is None:
        return False
    if not code:
        raise NotAuthenticated(
            "Send the code of your authenticator app as well, or a recovery code.",
            code="second_factor_required",
        )
    slots = _slots(user, client, code)
    _reserve(slots)
    if not _code_holds(user, factor, code):
        _refuse(user)
    _give_back(slots)
    return True


def _confirmed(user: User) -> TimeBasedFactor | None:
    return TimeBasedFactor.objects.filter(user=user.pk, confirmed_at__isnull=False).first()


def _slots(user: User, client: Client, code: str) -> list[Slot]:
    """Name the limits of this attempt; the day-long one must not keep the owner out.

    It stands before the app's six digits only: fifty bits of a recovery code nobody guesses.
    Nor is it asked where the owner has shown the factor before.
    """
    slots: list[Slot] = [(limits.SECOND_FACTOR_PAIR, (str(user.pk), client.neighbourhood))]
    if _is_of_app(_plain(code)) and not has_shown_factor_there(user, client):
        slots.append((limits.SECOND_FACTOR_ACCOUNT, (str(user.pk),)))
    return slots


def _reserve(slots: list[Slot]) -> None:
    for limit, who in slots:
        limits.reserve(limit, *who)


def _give_back(slots: list[Slot]) -> None:
    for limit, who in slots:
        limits.give_back(limit, *who)


def _refuse(user: User) -> NoReturn:
    record_audit_event(actor=None, verb="second_factor.refused", target=user)
    raise NotAuthenticated(
        "This code is not right, or it was used. Wait for the app's next one.",
        code="wrong_second_factor",
    )


def _code_holds(user: User, factor: TimeBasedFactor, code: str) -> bool:
    plain = _plain(code)
    return _use_step(factor, plain) if _is_of_app(plain) else _use_recovery_code(user, plain)


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()


def _is_of_app(plain: str) -> bool:
    return len(plain) == APP_DIGITS and plain.isascii() and plain.isdigit()


def _use_step(factor: TimeBasedFactor, digits: str) -> bool:
    """Use the app's code up by compare-and-set on the step that it belongs to."""
    step = _step_of(_secret_of(factor), digits)
    if step is None:
        return False
    unused = TimeBasedFactor.objects.filter(
        user=factor.user_id, secret=factor.secret, last_used_step__lt=step
    )
    return bool(unused.update(last_used_step=step))


def _step_of(secret: str, digits: str) -> int | None:
    """Return the step whose code these digits are; each candidate is compared in full."""
    app = pyotp.TOTP(secret)
    now = int(timezone.now().timestamp()) // STEP_SECONDS
    found = None
    for step in (now + off for off in STEPS_OFF):
        if constant_time_compare(app.generate_otp(step), digits):
            found = step
    return found


@transaction.atomic
def _use_recovery_code(user: User, plain: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, code_hash=_hash(user.pk, plain), used_at=None)
    if not unused.update(used_at=timezone.now()):
        return False
    left = RecoveryCode.objects.filter(user=user, used_at=None).count()
    record_audit_event(actor=user, verb="recovery_code.used", target=user, left=left)
    tell(user=user, purpose=MailPurpose.RECOVERY_CODE_USED)
    return True


def begin_second_factor(*, user: User, password: str, client: Client) -> BegunFactor:
    """Return a new secret for an authenticator app; it counts once a code of it is confirmed."""
    check_own_password(user=user, password=password, client=client)
    secret = pyotp.random_base32()
    _save_unconfirmed(user, secret)
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff")
    return BegunFactor(otpauth_uri=uri, secret=secret, qr_svg=picture)


@transaction.atomic
def _save_unconfirmed(user: User, secret: str) -> None:
    lock_user(user.pk)
    if _confirmed(user) is not None:
        raise _enrolled_already()
    TimeBasedFactor.objects.update_or_create(
        user_id=user.pk,
        defaults={
            "secret": sealed_secret(user.pk, secret),
            "created_at": timezone.now(),
            "last_used_step": 0,
        },
    )
    record_audit_event(actor=user, verb="second_factor.begun", target=user)


def confirm_second_factor(
    *, user: User, code: str, client: Client, session_id: UUID | None = None
) -> list[str]:
    """Make the app count from now on, and return ten recovery codes, this once.

    `session_id` is the session that has just shown the factor; all others show it next.
    """
    slots = _slots(user, client, code)
    _reserve(slots)
    try:
        recovery_codes = _confirm(user, code, session_id)
    except (WrongState, Unavailable):
        _give_back(slots)  # no secret was compared
        raise
    if recovery_codes is None:
        record_audit_event(actor=user, verb="second_factor.refused", target=user)
        raise InvalidInput.on(
            "code",
            "This is not the app's code. Check the phone's clock and send the next one.",
            code="wrong_second_factor",
        )
    _give_back(slots)
    return recovery_codes


@transaction.atomic
def _confirm(user: User, code: str, session_id: UUID | None) -> list[str] | None:
    lock_user(user.pk)
    factor = _begun(user)
    if not _use_step(factor, "".join(code.split())):
        return None
    now = timezone.now()
    TimeBasedFactor.objects.filter(user=user.pk).update(confirmed_at=now)
    if session_id is not None:
        AuthSession.objects.filter(pk=session_id, user=user).update(second_factor_at=now)
    # Whoever else is in the account shows that they have the phone, however they came in.
    live = AuthSession.objects.filter(user=user, ended_at=None, second_factor_at=None)
    live.update(second_factor_due=True)
    record_audit_event(actor=user, verb="second_factor.added", target=user)
    tell(user=user, purpose=MailPurpose.FACTOR_ADDED)
    return _new_recovery_codes(user)


def _begun(user: User) -> TimeBasedFactor:
    """Return what a locked user began a moment ago; what is older counts as absent."""
    factor = TimeBasedFactor.objects.filter(user=user.pk).first()
    if factor is not None and factor.confirmed_at is not None:
        raise _enrolled_already()
    if factor is None or factor.created_at + BEGUN_LIFETIME <= timezone.now():
        raise WrongState("There is no authenticator app to confirm. Begin with your password.")
    return factor


def show_second_factor(*, user: User, code: str, client: Client, session_id: UUID) -> None:
    """Let a session that was opened without the factor show it now, and go on."""
    _check_code(user, code, client)
    with transaction.atomic():
        AuthSession.objects.filter(pk=session_id, user=user).update(second_factor_at=timezone.now())
        record_audit_event(actor=user, verb="second_factor.shown", target=user)


def renew_recovery_codes(*, user: User, password: str, code: str, client: Client) -> list[str]:
    """Return ten new recovery codes, this once; the old ones are void."""
    _check_both(user, password, code, client)
    with transaction.atomic():
        lock_user(user.pk)
        record_audit_event(actor=user, verb="recovery_codes.renewed", target=user)
        return _new_recovery_codes(user)


def remove_second_factor(*, user: User, password: str, code: str, client: Client) -> None:
    """Take one's own factor off. Staff who need one have it reset by somebody else instead."""
    if is_second_factor_required(user):
        raise WrongState(
            "Staff keep their second factor. To change the phone, have another administrator "
            "reset it and enrol again."
        )
    _check_both(user, password, code, client)
    with transaction.atomic():
        lock_user(user.pk)
        _delete_factor(user)
        record_audit_event(actor=user, verb="second_factor.removed", target=user)


@transaction.atomic
def reset_second_factor(*, user_id: UUID, actor: User, reason: str) -> User:
    """Take a lost factor off somebody's account; every session of theirs ends.

    Whoever calls has the permission, and has made sure that they speak to the owner.
    """
    if user_id == actor.pk:
        raise NotAllowed("Another administrator has to reset your second factor.")
    user = lock_user(user_id)
    refuse_over_superuser(user, actor)
    if not TimeBasedFactor.objects.filter(user=user.pk).exists():
        raise WrongState("This user has no second factor.")
    _delete_factor(user)
    revoke_authority(user, reason="second factor was reset")
    user.save(update_fields=["token_version", "updated_at"])
    record_audit_event(actor=actor, verb="second_factor.reset", target=user, reason=reason)
    return user


def _delete_factor(user: User) -> None:
    TimeBasedFactor.objects.filter(user=user.pk).delete()
    RecoveryCode.objects.filter(user=user).delete()
    # What is not there can be shown by nobody.
    AuthSession.objects.filter(user=user, second_factor_due=True).update(second_factor_due=False)
    tell(user=user, purpose=MailPurpose.FACTOR_REMOVED)


def _check_both(user: User, password: str, code: str, client: Client) -> None:
    check_own_password(user=user, password=password, client=client)
    _check_code(user, code, client)


def _check_code(user: User, code: str, client: Client) -> None:
    try:
        is_enrolled = check_second_factor(user=user, code=code, client=client)
    except NotAuthenticated as exc:
        # Whoever asks is signed in: a 401 would sign their portal out.
        raise InvalidInput.on("code", exc.message, code=exc.code) from exc
    if not is_enrolled:
        raise WrongState("There is no second factor on your account.")


def check_own_password(*, user: User, password: str, client: Client) -> None:
    """Have a signed-in person show their password again, or refuse; attempts are reserved."""
    limits.reserve(limits.OWN_PASSWORD, str(user.pk))
    try:
        is_right = user.check_password(password)
    except Unavailable:
        limits.give_back(limits.OWN_PASSWORD, str(user.pk))  # nothing was compared
        raise
    if not is_right:
        record_audit_event(actor=user, verb="user.password_refused", target=user)
        raise InvalidInput.on("password", "This is not your password.", code="wrong_password")
    limits.give_back(limits.OWN_PASSWORD, str(user.pk))


def _new_recovery_codes(user: User) -> list[str]:
    """Replace a locked user's codes; only their keyed hashes are kept."""
    plain = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_hash(user.pk, code)) for code in plain
    )
    half = RECOVERY_LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in plain]


def _enrolled_already() -> WrongState:
    return WrongState("Your authenticator app is set up already. Remove it to begin anew.")


def sealed_secret(user_id: UUID, secret: str) -> bytes:
    """Return an app's secret as it is kept: sealed to its owner."""
    return sealed(secret.encode(), label=_label(user_id))


def _secret_of(factor: TimeBasedFactor) -> str:
    return opened(bytes(factor.secret), label=_label(factor.user_id)).decode()


def _label(user_id: UUID) -> bytes:
    return f"time-based factor of {user_id}".encode()


def _hash(user_id: UUID, plain: str) -> str:
    return blind_index(f"{user_id}:{plain}", column="recovery_codes.code_hash")
