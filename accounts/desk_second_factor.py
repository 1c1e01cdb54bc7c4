"""The second factor at the staff desk: asked at the door, set up on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.clients import client_of
from accounts.permissions import is_administrator
from accounts.services.second_factor import (
    BEGUN_LIFETIME,
    BegunFactor,
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    second_factor_state,
)
from chitfund.exceptions import DomainError

T = TypeVar("T")

# In the desk's session: this browser has shown the second factor.
SHOWN = "second_factor_shown"
# In the desk's session: when the password step was taken in it.
BEGUN = "second_factor_begun_at"
PAGE = "desk-second-factor"
OPEN_PAGES = frozenset({"login", "logout", "jsi18n"})


class SecondFactorGate:
    """Leads staff whose session has shown no second factor to where they can."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.REQUIRE_STAFF_SECOND_FACTOR or match is None or match.app_name != "admin":
            return None
        is_open = match.url_name in OPEN_PAGES or not is_administrator(request.user)
        if is_open or request.session.get(SHOWN):
            return None
        if second_factor_state(request.user).is_enrolled:
            # Opened before the factor was: only a new sign-in asks for the code.
            logout(request)
            messages.info(request, "Sign in again, with the code of your authenticator app.")
            return redirect("admin:login")
        return redirect(PAGE)


class PasswordForm(forms.Form):
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=32,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": ""}
        ),
    )


class PasswordAndCodeForm(PasswordForm, CodeForm):
    """For new recovery codes."""


def second_factor_page(request: HttpRequest) -> HttpResponseBase:
    """Set up one's own authenticator app in two steps, or get new recovery codes."""
    return admin.site.admin_view(_page)(request)


@never_cache
@require_http_methods(["GET", "POST"])
def _page(request: HttpRequest) -> HttpResponseBase:
    if second_factor_state(request.user).is_enrolled:
        return _renewal(request)
    if request.method == "POST" and request.POST.get("step") == "confirm":
        return _confirmation(request)
    return _beginning(request)


def _beginning(request: HttpRequest) -> HttpResponseBase:
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if begun := _answer(request, form, begin_second_factor):
        request.session[BEGUN] = timezone.now().timestamp()
        return _show_secret(request, begun)
    return _render(
        request,
        title="Set up your second factor",
        explanation=[
            "Staff sign in with a password and the code of an authenticator app, such as "
            "Aegis, Google Authenticator or Microsoft Authenticator. Have one at hand.",
            "First confirm that it is you.",
        ],
        form=form,
        step="begin",
        button="Continue",
    )


def _confirmation(request: HttpRequest) -> HttpResponseBase:
    """Take the first code, of a session in which the password was just shown."""
    if not _has_just_begun(request):
        return redirect(PAGE)
    form = CodeForm(request.POST)
    if shown := _answer(request, form, confirm_second_factor):
        del request.session[BEGUN]
        request.session[SHOWN] = True
        request.session.cycle_key()
        return _show_recovery_codes(request, shown)
    return _ask_for_code(request, form)


def _has_just_begun(request: HttpRequest) -> bool:
    began = request.session.get(BEGUN, 0.0)
    return bool(timezone.now().timestamp() - began < BEGUN_LIFETIME.total_seconds())


def _show_secret(request: HttpRequest, begun: BegunFactor) -> HttpResponseBase:
    """Show the secret, in the answer to the password and nowhere else."""
    return _render(
        request,
        title="Scan this with your app",
        explanation=["Then enter the six digits that it shows."],
        qr=_picture(begun.otpauth_uri),
        secret=begun.secret,
        form=CodeForm(),
        step="confirm",
        button="Confirm",
    )


def _ask_for_code(request: HttpRequest, form: CodeForm) -> HttpResponseBase:
    return _render(
        request,
        title="Enter your app's code",
        explanation=[
            "The six digits that your app shows now. If you have yet to scan the picture, "
            "open this page again and begin with your password."
        ],
        form=form,
        step="confirm",
        button="Confirm",
    )


def _renewal(request: HttpRequest) -> HttpResponseBase:
    form = PasswordAndCodeForm(request.POST if request.method == "POST" else None)
    if shown := _answer(request, form, renew_recovery_codes):
        return _show_recovery_codes(request, shown)
    left = second_factor_state(request.user).recovery_codes_left
    return _render(
        request,
        title="Your second factor",
        explanation=[
            f"Your authenticator app is set up; {left} recovery codes are left.",
            "Make ten new ones when few are left or somebody may have seen them. "
            "A new phone: have another administrator reset your second factor, then enrol again.",
        ],
        form=form,
        step="renew",
        button="Make new recovery codes",
        is_done=True,
    )


def _show_recovery_codes(request: HttpRequest, codes: list[str]) -> HttpResponseBase:
    return _render(
        request,
        title="Your recovery codes",
        explanation=[
            "Each of these signs you in once without the phone. Print them or write them down "
            "now: they are not shown again.",
        ],
        recovery_codes=codes,
        is_done=True,
    )


def _answer(request: HttpRequest, form: forms.Form, service: Callable[..., T]) -> T | None:
    """Return what a service answers to a valid form; what it refuses is said beside the form."""
    if not form.is_valid():
        return None
    try:
        return service(user=request.user, client=client_of(request), **form.cleaned_data)
    except DomainError as exc:
        form.add_error(None, ValidationError(exc.message, code=exc.code))
        return None


def _picture(uri: str) -> SafeString:
    """Draw the QR code into the page: no file, and nothing that a content policy forbids."""
    drawn = segno.make(uri, error="m").svg_inline(scale=5, border=2, light="#fff")
    return mark_safe(drawn)  # noqa: S308 - numbers and paths of segno's; the text is not in it


def _render(request: HttpRequest, **context: Any) -> HttpResponseBase:
    return TemplateResponse(
        request,
        "accounts/desk_second_factor.html",
        {**admin.site.each_context(request), **context},
    )
