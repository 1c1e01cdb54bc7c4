"""Numbers that the office gives to sanctions and certificates, gapless per year."""

from __future__ import annotations

from datetime import date

from chitfund.db import next_number
from schemes.models import RecordKind, StatutoryRecord


def sanction_number(on: date) -> str:
    """Return the next prior sanction order's number, `PSO-2026-000001`."""
    return _next("PSO", RecordKind.PRIOR_SANCTION, on)


def certificate_number(on: date) -> str:
    """Return the next commencement certificate's number, `FORM7-2026-000001`."""
    return _next("FORM7", RecordKind.COMMENCEMENT, on)


def _next(prefix: str, kind: RecordKind, on: date) -> str:
    """Call it late: it holds the series until the commit. Numbers given by hand are passed over."""
    while True:
        number = f"{prefix}-{on.year}-{next_number(f'{prefix}-{on.year}'):06d}"
        if not StatutoryRecord.objects.filter(kind=kind, number=number).exists():
            return number
