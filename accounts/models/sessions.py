"""Sign-in: sessions, their single-use refresh tokens, limits, and mails an account asked for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.users import User
from chitfund.db import IdentifiedModel, one_of


class SignInMethod(models.TextChoices):
    """What a session was opened with."""

    PASSWORD = "PASSWORD", "Password"
    OIDC = "OIDC", "Another provider"


class AuthSession(IdentifiedModel):
    """One sign-in on one device: the family of its refresh tokens."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="auth_sessions")
    user_agent = models.CharField(max_length=255, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    signed_in_with = models.CharField(
        max_length=20, choices=SignInMethod, default=SignInMethod.PASSWORD
    )
    second_factor_at = models.DateTimeField(null=True)
    # Opened without the password, of somebody who has a second factor: it is shown next.
    second_factor_due = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, blank=True)
    # Somebody sent a used refresh token of it: recorded and told once.
    reuse_detected_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "auth_sessions"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=one_of("signed_in_with", SignInMethod),
                name="auth_session_method_is_known",
            ),
        )
        indexes = (
            models.Index(
                fields=["user"], name="auth_sessions_live", condition=Q(ended_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"session {self.pk}"


class RefreshToken(models.Model):
    """One refresh token, known by its `jti`; used once, by compare-and-set."""

    jti = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(AuthSession, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "refresh_tokens"

    def __str__(self) -> str:
        return f"refresh token {self.jti}"


class MailPurpose(models.TextChoices):
    VERIFY_EMAIL = "VERIFY_EMAIL", "Prove your address"
    ADDRESS_TAKEN = "ADDRESS_TAKEN", "Somebody tried to register with your address"
    PASSWORD_RESET = "PASSWORD_RESET", "Set a new password"
    INVITATION = "INVITATION", "You are invited"
    FOREMAN_APPROVED = "FOREMAN_APPROVED", "You are approved as a foreman"
    FACTOR_ADDED = "FACTOR_ADDED", "A second factor was added"
    FACTOR_REMOVED = "FACTOR_REMOVED", "A second factor was removed"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED", "A recovery code was used"
    SESSION_REUSED = "SESSION_REUSED", "A copied sign-in was used"
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "Your password was changed"
    EMAIL_CHANGE = "EMAIL_CHANGE", "Prove your new address"
    EMAIL_CHANGE_ASKED = "EMAIL_CHANGE_ASKED", "A change of your address was asked for"
    EMAIL_CHANGED = "EMAIL_CHANGED", "Your address was changed"
    PHONE_CHANGED = "PHONE_CHANGED", "Your phone number was changed"
    IDENTITY_LINKED = "IDENTITY_LINKED", "Another provider signs you in"
    IDENTITY_REMOVED = "IDENTITY_REMOVED", "A provider no longer signs you in"
    BANK_ACCOUNT_CHANGED = "BANK_ACCOUNT_CHANGED", "Your bank accounts were changed"


class AccountMail(IdentifiedModel):
    """A mail that an account asked for; the row is the work.

    `notifications` claims rows without `sent_at`, makes the secret, stores its hash here and
    writes the mail. Only then does a token exist, so none is ever stored in clear. A row
    without a user was asked for an address that nobody has: it costs the asker the same time.
    """

    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="account_mails"
    )
    purpose = models.CharField(max_length=20, choices=MailPurpose)
    # Where it goes, if not to the address that the account has when it is sent.
    address = models.EmailField(max_length=255, blank=True)
    trace_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    token_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "account_mails"
        constraints = (
            models.CheckConstraint(
                condition=one_of("purpose", MailPurpose), name="account_mail_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(purpose=MailPurpose.EMAIL_CHANGE) | Q(user=None) | ~Q(address=""),
                name="account_mail_to_a_new_address_has_one",
            ),
        )
        indexes = (
            models.Index(
                fields=["next_attempt_at"],
                name="account_mails_unsent",
                condition=Q(sent_at=None, given_up_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} for {self.user_id}"


class AttemptCounter(models.Model):
    """Attempts reserved before a secret is checked, by what they are counted against."""

    key = models.CharField(max_length=160, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()

    class Meta:
        db_table = "attempt_counters"

    def __str__(self) -> str:
        return self.key
