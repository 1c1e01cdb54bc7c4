"""The ways a use case can refuse, told in words a person can act on.

Services raise these; `chitfund.api.errors` turns them into the one error envelope
and the admin shows their message. Nothing here knows HTTP beyond the status number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, and what to do about it."""

    field: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """A rule of the office says no. `message` says why and what to do."""

    status = 400
    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.errors = tuple(errors)
        self.retry_after = retry_after


class InvalidInput(DomainError):
    """The values do not fit together, or break a limit of the law or the scheme."""

    @classmethod
    def on(cls, field: str, message: str, *, code: str = "invalid") -> InvalidInput:
        return cls(message, code=code, errors=[FieldError(field, message, code)])


class WrongState(DomainError):
    """The row is in a state in which this cannot be done; the message says what can."""

    status = 409
    code = "wrong_state"


class InvalidTransition(WrongState):
    """A status may not move this way."""

    code = "invalid_transition"


class Conflict(DomainError):
    """Somebody else was first, or the value is taken."""

    status = 409
    code = "conflict"


class KeyMismatch(DomainError):
    """An idempotency key came again with another body."""

    status = 422
    code = "idempotency_mismatch"


class NotAuthenticated(DomainError):
    """The credentials do not hold."""

    status = 401
    code = "not_authenticated"


class NotAllowed(DomainError):
    """The person may not do this, whatever the state."""

    status = 403
    code = "forbidden"


class NotFound(DomainError):
    """No such row, or none that this person may see."""

    status = 404
    code = "not_found"


class TooLarge(DomainError):
    """The request has more bytes than are read."""

    status = 413
    code = "too_large"


class TooMany(DomainError):
    """Too many attempts; try again after `retry_after` seconds."""

    status = 429
    code = "throttled"


class Unavailable(DomainError):
    """A part that this needs is not answering; nothing was done."""

    status = 503
    code = "unavailable"
