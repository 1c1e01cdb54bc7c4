"""Proofs beside the password: codes sent to a phone or a mailbox, and the second factor."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.users import User
from chitfund.db import IdentifiedModel, one_of

MOST_GUESSES = 5


class CodeChannel(models.TextChoices):
    SMS = "SMS", "SMS"
    WHATSAPP = "WHATSAPP", "WhatsApp"
    EMAIL = "EMAIL", "E-mail"


class CodePurpose(models.TextChoices):
    """What a code may be used for; a proof for one is none for another."""

    REGISTRATION = "REGISTRATION", "Register"
    CHANGE_PHONE = "CHANGE_PHONE", "Change the phone number"


class OneTimeCode(IdentifiedModel):
    """Six digits on their way to one phone or mailbox; the row is the work.

    `notifications` claims rows without `sent_at`, makes the digits, stores their keyed hash
    here and sends them: the code is nowhere in clear. Only the newest row of an address and
    purpose can be proven; `redeemed_at` is when that proof was spent.
    """

    channel = models.CharField(max_length=10, choices=CodeChannel)
    address = models.CharField(max_length=255)
    purpose = models.CharField(max_length=20, choices=CodePurpose)
    trace_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    guesses = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    redeemed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "one_time_codes"
        constraints = (
            models.CheckConstraint(
                condition=one_of("channel", CodeChannel), name="one_time_code_channel_is_known"
            ),
            models.CheckConstraint(
                condition=one_of("purpose", CodePurpose), name="one_time_code_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(guesses__lte=MOST_GUESSES), name="one_time_code_is_guessed_five_times"
            ),
            models.CheckConstraint(
                condition=Q(redeemed_at=None) | Q(used_at__isnull=False),
                name="one_time_code_is_proven_before_it_is_redeemed",
            ),
        )
        indexes = (
            models.Index(fields=["address", "purpose", "-id"], name="one_time_codes_newest"),
            models.Index(
                fields=["next_attempt_at"],
                name="one_time_codes_unsent",
                condition=Q(sent_at=None, given_up_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} code to {self.get_purpose_display().lower()}"


class TimeBasedFactor(models.Model):
    """A person's authenticator app (TOTP, RFC 6238); it counts once it is confirmed.

    The secret is sealed. `last_used_step` is the newest 30 seconds of which a code was taken,
    so that one seen over a shoulder is worth nothing.
    """

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="time_based_factor"
    )
    secret = models.BinaryField(max_length=128)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_used_step = models.BigIntegerField(default=0)

    class Meta:
        db_table = "time_based_factors"
        verbose_name = "authenticator app"
        permissions = (("reset_second_factor", "Can take a lost second factor off an account"),)

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class RecoveryCode(IdentifiedModel):
    """One of the ten codes that stand in for a lost phone; each works once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_codes"
        constraints = (
            models.UniqueConstraint(
                fields=["user", "code_hash"], name="recovery_code_is_its_owners_only_once"
            ),
        )

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
