"""The desk for people: they are read here, and decided on by actions that call the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import services
from accounts.admin_sign_in import StaffSignInForm, change_own_password
from accounts.models import AccountMail, AuditEvent, AuthSession, JobRun, Role, User
from accounts.permissions import is_administrator
from chitfund.desk import DecidingAdmin, ReadOnlyAdmin

admin.site.login_form = StaffSignInForm
admin.site.password_change = change_own_password  # type: ignore[method-assign]
admin.site.unregister(Group)

SHORTEST_REASON = 3


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Named sets of permissions for administrators; only superusers say what is in one.

    Or a clerk with `change_group` would put every permission into a group of their own.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)

    @transaction.atomic
    def save_related(
        self,
        request: HttpRequest,
        form: BaseModelForm[Group],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        verb = "group.changed" if change else "group.created"
        services.record_changed_group(group=form.instance, actor=request.user, verb=verb)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        services.delete_group(group=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        with transaction.atomic():
            for group in queryset.order_by("pk"):
                services.delete_group(group=group, actor=request.user)


def is_superuser(request: HttpRequest) -> bool:
    return bool(is_administrator(request.user) and request.user.is_superuser)


class ReasonedActionForm(ActionForm):
    """Asks why, beside what."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Reason (needed)"}),
    )


@admin.register(User)
class UserAdmin(DecidingAdmin):
    """People. Status and role change through the actions; staff permissions by hand."""

    action_form = ReasonedActionForm
    actions = ("approve_foreman_selected", "suspend_selected", "activate_selected")
    date_hierarchy = "created_at"
    list_display = ("full_name", "ucfsin", "email", "role", "status", "kyc_status", "created_at")
    list_filter = ("role", "status", "kyc_status")
    search_fields = ("full_name", "email", "phone_number", "ucfsin")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("ucfsin", "full_name", "email", "phone_number", "date_of_birth")}),
        (
            "Standing",
            {"fields": ("role", "status", "kyc_status", "chit_score", "email_verified_at")},
        ),
        ("Foreman", {"fields": ("foreman_approved_at", "foreman_approved_by")}),
        ("Staff", {"fields": ("is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    readonly_fields = (
        "ucfsin", "full_name", "email", "phone_number", "date_of_birth", "role", "status",
        "kyc_status", "chit_score", "email_verified_at", "foreman_approved_at",
        "foreman_approved_by", "is_superuser", "last_login", "created_at", "updated_at",
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let superusers give other administrators their permissions, and nothing else."""
        is_other_staff = obj is not None and obj.role == Role.ADMIN and obj.pk != request.user.pk
        return bool(is_other_staff and request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Write no column: the row was read without a lock, and every field is read-only."""

    def save_related(
        self,
        request: HttpRequest,
        form: BaseModelForm[User],
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        services.record_changed_permissions(user_id=form.instance.pk, actor=request.user)

    def has_approve_foreman_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.approve_foreman")

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.suspend_user")

    @admin.action(description="Approve as foreman", permissions=["approve_foreman"])
    def approve_foreman_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._decide(request, queryset, services.approve_foreman, "Approved as foreman.")

    @admin.action(description="Suspend", permissions=["suspend"])
    def suspend_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._decide(request, queryset, services.suspend_user, "Suspended.")

    @admin.action(description="Activate again", permissions=["suspend"])
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._decide(request, queryset, services.activate_user, "Activated.")

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[User],
        service: Callable[..., User],
        done: str,
    ) -> None:
        reason = request.POST.get("reason", "").strip()
        if len(reason) < SHORTEST_REASON:
            self.message_user(request, "Give a reason beside the action.", messages.ERROR)
            return
        self.decide(
            request,
            queryset,
            lambda user: service(user_id=user.pk, actor=request.user, reason=reason),
            done,
        )


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what."""

    date_hierarchy = "created_at"
    list_display = ("created_at", "verb", "actor", "target_type", "target_id", "trace_id")
    list_filter = ("target_type",)
    list_select_related = ("actor",)
    search_fields = ("verb", "trace_id", "actor__email", "target_id")


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """What the office did by itself, day by day."""

    list_display = ("job", "business_date", "status", "attempts", "started_at", "finished_at")
    list_filter = ("status", "job")


@admin.register(AccountMail)
class AccountMailAdmin(ReadOnlyAdmin):
    """Mails that accounts asked for; the secret in one is not kept."""

    exclude = ("token_hash",)
    list_display = ("created_at", "purpose", "user", "attempts", "sent_at", "used_at", "error")
    list_filter = ("purpose",)
    list_select_related = ("user",)


@admin.register(AuthSession)
class AuthSessionAdmin(ReadOnlyAdmin):
    """Who is signed in, and where."""

    list_display = ("user", "ip_address", "created_at", "last_used_at", "ended_at", "end_reason")
    list_filter = ("end_reason",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__ucfsin", "ip_address")
