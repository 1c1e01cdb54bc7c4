"""Sign-in and users."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts.views import (
    oauth,
    one_time_codes,
    own_account,
    second_factor,
    sessions,
    sign_in,
)
from accounts.views.data_rights import ErasureDeskViewSet, ExportViewSet, OwnErasureViewSet
from accounts.views.foremen import ForemanProfileViewSet
from accounts.views.profiles import (
    BankAccountViewSet,
    ConsentViewSet,
    NomineesViewSet,
    ProfileViewSet,
)
from accounts.views.security import ActivityLogViewSet
from accounts.views.token import OAuthTokenView
from accounts.views.user_export import UserExportViewSet
from accounts.views.users import UserViewSet

_users = UserViewSet.as_view({"get": "list", "post": "create"})
_user = UserViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"})

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/register", sign_in.RegisterView.as_view(), name="register"),
    path("auth/verify-email", sign_in.VerifyEmailView.as_view(), name="verify-email"),
    path(
        "auth/resend-verification",
        sign_in.ResendVerificationView.as_view(),
        name="resend-verification",
    ),
    path("auth/login", sign_in.LoginView.as_view(), name="login"),
    path("auth/refresh-token", sign_in.RefreshTokenView.as_view(), name="refresh-token"),
    path("auth/forgot-password", sign_in.ForgotPasswordView.as_view(), name="forgot-password"),
    path("auth/reset-password", sign_in.ResetPasswordView.as_view(), name="reset-password"),
    path("auth/change-password", own_account.ChangePasswordView.as_view(), name="change-password"),
    path("auth/change-email", own_account.ChangeEmailView.as_view(), name="change-email"),
    path(
        "auth/confirm-email-change",
        own_account.ConfirmEmailChangeView.as_view(),
        name="confirm-email-change",
    ),
    path("auth/change-phone", own_account.ChangePhoneView.as_view(), name="change-phone"),
    path("auth/logout", sessions.LogoutView.as_view(), name="logout"),
    path("auth/logout-all", sessions.LogoutAllView.as_view(), name="logout-all"),
    path("auth/sessions", sessions.AuthSessionViewSet.as_view({"get": "list"}), name="sessions"),
    path(
        "auth/sessions/<uuid:pk>",
        sessions.AuthSessionViewSet.as_view({"delete": "destroy"}),
        name="session",
    ),
    path("auth/second-factor", second_factor.SecondFactorView.as_view(), name="second-factor"),
    path(
        "auth/second-factor/confirm",
        second_factor.ConfirmFactorView.as_view(),
        name="confirm-second-factor",
    ),
    path(
        "auth/second-factor/show",
        second_factor.ShowFactorView.as_view(),
        name="show-second-factor",
    ),
    path(
        "auth/second-factor/recovery-codes",
        second_factor.RecoveryCodesView.as_view(),
        name="recovery-codes",
    ),
    path(
        "auth/second-factor/remove",
        second_factor.RemoveFactorView.as_view(),
        name="remove-second-factor",
    ),
    path(
        "users/<uuid:pk>/reset-second-factor",
        second_factor.ResetFactorView.as_view(),
        name="reset-second-factor",
    ),
    path(
        "security/activity-log",
        ActivityLogViewSet.as_view({"get": "list"}),
        name="security-activity-log",
    ),
    path("otp/send", one_time_codes.SendCodeView.as_view(), name="send-code"),
    path("otp/verify", one_time_codes.VerifyCodeView.as_view(), name="verify-code"),
    path("auth/token", OAuthTokenView.as_view(), name="oauth-token"),
    path("auth/oauth", oauth.ProvidersView.as_view(), name="oauth-providers"),
    path("auth/oauth/<slug:provider>/start", oauth.OAuthStartView.as_view(), name="oauth-start"),
    path(
        "auth/oauth/<slug:provider>/callback",
        oauth.OAuthCallbackView.as_view(),
        name="oauth-callback",
    ),
    path("auth/oauth/<slug:provider>/link", oauth.OAuthLinkView.as_view(), name="oauth-link"),
    path("auth/identities", oauth.IdentityViewSet.as_view({"get": "list"}), name="identities"),
    path(
        "auth/identities/<uuid:pk>/remove",
        oauth.IdentityViewSet.as_view({"post": "remove"}),
        name="remove-identity",
    ),
    path("users", _users, name="users"),
    path("users/export", UserExportViewSet.as_view({"get": "export"}), name="export-users"),
    path(
        "users/<uuid:pk>/resend-invitation",
        UserViewSet.as_view({"post": "resend_invitation"}, **UserViewSet.resend_invitation.kwargs),
        name="resend-invitation",
    ),
    path(
        "users/<uuid:pk>/send-reset-link",
        UserViewSet.as_view({"post": "send_reset_link"}, **UserViewSet.send_reset_link.kwargs),
        name="send-reset-link",
    ),
    path("users/<uuid:pk>", _user, name="user"),
    path("users/<uuid:pk>/suspend", UserViewSet.as_view({"post": "suspend"}), name="suspend-user"),
    path(
        "users/<uuid:pk>/activate", UserViewSet.as_view({"post": "activate"}), name="activate-user"
    ),
    path(
        "users/<uuid:pk>/approve-foreman",
        UserViewSet.as_view({"post": "approve_foreman"}),
        name="approve-foreman",
    ),
    path(
        "users/<uuid:pk>/profile",
        ProfileViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="profile",
    ),
    path(
        "users/<uuid:pk>/nominees",
        NomineesViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="nominees",
    ),
    path(
        "users/<uuid:pk>/nominees/<uuid:nominee>",
        NomineesViewSet.as_view({"get": "one"}),
        name="nominee",
    ),
    path(
        "users/<uuid:pk>/bank-accounts",
        BankAccountViewSet.as_view({"get": "list", "post": "create"}),
        name="bank-accounts",
    ),
    path(
        "users/<uuid:pk>/bank-accounts/<uuid:account>",
        BankAccountViewSet.as_view({"delete": "destroy"}),
        name="bank-account",
    ),
    path(
        "users/<uuid:pk>/bank-accounts/<uuid:account>/make-primary",
        BankAccountViewSet.as_view({"post": "make_primary"}),
        name="make-bank-account-primary",
    ),
    path(
        "users/<uuid:pk>/bank-accounts/<uuid:account>/reveal",
        BankAccountViewSet.as_view({"post": "reveal"}, **BankAccountViewSet.reveal.kwargs),
        name="reveal-bank-account",
    ),
    path(
        "users/<uuid:pk>/consents",
        ConsentViewSet.as_view({"get": "list", "post": "create"}),
        name="consents",
    ),
    path(
        "users/<uuid:pk>/consents/standing",
        ConsentViewSet.as_view({"get": "standing"}),
        name="standing-consents",
    ),
    path(
        "users/<uuid:pk>/foreman-profile",
        ForemanProfileViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="foreman-profile",
    ),
    path(
        "users/<uuid:pk>/foreman-profile/submit",
        ForemanProfileViewSet.as_view({"post": "submit"}),
        name="submit-foreman-profile",
    ),
    path(
        "users/<uuid:pk>/return-foreman",
        ForemanProfileViewSet.as_view(
            {"post": "send_back"}, **ForemanProfileViewSet.send_back.kwargs
        ),
        name="return-foreman",
    ),
    path(
        "users/<uuid:pk>/export",
        ExportViewSet.as_view({"get": "export"}),
        name="export-own-data",
    ),
    path(
        "users/<uuid:pk>/erasure-request",
        OwnErasureViewSet.as_view({"get": "list", "post": "create"}),
        name="own-erasure-requests",
    ),
    path(
        "erasure-requests",
        ErasureDeskViewSet.as_view({"get": "list"}),
        name="erasure-requests",
    ),
    path(
        "erasure-requests/<uuid:pk>/accept",
        ErasureDeskViewSet.as_view({"post": "accept"}, **ErasureDeskViewSet.accept.kwargs),
        name="accept-erasure",
    ),
    path(
        "erasure-requests/<uuid:pk>/refuse",
        ErasureDeskViewSet.as_view({"post": "refuse"}, **ErasureDeskViewSet.refuse.kwargs),
        name="refuse-erasure",
    ),
]
