"""API clients for tests, with real tokens of real sessions."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuthSession, User
from accounts.tokens import SESSION_LIFETIME, access_token_for


def session_of(user: User) -> AuthSession:
    return AuthSession.objects.create(
        user=user,
        user_agent="tests",
        ip_address="127.0.0.1",
        expires_at=timezone.now() + SESSION_LIFETIME,
    )


def client_for(user: User | None) -> APIClient:
    """Return a client signed in as the user, or as nobody."""
    client = APIClient(raise_request_exception=False)
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token_for(user, session_of(user))}")
    return client
