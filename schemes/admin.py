"""The approval desk. A status changes only through the actions, which call the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from chitfund.desk import DecidingAdmin, ReadOnlyAdmin, waiting_first
from chitfund.money import format_inr
from schemes import services
from schemes.models import Scheme, SchemeStatus, Stage, StatutoryRecord
from schemes.stage import in_stage, stage_of


class ApproveForm(BaseDialogForm):
    comment = forms.CharField(
        label="Comment", max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    sanction_number = forms.CharField(
        label="Sanction number",
        max_length=60,
        required=False,
        help_text="Leave empty for the next PSO number.",
        widget=UnfoldAdminTextInputWidget(),
    )


class ReturnForm(BaseDialogForm):
    reason = forms.CharField(
        label="What the foreman has to change",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class StageFilter(SimpleListFilter):
    """The portal's stages."""

    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.value, stage.label) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scheme]) -> QuerySet[Scheme]:
        """Narrow by a stage; one that does not exist narrows nothing."""
        stage = self.value()
        return queryset.filter(in_stage(Stage(stage))) if stage in Stage.values else queryset


class RecordInline(TabularInline):
    """What is on record for a scheme; read only."""

    model = StatutoryRecord
    fields = readonly_fields = (
        "kind", "number", "issued_on", "expires_on", "amount", "evidence", "recorded_by",
    )  # fmt: skip
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Scheme)
class SchemeAdmin(DecidingAdmin):
    """Schemes, those that wait for a decision first and the longest waiting on top."""

    actions = ("approve_selected",)
    actions_detail = ("approve", "send_back")
    inlines = (RecordInline,)
    list_display = (
        "name",
        "foreman",
        "status",
        "stage",
        "waits",
        "chit_value",
        "max_subscribers",
        "current_subscribers",
    )
    list_filter = ("status", StageFilter)
    search_fields = ("name", "foreman__full_name", "foreman__email", "records__number")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "foreman",
                    "status",
                    "stage",
                    ("total_amount", "monthly_installment"),
                    ("max_subscribers", "current_subscribers", "duration_months"),
                    ("start_date", "end_date"),
                )
            },
        ),
        (
            "Commission (s.21)",
            {
                "fields": (
                    ("commission_percent", "commission_base", "commission_mode"),
                    "foreman_installment",
                )
            },
        ),
        (
            "Auction (s.6)",
            {
                "fields": (
                    ("max_discount_percent", "min_discount_percent", "bid_step"),
                    ("auction_day", "auction_time", "auction_minutes"),
                )
            },
        ),
        (
            "Dividend",
            {
                "fields": (
                    ("dividend_policy", "dividend_timing"),
                    ("rounding_unit", "base_dividend_cap_percent"),
                )
            },
        ),
        ("Late payment", {"fields": (("late_interest_percent", "grace_days", "late_dividend"),)}),
        (
            "Decision",
            {
                "fields": (
                    "submitted_at",
                    ("returned_at", "return_reason"),
                    ("approved_at", "approved_by", "approval_comment"),
                )
            },
        ),
        (
            "Life",
            {
                "fields": (
                    ("commenced_on", "next_auction_at", "completed_at"),
                    ("terminated_at", "termination_reason"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scheme]:
        schemes: QuerySet[Scheme] = super().get_queryset(request)
        return schemes.select_related("foreman", "approved_by").prefetch_related("records")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (waiting_first(SchemeStatus.PENDING_APPROVAL), "submitted_at", "-id")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer a decision on what waits for one; who comes too late is told by the service."""
        scheme = self.get_object(request, object_id)
        waits = scheme is not None and scheme.status == SchemeStatus.PENDING_APPROVAL
        return super().get_actions_detail(request, object_id) if waits else []

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("schemes.approve_scheme")

    @admin.display(description="Stage")
    def stage(self, scheme: Scheme) -> str:
        return stage_of(scheme, {record.kind for record in scheme.records.all()}).label

    @admin.display(description="Chit value", ordering="total_amount")
    def chit_value(self, scheme: Scheme) -> str:
        return format_inr(scheme.total_amount)

    @admin.display(description="Waits", ordering="submitted_at")
    def waits(self, scheme: Scheme) -> str:
        """How long a submitted scheme has waited for a decision."""
        if scheme.status != SchemeStatus.PENDING_APPROVAL or scheme.submitted_at is None:
            return ""
        days = (timezone.now() - scheme.submitted_at).days
        return "since today" if days < 1 else f"{days} day{'s' if days > 1 else ''}"

    @action(
        description="Approve",
        permissions=["approve"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Sanction this scheme (s.4)",
            "description": "It opens for enrolment and its foreman is told.",
            "form_class": ApproveForm,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        comment, number = form.cleaned_data["comment"], form.cleaned_data["sanction_number"]
        self.decide(
            request,
            self.one(request, object_id),
            lambda scheme: services.approve_scheme(
                scheme_id=scheme.pk, actor=request.user, comment=comment, sanction_number=number
            ),
            "Approved.",
        )
        return self.back(request, object_id)

    @action(
        description="Return",
        permissions=["approve"],
        url_path="return",
        variant=ActionVariant.WARNING,
        dialog={
            "title": "Return this scheme",
            "description": "It is a draft again and its foreman is told why.",
            "form_class": ReturnForm,
            "form_submit_text": "Return",
        },
    )
    def send_back(self, request: HttpRequest, form: ReturnForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        self.decide(
            request,
            self.one(request, object_id),
            lambda scheme: services.return_scheme(
                scheme_id=scheme.pk, actor=request.user, reason=reason
            ),
            "Returned.",
        )
        return self.back(request, object_id)

    @admin.action(description="Approve selected schemes", permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Scheme]) -> None:
        self.decide(
            request,
            queryset,
            lambda scheme: services.approve_scheme(
                scheme_id=scheme.pk, actor=request.user, comment="Approved at the desk."
            ),
            "Approved.",
        )


@admin.register(StatutoryRecord)
class StatutoryRecordAdmin(ReadOnlyAdmin):
    """All records, to be found by number."""

    list_display = ("number", "kind", "scheme", "issued_on", "expires_on", "recorded_by")
    list_filter = ("kind",)
    list_select_related = ("scheme", "recorded_by")
    search_fields = ("number", "scheme__name")
    date_hierarchy = "issued_on"
