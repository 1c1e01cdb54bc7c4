"""What the office holds about a person, app by app: what they may take along, and what stays.

Named by paths, like the jobs, so that this floor imports no app:

- a section is a function of a person's id that returns what it holds of them, plain values only;
- a hold is a function of a person's id that returns what a law keeps, which, and until when;
- an eraser is a function of a person's id that removes one kind of data and tells how many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.module_loading import import_string

SECTIONS: dict[str, str] = {
    "account": "accounts.export.account",
    "profile": "accounts.export.profile",
    "addresses": "accounts.export.addresses",
    "nominees": "accounts.export.nominees",
    "bank_accounts": "accounts.export.bank_accounts",
    "consents": "accounts.export.consents",
    "foreman_profile": "accounts.export.foreman_profile",
    "sessions": "accounts.export.sessions",
    "identities": "accounts.export.identities",
    "second_factor": "accounts.export.second_factor",
    "account_mails": "accounts.export.account_mails",
    "erasure_requests": "accounts.export.erasure_requests",
    "audit_events": "accounts.export.audit_events",
    "notifications": "notifications.export.notifications",
    "kyc_documents": "kyc.export.documents",
    "tickets": "subscriptions.export.tickets",
    "payments": "payments.export.payments",
    "payouts": "payments.export.payouts",
}
HOLDS: tuple[str, ...] = (
    "accounts.export.account_hold",
    "subscriptions.export.chit_records_hold",
    "subscriptions.export.unbegun_tickets_hold",
    "kyc.export.identity_hold",
)
ERASERS: dict[str, str] = {
    "profile": "accounts.services.data_rights.erase_occupation",
    "identities": "accounts.export.erase_identities",
    "notifications": "notifications.export.erase_notifications",
    "addresses": "accounts.services.data_rights.erase_addresses",
    "nominees": "accounts.services.data_rights.erase_nominees",
    "bank_accounts": "accounts.services.data_rights.erase_bank_accounts",
    "kyc_documents": "kyc.export.erase_documents",
}


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Kinds of data that are kept, by which law and why; `until` is None while nobody knows."""

    what: tuple[str, ...]
    law: str
    why: str
    until: date | None

    def as_dict(self) -> dict[str, Any]:
        until = None if self.until is None else self.until.isoformat()
        return {"what": list(self.what), "law": self.law, "why": self.why, "until": until}


def rows_of(rows: QuerySet[Any], *columns: str) -> list[dict[str, Any]]:
    """Return the named columns, oldest row first: what a section says it holds, and no more."""
    return [dict(row) for row in rows.order_by("pk").values(*columns)]


def sections() -> Iterator[tuple[str, Callable[[UUID], Any]]]:
    for name, path in SECTIONS.items():
        yield name, import_string(path)


def holds_on(user_id: UUID) -> list[Hold]:
    """Return everything that is kept of a person, in the order of the list."""
    return [hold for path in HOLDS for hold in import_string(path)(user_id)]


def erasers() -> Iterator[tuple[str, Callable[[UUID], int]]]:
    for name, path in ERASERS.items():
        yield name, import_string(path)
