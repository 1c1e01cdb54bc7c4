from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_make_audit_append_only")]

    operations = []
