"""One shape for every error: `{"message", "code", "errors": [...], "trace_id"}`.

DRF's own handler does its work (headers, marking the transaction); this module only
turns our exceptions into DRF's before it and dresses the answer after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, JsonResponse
from psycopg import errors as pg
from rest_framework import exceptions as drf
from rest_framework import status
from rest_framework import views as drf_views
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from chitfund.exceptions import Conflict, DomainError, InvalidInput, TooLarge, Unavailable
from chitfund.observability.trace import current_trace_id

logger = logging.getLogger("chitfund.api")

CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    500: "server_error",
    503: "unavailable",
}
# Refusals at the door, which say in `message` why the right password does not open it.
SIGN_IN_CODES = frozenset({"account_suspended", "email_not_verified", "approval_pending"})
MESSAGES = {
    400: "The request is not valid.",
    401: "Sign in to do this.",
    403: "Forbidden",
    404: "Not found.",
    413: "The request is too large.",
    429: "Too many requests. Wait a little and try again.",
    500: "Something went wrong on our side. Nothing was saved; quote the trace id to support.",
    503: "The service is busy. Nothing was done; try again in a few seconds.",
}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view in the one envelope, 500 included."""
    known = _as_domain_error(exc)
    response = drf_exception_handler(_AsDrf(known) if known else exc, context)
    if response is None:
        logger.error("unhandled", exc_info=exc, extra={"action": "request.failed"})
        response = Response(status=status.HTTP_500_INTERNAL_SERVER_ERROR)
        drf_views.set_rollback()
    response.data = _dress(exc, known, response)
    return response


def _as_domain_error(exc: Exception) -> DomainError | None:
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, RecursionError):
        return InvalidInput("The request is nested too deeply.")
    if isinstance(exc, RequestDataTooBig):
        return TooLarge(MESSAGES[413])
    if isinstance(exc, DatabaseError):
        return _from_database(exc)
    return None


def _from_database(exc: DatabaseError) -> DomainError | None:
    """Say what a refusal of the database means; its own text may hold personal data."""
    cause = exc.__cause__
    if isinstance(cause, pg.Error):
        for kinds, answer in ANSWERS:
            if isinstance(cause, kinds):
                return answer(cause)
    return Unavailable(MESSAGES[503], retry_after=5) if isinstance(exc, OperationalError) else None


def _told_by(cause: pg.Error, fallback: str) -> str:
    """Name the constraint, which is a sentence by our naming rule, and no value."""
    name = cause.diag.constraint_name
    logger.warning("constraint", extra={"action": "constraint.refused", "constraint": name})
    return f"{fallback} (rule: {name})" if name else fallback


ANSWERS: tuple[tuple[tuple[type[pg.Error], ...], Callable[[pg.Error], DomainError]], ...] = (
    (
        (pg.LockNotAvailable, pg.QueryCanceled),
        lambda cause: Unavailable(MESSAGES[503], retry_after=1),
    ),
    (
        (pg.DeadlockDetected, pg.SerializationFailure),
        lambda cause: Conflict(
            "Somebody changed this at the same moment. Try again.", retry_after=1
        ),
    ),
    (
        (pg.UniqueViolation, pg.ExclusionViolation),
        lambda cause: Conflict(_told_by(cause, "This already exists.")),
    ),
    (
        (pg.CheckViolation, pg.NotNullViolation, pg.ForeignKeyViolation),
        lambda cause: InvalidInput(_told_by(cause, "These values are not allowed together.")),
    ),
    (
        # What our triggers raise.
        (pg.RestrictViolation, pg.RaiseException),
        lambda cause: Conflict(
            "What is decided or posted is never changed or removed. Load it again; where it is "
            "wrong, reverse it."
        ),
    ),
    (
        (pg.DataError,),
        lambda cause: InvalidInput(
            "A value is out of range or has a character that cannot be stored."
        ),
    ),
)


class _AsDrf(drf.APIException):
    """A DomainError on its way through DRF's handler."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(detail=error.message, code=error.code)
        self.status_code = error.status
        if error.retry_after is not None:
            self.wait = error.retry_after
        if error.status == status.HTTP_401_UNAUTHORIZED:
            self.auth_header = 'Bearer realm="chitfund"'


def _dress(exc: Exception, known: DomainError | None, response: Response) -> dict[str, Any]:
    if known is not None:
        errors = [{"field": e.field, "code": e.code, "message": e.message} for e in known.errors]
        if known.status == status.HTTP_403_FORBIDDEN and known.code not in SIGN_IN_CODES:
            return _forbidden(known.message, known.code)
        return envelope(known.status, known.message, known.code, errors)
    if isinstance(exc, drf.ValidationError):
        errors = list(_flatten(exc.get_full_details()))
        return envelope(400, _first_message(errors), "invalid", errors)
    code = response.status_code
    detail = getattr(exc, "detail", None)
    if code == status.HTTP_403_FORBIDDEN:
        return _forbidden(str(detail or ""), CODES[403])
    told = str(detail) if detail and code not in (404, 500) else ""
    return envelope(code, told or MESSAGES.get(code, "The request failed."))


def _forbidden(reason: str, code: str) -> dict[str, Any]:
    """Return the one form of every 403: "Forbidden", and the reason among the errors."""
    errors = [{"field": "", "code": code, "message": reason}] if reason else []
    return envelope(status.HTTP_403_FORBIDDEN, MESSAGES[403], code, errors)


def _first_message(errors: list[dict[str, str]]) -> str:
    if not errors:
        return MESSAGES[400]
    first = errors[0]
    return f"{first['field']}: {first['message']}" if first["field"] else first["message"]


def _flatten(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Turn DRF's nested details into one row a field."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        field = "" if path == "non_field_errors" else path.removesuffix(".non_field_errors")
        yield {"field": field, "code": str(details["code"]), "message": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _flatten(value, f"{path}.{key}" if path else str(key))
    elif isinstance(details, list):
        for index, value in enumerate(details):
            is_message = isinstance(value, dict) and set(value) == {"message", "code"}
            yield from _flatten(value, path if is_message else f"{path}[{index}]")


def envelope(
    status_code: int,
    message: str | None = None,
    code: str | None = None,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Return the error body for a status."""
    return {
        "message": message or MESSAGES.get(status_code, "The request failed."),
        "code": code or CODES.get(status_code, "error"),
        "errors": errors or [],
        "trace_id": current_trace_id(),
    }


def error_response(status_code: int, message: str | None = None) -> JsonResponse:
    """Answer in the envelope outside DRF: Django's own 400, 403, 404 and 500."""
    return JsonResponse(envelope(status_code, message), status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return error_response(400)


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    return error_response(403)


def page_not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return error_response(404)


def server_error(request: HttpRequest) -> JsonResponse:
    return error_response(500)
