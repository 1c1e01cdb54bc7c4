"""What an event says of its row, where it came from, and the chain that seals all events."""

import django.db.models.deletion
from django.db import migrations, models

from chitfund.db import append_only

FORWARD, BACKWARD = append_only("audit_seals")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_profiles")]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "ordering": ("-id",),
                "permissions": (("view_security_log", "Can view the security log"),),
                "verbose_name": "audit event",
            },
        ),
        migrations.AddField(
            model_name="auditevent",
            name="before_hash",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="after_hash",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="ip_address",
            field=models.GenericIPAddressField(null=True),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="route",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["verb", "-id"], name="audit_events_verb"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("ip_address__isnull", False)),
                fields=["ip_address", "-id"],
                name="audit_events_address",
            ),
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[],
            options={
                "verbose_name": "security event",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.auditevent",),
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seal",
                        to="accounts.auditevent",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit seal",
                "db_table": "audit_seals",
                "ordering": ("-number",),
            },
        ),
        migrations.AddConstraint(
            model_name="auditseal",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="audit_seal_numbers_begin_at_one"
            ),
        ),
        migrations.RunSQL(
            """
            ALTER TABLE audit_seals
                ADD CONSTRAINT audit_seal_hashes_are_sha256
                CHECK (length(hash) = 32 AND length(previous_hash) = 32);
            """,
            "ALTER TABLE audit_seals DROP CONSTRAINT IF EXISTS audit_seal_hashes_are_sha256",
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
