import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chitfund.db

PURPOSES = [
    ("VERIFY_EMAIL", "Prove your address"),
    ("ADDRESS_TAKEN", "Somebody tried to register with your address"),
    ("PASSWORD_RESET", "Set a new password"),
    ("INVITATION", "You are invited"),
    ("FOREMAN_APPROVED", "You are approved as a foreman"),
    ("FACTOR_ADDED", "A second factor was added"),
    ("FACTOR_REMOVED", "A second factor was removed"),
    ("RECOVERY_CODE_USED", "A recovery code was used"),
    ("SESSION_REUSED", "A copied sign-in was used"),
    ("PASSWORD_CHANGED", "Your password was changed"),
    ("EMAIL_CHANGE", "Prove your new address"),
    ("EMAIL_CHANGE_ASKED", "A change of your address was asked for"),
    ("EMAIL_CHANGED", "Your address was changed"),
    ("PHONE_CHANGED", "Your phone number was changed"),
    ("IDENTITY_LINKED", "Another provider signs you in"),
    ("IDENTITY_REMOVED", "A provider no longer signs you in"),
    ("BANK_ACCOUNT_CHANGED", "Your bank accounts were changed"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_one_time_codes")]

    operations = [
        migrations.CreateModel(
            name="ExternalIdentity",
            fields=[
                ("id", models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=30)),
                ("subject", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="identities", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name_plural": "external identities",
                "db_table": "external_identities",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "subject"), name="identity_belongs_to_one_user"),
                    models.UniqueConstraint(fields=("user", "provider"), name="user_has_one_identity_a_provider"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuthAttempt",
            fields=[
                ("id", models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=30)),
                ("state_hash", models.CharField(max_length=64, unique=True)),
                ("browser_hash", models.CharField(max_length=64)),
                ("secrets", models.BinaryField()),
                ("redirect_uri", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("exchanged_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("user", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "OAuth attempt",
                "db_table": "oauth_attempts",
                "indexes": [models.Index(fields=["expires_at"], name="oauth_attempts_age")],
            },
        ),
        migrations.RemoveConstraint(model_name="accountmail", name="account_mail_purpose_is_known"),
        migrations.AlterField(
            model_name="accountmail",
            name="purpose",
            field=models.CharField(choices=PURPOSES, max_length=20),
        ),
        migrations.AddConstraint(
            model_name="accountmail",
            constraint=models.CheckConstraint(
                condition=models.Q(purpose__in=[value for value, _ in PURPOSES]),
                name="account_mail_purpose_is_known",
            ),
        ),
    ]
