"""Six digits that prove a phone or a mailbox: asked for, guessed at a few times, redeemed once.

`send_code` and `verify_code` reserve attempts that must outlive a refusal: call them outside
a transaction. Nobody's account is looked at, so the answers cannot tell who has one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import limits
from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.clients import Client
from accounts.models import CodeChannel, CodePurpose, OneTimeCode
from accounts.models.factors import MOST_GUESSES
from chitfund.doorbell import ring
from chitfund.exceptions import InvalidInput, Unavailable
from chitfund.observability.trace import current_trace_id

SEND = "notifications.send_one_time_codes"
DIGITS = 6
# From the request, not from the sending: a code that comes late is not good for longer.
LIFETIME = timedelta(minutes=10)
PROOF_LIFETIME = timedelta(minutes=15)
AN_HOUR = 3600
SALT = "accounts.one_time_codes"


@dataclass(frozen=True)
class Proof:
    """What a right code earns: a token for one use, by one address, for one purpose."""

    channel: CodeChannel
    token: str


def send_code(
    *, address: str, purpose: CodePurpose, channel: CodeChannel, client: Client
) -> OneTimeCode:
    """Queue a code for a phone (E.164) or an e-mail address; what was sent before is void.

    The caller's line is counted first, so that nobody uses another's day up for nothing.
    """
    _check_can_be_sent(address, channel)
    limits.reserve(limits.CODE_CLIENT, client.neighbourhood)
    limits.reserve(limits.CODE_PAUSE, address)
    limits.reserve(limits.CODE_NUMBER, address)
    return _queue(address, purpose, channel)


def _check_can_be_sent(address: str, channel: CodeChannel) -> None:
    if not settings.CODE_SENDERS.get(channel):
        raise Unavailable(
            f"Codes by {channel.label} are not set up at this office: {channel}_SENDER is not "
            "set. Ask for one another way.",
            code="channel_not_configured",
            retry_after=AN_HOUR,
        )
    if channel != CodeChannel.EMAIL and not address.startswith(settings.CODE_COUNTRIES):
        raise InvalidInput.on(
            "phone_number",
            "Codes are not sent to this country. Use an Indian number.",
            code="country_not_served",
        )


@transaction.atomic
def _queue(address: str, purpose: CodePurpose, channel: CodeChannel) -> OneTimeCode:
    now = timezone.now()
    unproven = OneTimeCode.objects.filter(address=address, purpose=purpose, used_at=None)
    unproven.filter(expires_at__gt=now).update(expires_at=now)
    code = OneTimeCode.objects.create(
        channel=channel,
        address=address,
        purpose=purpose,
        trace_id=current_trace_id(),
        expires_at=now + LIFETIME,
    )
    record_audit_event(
        actor=None,
        verb="code.requested",
        target=code,
        purpose=purpose,
        channel=channel,
    )
    ring(SEND, str(code.pk), queue="high")
    return code


def issue_code(code: OneTimeCode) -> str | None:
    """Return new digits for a claimed row and store their hash; None if it is void by now.

    Another attempt at the same row makes other digits, and the earlier ones prove nothing.
    """
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    wanted = OneTimeCode.objects.filter(pk=code.pk, used_at=None, expires_at__gt=timezone.now())
    return digits if wanted.update(code_hash=_hash(code.pk, digits)) else None


def verify_code(*, address: str, otp: str, purpose: CodePurpose, client: Client) -> Proof:
    """Return the proof that a right code earns, or refuse all else in the same words.

    The guess is taken by compare-and-set before the digits are compared, so of many guesses
    at once no more are looked at than one code allows.
    """
    limits.reserve(limits.CODE_CHECK, client.neighbourhood)
    code = _newest(address, purpose)
    if code is None or not _take_guess(code.pk):
        _refuse(code)
    return _prove(code.pk, otp)


def _newest(address: str, purpose: CodePurpose) -> OneTimeCode | None:
    rows = OneTimeCode.objects.filter(address=address, purpose=purpose)
    return rows.order_by("-id").first()


def _live(code_id: UUID) -> Q:
    return Q(pk=code_id, used_at=None, expires_at__gt=timezone.now()) & ~Q(code_hash="")


def _take_guess(code_id: UUID) -> bool:
    guessable = OneTimeCode.objects.filter(_live(code_id), guesses__lt=MOST_GUESSES)
    return bool(guessable.update(guesses=F("guesses") + 1))


def _prove(code_id: UUID, otp: str) -> Proof:
    code = OneTimeCode.objects.get(pk=code_id)
    is_right = constant_time_compare(code.code_hash, _hash(code.pk, otp))
    if not is_right or not _use_up(code):
        _refuse(code)
    return Proof(CodeChannel(code.channel), signing.dumps(str(code.pk), salt=SALT))


@transaction.atomic
def _use_up(code: OneTimeCode) -> bool:
    """Mark a code as used if these are still its digits; of many at once one succeeds."""
    mine = OneTimeCode.objects.filter(_live(code.pk), code_hash=code.code_hash)
    if not mine.update(used_at=timezone.now()):
        return False
    record_audit_event(actor=None, verb="code.verified", target=code, purpose=code.purpose)
    return True


def _refuse(code: OneTimeCode | None) -> NoReturn:
    if code is None:
        record_attempt_on_nobody(verb="code.refused")
    else:
        record_audit_event(actor=None, verb="code.refused", target=code)
    raise InvalidInput.on(
        "otp",
        "This code is not right, or it has expired. Ask for a new one.",
        code="invalid_code",
    )


def redeem_phone_token(*, token: str, phone_number: str, purpose: CodePurpose) -> None:
    """Spend the proof that a phone number was verified, in the caller's transaction.

    Raises InvalidInput for a token of another number or purpose, an old one, or a spent one.
    """
    channels = [CodeChannel.SMS, CodeChannel.WHATSAPP]
    _redeem("phone_token", token, address=phone_number, purpose=purpose, channel__in=channels)


def redeem_email_token(*, token: str, email: str, purpose: CodePurpose) -> None:
    """Spend the proof that a mailbox was verified; the same rules."""
    address = email.lower()
    _redeem("email_token", token, address=address, purpose=purpose, channel=CodeChannel.EMAIL)


def _redeem(field: str, token: str, **bound_to: object) -> None:
    now = timezone.now()
    known_as = _signed_id(token)
    proven = OneTimeCode.objects.filter(
        used_at__gt=now - PROOF_LIFETIME, redeemed_at=None, **bound_to
    )
    if known_as is None or not proven.filter(pk=known_as).update(redeemed_at=now):
        raise InvalidInput.on(
            field,
            "This proof is not valid for this address, was used, or has expired. "
            "Ask for a new code.",
            code="invalid_proof",
        )


def _signed_id(token: str) -> UUID | None:
    """Return the row that a token of ours names; None for any other text."""
    try:
        return UUID(signing.loads(token, salt=SALT, max_age=PROOF_LIFETIME))
    except (signing.BadSignature, ValueError):
        return None


def _hash(code_id: UUID, digits: str) -> str:
    """Return the digits' hash under the office's key: a stolen table tells no code."""
    return salted_hmac(SALT, f"{code_id}:{digits}", algorithm="sha256").hexdigest()
