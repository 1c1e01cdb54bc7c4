"""A bid that was accepted stands: there is no withdrawal (design.md 5.4)."""

from django.db import migrations

from chitfund.db import append_only

FORWARD, BACKWARD = append_only("bids")


class Migration(migrations.Migration):
    dependencies = [("auctions", "0001_initial"), ("accounts", "0002_make_audit_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
