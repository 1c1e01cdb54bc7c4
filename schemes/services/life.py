"""What higher apps do to a scheme that they have locked: commence, complete, give up."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_audit_event
from accounts.models import User
from chitfund.business_date import end_date
from chitfund.exceptions import WrongState
from schemes.models import RecordKind, Scheme, SchemeStatus, StatutoryRecord
from schemes.numbers import certificate_number as next_certificate_number
from schemes.services.records import write_record


@transaction.atomic
def mark_commenced(
    *, scheme: Scheme, actor: User, certificate_number: str | None, on: date, start_date: date
) -> StatutoryRecord:
    """Write the commencement certificate (s.9) of a locked scheme and set its real term.

    Without a number the next `FORM7-YYYY-NNNNNN` is given. The caller audits the use case.
    """
    if scheme.status != SchemeStatus.ACTIVE or scheme.commenced_on is not None:
        raise WrongState(
            f"{scheme.name} is {scheme.get_status_display().lower()}"
            f"{' and has commenced' if scheme.commenced_on else ''}; a sanctioned scheme "
            "commences once."
        )
    scheme.commenced_on = on
    scheme.start_date = start_date
    scheme.end_date = end_date(start_date, scheme.duration_months)
    scheme.save()
    return write_record(
        scheme=scheme,
        actor=actor,
        kind=RecordKind.COMMENCEMENT,
        number=certificate_number or next_certificate_number(on),
        issued_on=on,
    )


@transaction.atomic
def mark_completed(*, scheme: Scheme, actor: User | None) -> None:
    """Close a locked scheme whose books are at zero; the caller has seen that they are."""
    scheme.move_to(SchemeStatus.COMPLETED)
    scheme.completed_at = timezone.now()
    scheme.save()
    record_audit_event(actor=actor, verb="scheme.completed", target=scheme)


@transaction.atomic
def mark_terminated(*, scheme: Scheme, actor: User, reason: str) -> None:
    """Give up a locked scheme that has not commenced; the caller has released its tickets."""
    if scheme.commenced_on is not None:
        raise WrongState(f"{scheme.name} has commenced; it runs until its books close.")
    scheme.move_to(SchemeStatus.TERMINATED)
    scheme.terminated_at = timezone.now()
    scheme.termination_reason = reason
    scheme.save()
    record_audit_event(actor=actor, verb="scheme.terminated", target=scheme, reason=reason)
