"""People as other providers know them, and sign-ins with one that are under way."""

from __future__ import annotations

from django.db import models

from accounts.models.users import User
from chitfund.db import IdentifiedModel


class ExternalIdentity(IdentifiedModel):
    """One person at one provider. The subject is theirs for good; an address may move on."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="identities")
    provider = models.CharField(max_length=30)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "external_identities"
        verbose_name_plural = "external identities"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "subject"], name="identity_belongs_to_one_user"
            ),
            models.UniqueConstraint(
                fields=["user", "provider"], name="user_has_one_identity_a_provider"
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider} of {self.user_id}"


class OAuthAttempt(IdentifiedModel):
    """One sign-in with a provider, from its start to its one end; known by its state."""

    provider = models.CharField(max_length=30)
    state_hash = models.CharField(max_length=64, unique=True)
    # The browser that began it: another one that brings the state back is refused.
    browser_hash = models.CharField(max_length=64)
    # The PKCE verifier and the nonce, sealed: what the database holds completes no sign-in.
    secrets = models.BinaryField()
    redirect_uri = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # The code goes to the provider once; the second factor may be asked for after that.
    exchanged_at = models.DateTimeField(null=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oauth_attempts"
        verbose_name = "OAuth attempt"
        indexes = (models.Index(fields=["expires_at"], name="oauth_attempts_age"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.pk}"
