"""What every view of the office shares: idempotency keys, and denials that leave a trace."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status, viewsets
from rest_framework.authentication import get_authorization_header
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency, limits
from accounts.audit import record_attempt_on_nobody, record_audit_event
from accounts.clients import client_of
from accounts.permissions import is_administrator
from chitfund.exceptions import NotAllowed


def refuse_without_second_factor(user: Any) -> None:
    """Refuse whose session has shown no second factor, where one is demanded of it.

    Of staff, where the office says so; and of everybody who has one and came in by another
    way than the password.
    """
    session = getattr(user, "auth_session", None)
    if session is not None and session.second_factor_at is not None:
        return
    is_due = session is not None and session.second_factor_due
    if is_due or (settings.REQUIRE_STAFF_SECOND_FACTOR and is_administrator(user)):
        raise NotAllowed(
            "Set up your second factor (POST /api/auth/second-factor), or show its code "
            "(POST /api/auth/second-factor/show).",
            code="second_factor_required",
        )


class OfficeView(APIView):
    """A view that honours `Idempotency-Key` on every POST of a signed-in person."""

    takes_idempotency_key = True
    # False where staff who have yet to enrol a second factor may go.
    needs_second_factor = True
    # A refused read is noise, but for what nobody asks for by mistake.
    records_denied_reads = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who may, then do a keyed POST once: a replay passes the same checks."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and self.takes_idempotency_key and request.user.pk:
            key = idempotency.given_key(request)
            if key is not None:
                self._answer_once(key)

    def perform_authentication(self, request: Request) -> None:
        """Count the request before it is refused or allowed: a refusal costs time as well."""
        try:
            super().perform_authentication(request)
        finally:
            super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Do nothing: DRF asks again once the permissions are checked."""

    def check_permissions(self, request: Request) -> None:
        """Ask for the second factor first: without it, nobody's permissions matter."""
        if self.needs_second_factor:
            refuse_without_second_factor(request.user)
        super().check_permissions(request)

    def _answer_once(self, key: str) -> None:
        handler = getattr(self, "post")  # noqa: B009 - a viewset has it by then

        def keyed(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            return idempotency.answer_once(request, handler, key, kwargs)

        setattr(self, "post", keyed)  # noqa: B010 - where dispatch looks for it

    def handle_exception(self, exc: Exception) -> Response:
        """Record a refused write after its transaction is undone, or the record would be too."""
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_403_FORBIDDEN:
            self._record_denial(self.request)
        elif response.status_code == status.HTTP_401_UNAUTHORIZED:
            _count_refused_token(self.request)
        return response

    def _record_denial(self, request: Request) -> None:
        is_read = request.method in SAFE_METHODS and not self.records_denied_reads
        if is_read or not request.user.pk:
            return
        route = getattr(request.resolver_match, "route", "")
        record_audit_event(
            actor=request.user,
            verb="access.denied",
            target=request.user,
            method=request.method,
            route=route,
            role=request.user.role,
        )


def _count_refused_token(request: Request) -> None:
    """Record once a quarter of an hour that a line shows many tokens that do not hold.

    One refused token is a session that has ended; a request without any is a stranger.
    """
    if not get_authorization_header(request):
        return
    if limits.is_first_beyond(limits.REFUSED_TOKENS, client_of(request).neighbourhood):
        record_attempt_on_nobody(verb="token.refused_often")


class OfficeViewSet(OfficeView, viewsets.GenericViewSet):
    """The same for a viewset; compose it with DRF's mixins."""
