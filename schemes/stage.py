"""Where a scheme stands, as the portal shows it: derived from dated facts, never stored.

The property and the filter say the same thing twice, once for a row and once for the
database; a test holds them together over every combination of facts.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from schemes.models import FOR_SALE, RecordKind, Scheme, SchemeStatus, Stage, StatutoryRecord

_OTHER_THAN_ACTIVE = {
    SchemeStatus.PENDING_APPROVAL: Stage.SUBMITTED,
    SchemeStatus.COMPLETED: Stage.COMPLETED,
    SchemeStatus.TERMINATED: Stage.TERMINATED,
}


def stage_of(scheme: Scheme, kinds: Collection[str]) -> Stage:
    """Return the stage of a scheme that has statutory records of these kinds."""
    if scheme.status == SchemeStatus.DRAFT:
        return Stage.DRAFT if scheme.returned_at is None else Stage.RETURNED
    if scheme.status != SchemeStatus.ACTIVE:
        return _OTHER_THAN_ACTIVE[SchemeStatus(scheme.status)]
    if scheme.commenced_on is not None:
        return Stage.LIVE
    if RecordKind.AGREEMENT in kinds:
        return Stage.FINAL_AGREEMENT_UPLOADED
    return Stage.PSO_APPROVED if scheme.seats_left > 0 else Stage.SUBSCRIBERS_ADDED


def in_stage(stage: Stage) -> Q:
    """Return the condition that a scheme is in a stage."""
    has_agreement = Q(
        Exists(StatutoryRecord.objects.filter(scheme=OuterRef("pk"), kind=RecordKind.AGREEMENT))
    )
    waits = Q(status=SchemeStatus.ACTIVE, commenced_on=None)
    has_seats = Q(current_subscribers__lt=FOR_SALE)
    conditions = {
        Stage.DRAFT: Q(status=SchemeStatus.DRAFT, returned_at=None),
        Stage.RETURNED: Q(status=SchemeStatus.DRAFT, returned_at__isnull=False),
        Stage.LIVE: Q(status=SchemeStatus.ACTIVE, commenced_on__isnull=False),
        Stage.FINAL_AGREEMENT_UPLOADED: waits & has_agreement,
        Stage.PSO_APPROVED: waits & ~has_agreement & has_seats,
        Stage.SUBSCRIBERS_ADDED: waits & ~has_agreement & ~has_seats,
        **{stage: Q(status=status) for status, stage in _OTHER_THAN_ACTIVE.items()},
    }
    return conditions[stage]
