"""Where people have been seen before, and strangers may not lock them out."""

from __future__ import annotations

from accounts.audit import NOBODY
from accounts.clients import Client
from accounts.models import AuthSession, User


def is_known_place(user: User | None, client: Client) -> bool:
    """Tell whether this person has signed in from there, whom no stranger may lock out."""
    owner = user.pk if user else NOBODY  # asked of nobody too: it takes its time
    return AuthSession.objects.filter(user=owner, ip_address=client.ip or "::").exists()


def has_shown_factor_there(user: User, client: Client) -> bool:
    """Tell whether they have shown their second factor from there: opening a session is less."""
    return AuthSession.objects.filter(
        user=user.pk, ip_address=client.ip or "::", second_factor_at__isnull=False
    ).exists()
