"""Use cases of tickets, one module each."""

from subscriptions.services.enrolment import create_foreman_ticket, enrol
from subscriptions.services.leaving import (
    change_person_role,
    deactivate_person,
    terminate_scheme,
    withdraw,
)
from subscriptions.services.particulars import update_particulars

__all__ = [
    "change_person_role",
    "create_foreman_ticket",
    "deactivate_person",
    "enrol",
    "terminate_scheme",
    "update_particulars",
    "withdraw",
]
