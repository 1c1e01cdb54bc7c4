"""Codes to a phone or mailbox, the second factor, and the mails that tell of it."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import chitfund.db


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_sessions_and_proofs")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="phone_verified_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=chitfund.db.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("SMS", "SMS"), ("WHATSAPP", "WhatsApp"), ("EMAIL", "E-mail")],
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(max_length=255)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("REGISTRATION", "Register"),
                            ("CHANGE_PHONE", "Change the phone number"),
                        ],
                        max_length=20,
                    ),
                ),
                ("trace_id", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(null=True)),
                ("given_up_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                ("code_hash", models.CharField(blank=True, max_length=64)),
                ("guesses", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
                ("redeemed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "one_time_codes",
                "indexes": [
                    models.Index(
                        fields=["address", "purpose", "-id"], name="one_time_codes_newest"
                    ),
                    models.Index(
                        condition=Q(sent_at=None, given_up_at=None),
                        fields=["next_attempt_at"],
                        name="one_time_codes_unsent",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(channel__in=["SMS", "WHATSAPP", "EMAIL"]),
                        name="one_time_code_channel_is_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            purpose__in=[
                                "REGISTRATION",
                                "CHANGE_PHONE",
                            ]
                        ),
                        name="one_time_code_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(guesses__lte=5), name="one_time_code_is_guessed_five_times"
                    ),
                    models.CheckConstraint(
                        condition=Q(redeemed_at=None) | Q(used_at__isnull=False),
                        name="one_time_code_is_proven_before_it_is_redeemed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TimeBasedFactor",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="time_based_factor",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("secret", models.BinaryField(max_length=128)),
                ("created_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("last_used_step", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "authenticator app",
                "db_table": "time_based_factors",
                "permissions": (
                    ("reset_second_factor", "Can take a lost second factor off an account"),
                ),
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=chitfund.db.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("code_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "recovery_codes",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "code_hash"), name="recovery_code_is_its_owners_only_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="authsession",
            name="second_factor_due",
            field=models.BooleanField(default=False),
        ),
    ]
