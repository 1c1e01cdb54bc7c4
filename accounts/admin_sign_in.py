"""The staff desk's door: the API's own check of credentials, and staff only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_backends
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.audit import record_audit_event
from accounts.clients import Client, client_of
from accounts.desk_second_factor import SHOWN
from accounts.models import Role, User
from accounts.services.credentials import check_credentials
from accounts.services.people import change_password
from accounts.services.second_factor import check_own_password
from chitfund.exceptions import DomainError


class StaffSignInForm(AuthenticationForm):
    """Signs staff in; attempts are limited, and status is respected, as in the API."""

    username = forms.CharField(
        label="E-mail address",
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    code = forms.CharField(
        label="Code of your authenticator app",
        help_text="Or a recovery code. Leave it empty if you have yet to set one up.",
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        identifier = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if identifier and password:
            try:
                known = check_credentials(
                    identifier=identifier,
                    password=password,
                    client=client_of(self.request),
                    role=Role.ADMIN,
                    code=self.cleaned_data.get("code"),
                )
            except DomainError as exc:
                raise ValidationError(exc.message, code=exc.code) from exc
            user = known.user
            record_audit_event(actor=user, verb="desk.opened", target=user)
            user.backend = _backend()
            user.has_shown_second_factor = known.has_shown_second_factor
            self.user_cache = user
        return self.cleaned_data


_site_login = admin.site.login


def sign_in_page(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """Answer the desk's sign-in page, and remember in the session what was shown there."""
    response = _site_login(request, extra_context)
    if request.method == "POST" and getattr(request.user, "has_shown_second_factor", False):
        request.session[SHOWN] = True
    return response


def _backend() -> str:
    """Name the backend that the session remembers; the check above is in its place."""
    backend = get_backends()[0]
    return f"{backend.__module__}.{backend.__class__.__name__}"


class StaffPasswordChangeForm(AdminOwnPasswordChangeForm):
    """Changes one's own password through the service, which ends all other sessions."""

    user: User

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        self.client = client
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        """Have the password checked by the service, which counts and records attempts."""
        password: str = self.cleaned_data["old_password"]
        try:
            check_own_password(user=self.user, password=password, client=self.client)
        except DomainError as exc:
            raise ValidationError(exc.message, code=exc.code) from exc
        return password

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        person: User = self.user
        self.user = change_password(
            user_id=person.pk, actor=person, password=self.cleaned_data["new_password1"]
        )
        return self.user


class StaffPasswordChangeView(PasswordChangeView):
    form_class = StaffPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"client": client_of(self.request)}


def change_own_password(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponseBase:
    """Answer the desk's password page with that form; the site has its own built in."""
    view = StaffPasswordChangeView.as_view(
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )
    return view(request)
