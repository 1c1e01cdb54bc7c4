"""What is decided stays, and rows that no service removes cannot be removed.

A settled draw may only become void, a paid prize and a decided movement of cash never change, and
a payment stays with its scheme, its person, its ticket and its amount from the first moment.
Drafts of schemes and their records are removed by a service, so those two tables stay as they are.
"""

from django.db import migrations

from chitfund.db import if_app_role

KEPT_TABLES = ("auctions", "installments", "prize_payouts", "cash_movements", "subscriptions")

REVOKE = "".join(
    if_app_role(f"REVOKE DELETE, TRUNCATE ON {table} FROM chitfund_app") for table in KEPT_TABLES
)
GRANT = "".join(if_app_role(f"GRANT DELETE ON {table} TO chitfund_app") for table in KEPT_TABLES)

KEEP = """
CREATE FUNCTION refuse_because() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER auctions_keep_their_outcome BEFORE UPDATE ON auctions FOR EACH ROW
    WHEN (
        OLD.status IN ('SETTLED', 'VOID') AND (
            to_jsonb(NEW) - ARRAY['status', 'updated_at']
                <> to_jsonb(OLD) - ARRAY['status', 'updated_at']
            OR NEW.status NOT IN (OLD.status, 'VOID')
        )
    )
    EXECUTE FUNCTION refuse_because('the outcome of a draw stands');

CREATE TRIGGER prize_payouts_stay_paid BEFORE UPDATE ON prize_payouts FOR EACH ROW
    WHEN (
        OLD.status = 'PAID'
        AND to_jsonb(NEW) - 'updated_at'::text <> to_jsonb(OLD) - 'updated_at'::text
    )
    EXECUTE FUNCTION refuse_because('a prize that was paid stays paid');

CREATE TRIGGER cash_movements_stay_decided BEFORE UPDATE ON cash_movements FOR EACH ROW
    WHEN (
        OLD.status IN ('COMPLETED', 'REJECTED')
        AND to_jsonb(NEW) - 'updated_at'::text <> to_jsonb(OLD) - 'updated_at'::text
    )
    EXECUTE FUNCTION refuse_because('a movement of cash is decided once');

CREATE TRIGGER payments_stay_where_they_are BEFORE UPDATE ON payments FOR EACH ROW
    WHEN (
        (NEW.scheme_id, NEW.subscriber_id, NEW.subscription_id, NEW.amount)
        IS DISTINCT FROM (OLD.scheme_id, OLD.subscriber_id, OLD.subscription_id, OLD.amount)
    )
    EXECUTE FUNCTION refuse_because('scheme, person, ticket and amount of a payment never change');
"""
LET_GO = """
DROP TRIGGER payments_stay_where_they_are ON payments;
DROP TRIGGER cash_movements_stay_decided ON cash_movements;
DROP TRIGGER prize_payouts_stay_paid ON prize_payouts;
DROP TRIGGER auctions_keep_their_outcome ON auctions;
DROP FUNCTION refuse_because();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_keep_balances_to_the_ledger"),
        ("auctions", "0002_keep_bids"),
        ("subscriptions", "0002_count_tickets"),
    ]

    operations = [
        migrations.RunSQL(REVOKE, GRANT),
        migrations.RunSQL(KEEP, LET_GO),
    ]
