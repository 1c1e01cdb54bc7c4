"""What the pages of the staff desk have in common: rows are read, and decided by services."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Case, QuerySet, When
from django.db.models.expressions import OrderBy
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from chitfund.exceptions import DomainError


class ReadOnlyAdmin(ModelAdmin):
    """Rows that are read at the desk and changed only by services."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


SHORTEST_REASON = 3


class ReasonedActionForm(ActionForm):
    """Asks why, beside what."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Reason (needed)"}),
    )


def waiting_first(status: str) -> OrderBy:
    """Order rows that wait for a decision before all others."""
    return Case(When(status=status, then=0), default=1).asc()


class DecidingAdmin(ReadOnlyAdmin):
    """A read-only list whose actions call a service for each selected row."""

    def decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        service: Callable[[Any], object],
        done: str,
    ) -> None:
        """Call the service row by row and tell how each went; one refusal stops no other."""
        for row in queryset.order_by("pk"):
            try:
                service(row)
            except DomainError as exc:
                self.message_user(request, f"{row}: {exc.message}", messages.WARNING)
            else:
                self.log_change(request, row, done)
                self.message_user(request, f"{row}: {done}", messages.SUCCESS)

    def one(self, request: HttpRequest, object_id: str) -> QuerySet[Any]:
        """Return the row that a page is about as what `decide` takes, or raise Http404."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return self.model._default_manager.filter(pk=row.pk)

    def back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return to the row's page: by htmx's header out of a dialog, else by a redirect."""
        meta = self.opts
        page = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[object_id])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": page})
        return redirect(page)


class ReasonedAdmin(DecidingAdmin):
    """Decisions on selected rows that need a reason, asked for beside the action."""

    action_form = ReasonedActionForm
    # What the services call the id of a row.
    service_argument = ""

    def decide_for_reason(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        service: Callable[..., object],
        done: str,
    ) -> None:
        """Call the service for each row with the actor and the reason, or ask for the reason."""
        reason = request.POST.get("reason", "").strip()
        if len(reason) < SHORTEST_REASON:
            self.message_user(request, "Give a reason beside the action.", messages.ERROR)
            return
        decision = partial(service, actor=request.user, reason=reason)
        self.decide(
            request, queryset, lambda row: decision(**{self.service_argument: row.pk}), done
        )
