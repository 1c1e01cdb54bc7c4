"""The daily jobs of money, each for one business date (chitfund.jobs names them)."""

from __future__ import annotations

import logging
from datetime import date

from payments.audit import check_ledger
from payments.services.reminders import remind_due_installments

logger = logging.getLogger("chitfund.payments")


def check_ledger_nightly(as_of: date) -> dict[str, int]:
    """Check every ledger; a finding is an error in the log and in the job's result."""
    findings = check_ledger()
    for finding in findings:
        logger.error(
            "ledger does not hold",
            extra={
                "action": "ledger.broken",
                "scheme_id": finding.scheme_id,
                "reason_code": finding.rule,
            },
        )
    return {"findings": len(findings)}


def remind_due(as_of: date) -> dict[str, int]:
    """Remind of installments that are due soon or overdue, once each."""
    return {"reminded": remind_due_installments(as_of=as_of)}
