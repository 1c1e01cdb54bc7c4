"""The audit trail is written once. Triggers and the runtime role's rights both say so."""

from django.db import migrations

from chitfund.db import APPEND_ONLY_FUNCTION, append_only

FORWARD, BACKWARD = append_only("audit_events")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY_FUNCTION, "DROP FUNCTION IF EXISTS refuse_change()"),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
