"""Use cases of a scheme's life, one module each."""

from schemes.services.drafting import SchemeTerms, create_scheme, delete_scheme, update_scheme
from schemes.services.life import mark_commenced, mark_completed, mark_terminated
from schemes.services.locking import lock_scheme
from schemes.services.records import add_record
from schemes.services.sanction import approve_scheme, return_scheme, submit_scheme

__all__ = [
    "SchemeTerms",
    "add_record",
    "approve_scheme",
    "create_scheme",
    "delete_scheme",
    "lock_scheme",
    "mark_commenced",
    "mark_completed",
    "mark_terminated",
    "return_scheme",
    "submit_scheme",
    "update_scheme",
]
