"""A person's rights over what the office knows of them: to take it along, to have it erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import limits
from accounts.audit import record_audit_event
from accounts.models import (
    Address,
    BankAccount,
    ErasureRequest,
    ErasureStatus,
    Nominee,
    User,
    UserProfile,
)
from accounts.services.sessions import lock_user
from chitfund.data_rights import erasers, holds_on, sections
from chitfund.exceptions import NotAllowed, NotFound, WrongState

EXPORT = limits.Limit("data-export", 1, timedelta(days=1))
# No law asks for these of anybody: they go as soon as their owner asks.
AT_ONCE = frozenset({"profile"})


def export_own_data(*, actor: User) -> dict[str, Any]:
    """Return everything held about a person, once a day, and record that it was taken.

    An export that fails uses no day up.
    """
    limits.reserve(EXPORT, str(actor.pk))
    try:
        with transaction.atomic():
            parts = {name: section(actor.pk) for name, section in sections()}
            record_audit_event(actor=actor, verb="user.data_exported", target=actor)
    except BaseException:
        limits.give_back(EXPORT, str(actor.pk))
        raise
    return {"exported_at": timezone.now(), "user_id": actor.pk, "sections": parts}


@transaction.atomic
def request_erasure(*, actor: User, note: str) -> ErasureRequest:
    """Take a request down, erase at once what nobody has to keep, and say what is kept."""
    user = lock_user(actor.pk)
    if ErasureRequest.objects.filter(user=user, status=ErasureStatus.PENDING).exists():
        raise WrongState("Your request waits for the office already. You will see its decision.")
    request = ErasureRequest(user=user, note=note)
    _erase(request, only=AT_ONCE)
    request.save(force_insert=True)
    record_audit_event(actor=actor, verb="erasure.requested", target=request, erased=request.erased)
    return request


@transaction.atomic
def accept_erasure(*, request_id: UUID, actor: User, reason: str) -> ErasureRequest:
    """Erase everything that no law keeps today."""
    request = _lock(request_id, actor)
    _erase(request)
    return _decide(request, ErasureStatus.DONE, actor, reason)


@transaction.atomic
def refuse_erasure(*, request_id: UUID, actor: User, reason: str) -> ErasureRequest:
    """Keep what is left; the person reads why, and may ask again."""
    request = _lock(request_id, actor)
    return _decide(request, ErasureStatus.REFUSED, actor, reason)


def erase_occupation(user_id: UUID) -> int:
    return UserProfile.objects.filter(user=user_id).delete()[0]


def erase_addresses(user_id: UUID) -> int:
    return Address.objects.filter(user=user_id).delete()[0]


def erase_nominees(user_id: UUID) -> int:
    return Nominee.objects.filter(user=user_id).delete()[0]


def erase_bank_accounts(user_id: UUID) -> int:
    return BankAccount.objects.filter(user=user_id).delete()[0]


def _erase(request: ErasureRequest, *, only: frozenset[str] | None = None) -> None:
    """Erase what is not held, and write down what went and what stays."""
    holds = holds_on(request.user_id)
    held = {kind for hold in holds for kind in hold.what}
    for kind, erase in erasers():
        is_wanted = kind not in held and (only is None or kind in only)
        if is_wanted and erase(request.user_id):
            request.erased = sorted({*request.erased, kind})
    request.kept = [hold.as_dict() for hold in holds]


def _lock(request_id: UUID, actor: User) -> ErasureRequest:
    """Lock the person, then the request."""
    found = ErasureRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    if found.user_id == actor.pk:
        raise NotAllowed("Nobody decides on their own request.")
    lock_user(found.user_id)
    return ErasureRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)


def _decide(
    request: ErasureRequest, status: ErasureStatus, actor: User, reason: str
) -> ErasureRequest:
    request.move_to(status)
    request.decided_at = timezone.now()
    request.decided_by = actor
    request.decision_reason = reason
    request.save()
    verb = "erasure.done" if status == ErasureStatus.DONE else "erasure.refused"
    record_audit_event(actor=actor, verb=verb, target=request, erased=request.erased, reason=reason)
    return request
