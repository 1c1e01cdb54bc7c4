"""From draft to sanction (s.4): the foreman submits, the office approves or returns."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import User
from chitfund.business_date import business_date
from chitfund.exceptions import InvalidInput, InvalidTransition, NotAllowed, WrongState
from notifications.models import NotificationEvent
from notifications.services import notify
from schemes.models import RecordKind, Scheme, SchemeStatus
from schemes.numbers import sanction_number as next_sanction_number
from schemes.services.drafting import check_may_run_schemes
from schemes.services.locking import lock_own_scheme, lock_scheme
from schemes.services.records import write_record
from schemes.terms import check_terms


@transaction.atomic
def submit_scheme(*, scheme_id: UUID, actor: User) -> Scheme:
    """Freeze a draft's terms and put it on the approval desk."""
    scheme = lock_own_scheme(scheme_id, actor)
    _check_status(scheme, SchemeStatus.DRAFT, "Only a draft can be submitted")
    check_may_run_schemes(actor)
    today = business_date()
    if scheme.start_date < today:
        raise InvalidInput.on(
            "start_date",
            f"The start date, {scheme.start_date:%d %b %Y}, has passed. Choose one from "
            f"{today:%d %b %Y} on and submit again.",
            code="start_in_the_past",
        )
    check_terms(scheme)
    scheme.move_to(SchemeStatus.PENDING_APPROVAL)
    scheme.submitted_at = timezone.now()
    scheme.returned_at = None
    scheme.return_reason = ""
    scheme.save()
    record_audit_event(actor=actor, verb="scheme.submitted", target=scheme)
    return scheme


@transaction.atomic
def approve_scheme(
    *, scheme_id: UUID, actor: User, comment: str = "", sanction_number: str | None = None
) -> Scheme:
    """Sanction a scheme (s.4), open it for enrolment and tell its foreman.

    The row is locked before its status is read: of two administrators who approve at once the
    second gets InvalidTransition and nothing is written twice. Without a sanction number the
    next `PSO-YYYY-NNNNNN` is given.
    """
    scheme = lock_scheme(scheme_id)
    _check_other_person(scheme, actor)
    _check_status(scheme, SchemeStatus.PENDING_APPROVAL, "Only a submitted scheme can be approved")
    _check_foreman(scheme)
    today = business_date()
    scheme.move_to(SchemeStatus.ACTIVE)
    scheme.approved_by = actor
    scheme.approved_at = timezone.now()
    scheme.approval_comment = comment
    scheme.save()
    record = write_record(
        scheme=scheme,
        actor=actor,
        kind=RecordKind.PRIOR_SANCTION,
        number=sanction_number or next_sanction_number(today),
        issued_on=today,
    )
    record_audit_event(
        actor=actor,
        verb="scheme.approved",
        target=scheme,
        comment=comment,
        sanction_number=record.number,
    )
    notify(
        recipient_id=scheme.foreman_id,
        event=NotificationEvent.SCHEME_APPROVED,
        scheme=scheme.name,
        sanction_number=record.number,
    )
    return scheme


@transaction.atomic
def return_scheme(*, scheme_id: UUID, actor: User, reason: str) -> Scheme:
    """Send a submitted scheme back to draft, and tell its foreman what to change."""
    scheme = lock_scheme(scheme_id)
    _check_other_person(scheme, actor)
    _check_status(scheme, SchemeStatus.PENDING_APPROVAL, "Only a submitted scheme can be returned")
    if not reason.strip():
        raise InvalidInput.on("reason", "Say what the foreman has to change.", code="required")
    scheme.move_to(SchemeStatus.DRAFT)
    scheme.returned_at = timezone.now()
    scheme.return_reason = reason
    scheme.save()
    record_audit_event(actor=actor, verb="scheme.returned", target=scheme, reason=reason)
    notify(
        recipient_id=scheme.foreman_id,
        event=NotificationEvent.SCHEME_RETURNED,
        scheme=scheme.name,
        reason=reason,
    )
    return scheme


def _check_other_person(scheme: Scheme, actor: User) -> None:
    if scheme.foreman_id == actor.pk:
        raise NotAllowed("Nobody decides on a scheme of their own; ask another administrator.")


def _check_foreman(scheme: Scheme) -> None:
    foreman = scheme.foreman
    if not foreman.is_active or foreman.foreman_approved_at is None:
        raise WrongState(
            f"{foreman.full_name} is not an active, approved foreman. Approve or activate the "
            "foreman first, or return the scheme."
        )


def _check_status(scheme: Scheme, needed: SchemeStatus, rule: str) -> None:
    """Raise InvalidTransition that says where the scheme stands and what can be done now."""
    if scheme.status == needed:
        return
    hints = {
        SchemeStatus.DRAFT: "its foreman has to submit it first",
        SchemeStatus.PENDING_APPROVAL: "it waits for an administrator to approve or return it",
        SchemeStatus.ACTIVE: "it was approved already",
        SchemeStatus.COMPLETED: "it has run its course",
        SchemeStatus.TERMINATED: "it was given up",
    }
    raise InvalidTransition(
        f"{rule}; {scheme.name} is {scheme.get_status_display().lower()}: "
        f"{hints[SchemeStatus(scheme.status)]}."
    )
