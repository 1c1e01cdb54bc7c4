"""Only the ledger's own trigger moves balances.

`apply_transfers` runs with the rights of the owner, and everybody may execute a function unless
it is taken away. The runtime role could have hung it on a temporary table of its own and moved
balances without a transfer; creating a trigger needs EXECUTE, firing the one that exists does not.
"""

from django.db import migrations

KEPT = "REVOKE EXECUTE ON FUNCTION apply_transfers() FROM PUBLIC"
OPEN = "GRANT EXECUTE ON FUNCTION apply_transfers() TO PUBLIC"


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_add_gst_rates")]

    operations = [migrations.RunSQL(KEPT, OPEN)]
