"""The review desk: documents are looked at and decided on, never edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.audit import record_audit_event
from chitfund.desk import DecidingAdmin, waiting_first
from kyc import services
from kyc.links import signed_link
from kyc.models import UserKYC, VerificationStatus
from kyc.selectors import may_read_all


class RejectForm(BaseDialogForm):
    reason = forms.CharField(
        label="What is wrong with it",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


@admin.register(UserKYC)
class UserKYCAdmin(DecidingAdmin):
    """Identity documents, those that wait first and the longest waiting on top."""

    actions = ("verify_selected",)
    actions_detail = ("open_file", "verify", "reject")
    list_display = ("user", "document_type", "document_number", "status", "created_at")
    list_filter = ("status", "document_type")
    list_select_related = ("user",)
    search_fields = ("user__full_name", "user__email", "user__ucfsin")
    fieldsets = (
        (None, {"fields": ("user", "born_on", "document_type", "document_number", "file_name")}),
        (
            "Review",
            {
                "fields": (
                    "status",
                    "verified_at",
                    ("reviewed_by", "reviewed_at"),
                    "rejection_reason",
                    "created_at",
                )
            },
        ),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (waiting_first(VerificationStatus.PENDING), "id")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer what can be decided now; who comes too late is told by the service."""
        document = self.get_object(request, object_id)
        moves = document.MOVES[document.status] if document is not None else ()
        offered = {"open_file"}
        offered |= {"verify"} if VerificationStatus.VERIFIED in moves else set()
        offered |= {"reject"} if VerificationStatus.REJECTED in moves else set()
        actions = super().get_actions_detail(request, object_id)
        return [row for row in actions if row.method.original_function_name in offered]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read_all(request.user)

    def has_review_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("kyc.review_kyc")

    def has_open_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="Date of birth")
    def born_on(self, document: UserKYC) -> str:
        """What the document is to be compared with, beside the name."""
        return str(document.user.date_of_birth or "")

    @action(description="Open the file", permissions=["open"], attrs={"target": "_blank"})
    def open_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        document = self.one(request, object_id).get()
        record_audit_event(actor=request.user, verb="kyc.file_opened", target=document)
        return redirect(signed_link(document, request))

    @action(
        description="Verify",
        permissions=["review"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Verify this document",
            "description": "You have compared name, birth date, number and picture.",
            "form_class": None,
            "form_submit_text": "Verify",
        },
    )
    def verify(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        self._verify(request, self.one(request, object_id))
        return self.back(request, object_id)

    @action(
        description="Reject",
        permissions=["review"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Reject this document",
            "description": "Its owner is told why and hands in another.",
            "form_class": RejectForm,
            "form_submit_text": "Reject",
        },
    )
    def reject(self, request: HttpRequest, form: RejectForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        self.decide(
            request,
            self.one(request, object_id),
            lambda document: services.reject_document(
                document_id=document.pk, actor=request.user, reason=reason
            ),
            "Rejected.",
        )
        return self.back(request, object_id)

    @admin.action(description="Verify selected documents", permissions=["review"])
    def verify_selected(self, request: HttpRequest, queryset: QuerySet[UserKYC]) -> None:
        self._verify(request, queryset)

    def _verify(self, request: HttpRequest, queryset: QuerySet[UserKYC]) -> None:
        self.decide(
            request,
            queryset,
            lambda document: services.verify_document(document_id=document.pk, actor=request.user),
            "Verified.",
        )
