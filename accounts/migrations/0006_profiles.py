from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_external_identities")]

    operations = []
