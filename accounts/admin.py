"""The desk for people: they are read here, and decided on by actions that call the services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action as unfold_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import desk_security as _desk_security  # noqa: F401 - registers its page
from accounts import services
from accounts.admin_sign_in import StaffSignInForm, change_own_password, sign_in_page
from accounts.models import (
    AccountMail,
    AuditEvent,
    AuthSession,
    Consent,
    ErasureRequest,
    ErasureStatus,
    ForemanProfile,
    ForemanProfileStatus,
    JobRun,
    OneTimeCode,
    Role,
    User,
)
from accounts.permissions import is_administrator
from accounts.selectors import EXPIRY_NOTICE, expiring_licences
from accounts.services import data_rights
from chitfund.business_date import business_date
from chitfund.desk import (
    SHORTEST_REASON,
    DecidingAdmin,
    ReadOnlyAdmin,
    ReasonedAdmin,
    waiting_first,
)

admin.site.login_form = StaffSignInForm
admin.site.login_template = "accounts/desk_sign_in.html"
admin.site.login = sign_in_page  # type: ignore[method-assign]
admin.site.password_change = change_own_password  # type: ignore[method-assign]
admin.site.unregister(Group)


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


@admin.register(User)
class UserAdmin(ReasonedAdmin):
    """People. Status and role change through the actions; staff permissions by hand."""

    service_argument = "user_id"
    actions = (
        "approve_foreman_selected",
        "suspend_selected",
        "activate_selected",
        "reset_second_factor_selected",
    )
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

    def has_reset_factor_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.reset_second_factor")

    @admin.action(description="Reset the second factor", permissions=["reset_factor"])
    def reset_second_factor_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.decide_for_reason(
            request, queryset, services.reset_second_factor, "Second factor reset."
        )

    @admin.action(description="Approve as foreman", permissions=["approve_foreman"])
    def approve_foreman_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.decide_for_reason(request, queryset, services.approve_foreman, "Approved as foreman.")

    @admin.action(description="Suspend", permissions=["suspend"])
    def suspend_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.decide_for_reason(request, queryset, services.suspend_user, "Suspended.")

    @admin.action(description="Activate again", permissions=["suspend"])
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.decide_for_reason(request, queryset, services.activate_user, "Activated.")


class ReasonForm(BaseDialogForm):
    reason = forms.CharField(
        label="Reason",
        min_length=SHORTEST_REASON,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class LicenceFilter(admin.SimpleListFilter):
    """Licences that have ended or soon will."""

    title = "licence"
    parameter_name = "licence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("expired", "Expired"), ("expiring", f"Ends within {EXPIRY_NOTICE.days} days")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ForemanProfile]
    ) -> QuerySet[ForemanProfile]:
        spans = {"expired": timedelta(0), "expiring": EXPIRY_NOTICE}
        if self.value() not in spans:
            return queryset
        ending = expiring_licences(as_of=business_date(), within=spans[str(self.value())])
        return queryset.filter(pk__in=ending.values("pk"))


@admin.register(ForemanProfile)
class ForemanProfileAdmin(DecidingAdmin):
    """Foremen's businesses: those that wait first, the longest waiting on top."""

    actions_detail = ("approve", "send_back")
    list_display = (
        "company_name", "user", "status", "licence_number", "licence_expires_on",
        "state_of_registration", "submitted_at",
    )  # fmt: skip
    list_filter = ("status", LicenceFilter, "state_of_registration")
    list_select_related = ("user",)
    search_fields = ("company_name", "licence_number", "user__full_name", "user__email")
    fieldsets = (
        (
            "Business",
            {
                "fields": (
                    ("company_name", "designation"),
                    ("licence_number", "licence_expires_on"),
                    ("pan_masked", "state_of_registration"),
                    ("line1", "line2"),
                    ("city", "state", "pin_code"),
                )
            },
        ),
        ("Compare", {"fields": ("changes", "same_licence")}),
        ("Person", {"fields": ("user", "person_standing")}),
        (
            "Review",
            {"fields": ("status", "submitted_at", ("decided_at", "decided_by"), "return_reason")},
        ),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (waiting_first(ForemanProfileStatus.SUBMITTED), "submitted_at", "-id")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """Offer a decision on what waits for one; who comes too late is told by the service."""
        profile = self.get_object(request, object_id)
        waits = profile is not None and profile.status == ForemanProfileStatus.SUBMITTED
        return super().get_actions_detail(request, object_id) if waits else []

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.approve_foreman")

    @admin.display(description="Changed since the last approval")
    def changes(self, profile: ForemanProfile) -> str:
        """What the office approved before, where something else is asked for now."""
        if profile.last_approved is None:
            return "Not approved before."
        lines = [
            f"{profile._meta.get_field(name).verbose_name}: was {before}"
            for name, before in profile.last_approved.items()
            if str(getattr(profile, name)) != before
        ]
        return "; ".join(lines) or "Nothing."

    @admin.display(description="Same licence number")
    def same_licence(self, profile: ForemanProfile) -> str:
        others = ForemanProfile.objects.filter(licence_number=profile.licence_number)
        names = others.exclude(pk=profile.pk).values_list("company_name", flat=True)
        return ", ".join(names) or "Nobody else."

    @admin.display(description="Standing")
    def person_standing(self, profile: ForemanProfile) -> str:
        person = profile.user
        approved = "approved as foreman" if person.foreman_approved_at else "not approved yet"
        proven = "address proven" if person.email_verified_at else "address not proven yet"
        return f"{person.get_status_display()}, {approved}, {proven}"

    @unfold_action(
        description="Approve",
        permissions=["approve"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Approve this foreman",
            "description": "You have compared company, licence, PAN and address with the papers.",
            "form_class": ReasonForm,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        self._settle(request, object_id, partial(services.approve_foreman, reason=reason))
        return self.back(request, object_id)

    @unfold_action(
        description="Return",
        permissions=["approve"],
        url_path="return",
        variant=ActionVariant.WARNING,
        dialog={
            "title": "Return this profile",
            "description": "Its foreman reads why, changes it and hands it in again.",
            "form_class": ReasonForm,
            "form_submit_text": "Return",
        },
    )
    def send_back(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        self._settle(request, object_id, partial(services.return_foreman, reason=reason))
        return self.back(request, object_id)

    def _settle(self, request: HttpRequest, object_id: str, service: Callable[..., User]) -> None:
        self.decide(
            request,
            self.one(request, object_id),
            lambda row: service(user_id=row.user_id, actor=request.user),
            "Decided.",
        )


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReasonedAdmin):
    """Who asks to be forgotten: those that wait first."""

    service_argument = "request_id"
    actions = ("accept_selected", "refuse_selected")
    list_display = ("created_at", "user", "status", "erased", "decided_at", "decided_by")
    list_filter = ("status",)
    list_select_related = ("user", "decided_by")
    search_fields = ("user__full_name", "user__email", "user__ucfsin")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (waiting_first(ErasureStatus.PENDING), "id")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.decide_erasurerequest")

    @admin.action(description="Erase what no law keeps", permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[ErasureRequest]) -> None:
        self.decide_for_reason(request, queryset, data_rights.accept_erasure, "Erased.")

    @admin.action(description="Refuse", permissions=["decide"])
    def refuse_selected(self, request: HttpRequest, queryset: QuerySet[ErasureRequest]) -> None:
        self.decide_for_reason(request, queryset, data_rights.refuse_erasure, "Refused.")


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What people agreed to, and when they took it back."""

    date_hierarchy = "created_at"
    list_display = ("created_at", "user", "purpose", "version", "granted")
    list_filter = ("purpose", "granted", "version")
    list_select_related = ("user",)
    search_fields = ("user__full_name", "user__email", "user__ucfsin")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what."""

    date_hierarchy = "created_at"
    exclude = ("before_hash", "after_hash")
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


@admin.register(OneTimeCode)
class OneTimeCodeAdmin(ReadOnlyAdmin):
    """Codes on their way: what support looks at when one did not arrive. No digits are kept."""

    exclude = ("code_hash",)
    list_display = (
        "created_at", "channel", "address", "purpose", "attempts", "sent_at", "guesses",
        "used_at", "error",
    )  # fmt: skip
    list_filter = ("channel", "purpose")
    search_fields = ("address",)
