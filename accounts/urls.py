"""Sign-in and users."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts.views import sessions, sign_in
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
    path("auth/logout", sessions.LogoutView.as_view(), name="logout"),
    path("auth/logout-all", sessions.LogoutAllView.as_view(), name="logout-all"),
    path("auth/sessions", sessions.AuthSessionViewSet.as_view({"get": "list"}), name="sessions"),
    path(
        "auth/sessions/<uuid:pk>",
        sessions.AuthSessionViewSet.as_view({"delete": "destroy"}),
        name="session",
    ),
    path("users", _users, name="users"),
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
]
