"""What every view of the office shares: idempotency keys, and denials that leave a trace."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework import status, viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.audit import record_audit_event


class OfficeView(APIView):
    """A view that honours `Idempotency-Key` on every POST of a signed-in person."""

    takes_idempotency_key = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who may, then do a keyed POST once: a replay passes the same checks."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and self.takes_idempotency_key and request.user.pk:
            key = idempotency.given_key(request)
            if key is not None:
                self._answer_once(key)

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
        return response

    def _record_denial(self, request: Request) -> None:
        if request.method in SAFE_METHODS or not request.user.pk:
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


class OfficeViewSet(OfficeView, viewsets.GenericViewSet):
    """The same for a viewset; compose it with DRF's mixins."""
