"""The ledger's guards, in plain SQL: append-only, balances moved by a trigger, entries closed.

`apply_transfers` belongs to the owner role and runs with its rights, so the runtime role can
insert transfers and can not touch a balance. It also holds the rules that a row alone cannot
know: both accounts in the transfer's scheme, an entry written by one transaction only, a
reversal that mirrors what it reverses, nothing posted to books that are closed or not open.
"""

from django.db import migrations

from chitfund.db import append_only, if_app_role

TRANSFERS, TRANSFERS_BACK = append_only("transfers")
ALLOCATIONS, ALLOCATIONS_BACK = append_only("payment_allocations")

ENTRY_IS_CLOSED = """
ALTER TABLE transfers ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
"""

SAME_SCHEME = """
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_account_of_scheme UNIQUE (id, scheme_id);
ALTER TABLE transfers ADD CONSTRAINT transfer_debit_account_in_scheme
    FOREIGN KEY (debit_account_id, scheme_id) REFERENCES ledger_accounts (id, scheme_id);
ALTER TABLE transfers ADD CONSTRAINT transfer_credit_account_in_scheme
    FOREIGN KEY (credit_account_id, scheme_id) REFERENCES ledger_accounts (id, scheme_id);
"""
SAME_SCHEME_BACK = """
ALTER TABLE transfers DROP CONSTRAINT transfer_debit_account_in_scheme;
ALTER TABLE transfers DROP CONSTRAINT transfer_credit_account_in_scheme;
ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_account_of_scheme;
"""

APPLY_TRANSFERS = """
CREATE FUNCTION apply_transfers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM posted p JOIN transfers t ON t.entry = p.entry
        WHERE t.xid <> pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'an entry is closed when its transaction ends'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM posted p JOIN transfers t ON t.id = p.reverses_id
        WHERE t.amount <> p.amount OR t.debit_account_id <> p.credit_account_id
            OR t.credit_account_id <> p.debit_account_id
    ) THEN
        RAISE EXCEPTION 'a reversal mirrors what it reverses'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM posted p JOIN schemes s ON s.id = p.scheme_id
        WHERE s.status <> 'ACTIVE' OR s.commenced_on IS NULL
    ) THEN
        RAISE EXCEPTION 'the books of this scheme are not open'
            USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE ledger_accounts a
    SET debits = a.debits + moved.debit, credits = a.credits + moved.credit
    FROM (
        SELECT account, sum(debit) AS debit, sum(credit) AS credit
        FROM (
            SELECT debit_account_id AS account, amount AS debit, 0 AS credit FROM posted
            UNION ALL
            SELECT credit_account_id, 0, amount FROM posted
        ) AS legs
        GROUP BY account
    ) AS moved
    WHERE a.id = moved.account;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_move_balances AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION apply_transfers();
"""
APPLY_TRANSFERS_BACK = """
DROP TRIGGER transfers_move_balances ON transfers;
DROP FUNCTION apply_transfers();
"""

# An account opens at zero: a balance comes from transfers and from nowhere else.
ACCOUNTS_OPEN_AT_ZERO = f"""
CREATE FUNCTION ledger_account_opens_at_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.debits <> 0 OR NEW.credits <> 0 THEN
        RAISE EXCEPTION 'a ledger account opens at zero' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_accounts_open_at_zero BEFORE INSERT ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION ledger_account_opens_at_zero();
CREATE TRIGGER ledger_accounts_stay BEFORE DELETE ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_accounts_no_truncate BEFORE TRUNCATE ON ledger_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
{if_app_role("REVOKE UPDATE, DELETE, TRUNCATE ON ledger_accounts FROM chitfund_app")}
"""
ACCOUNTS_OPEN_AT_ZERO_BACK = f"""
DROP TRIGGER ledger_accounts_open_at_zero ON ledger_accounts;
DROP TRIGGER ledger_accounts_stay ON ledger_accounts;
DROP TRIGGER ledger_accounts_no_truncate ON ledger_accounts;
DROP FUNCTION ledger_account_opens_at_zero();
{if_app_role("GRANT UPDATE, DELETE ON ledger_accounts TO chitfund_app")}
"""

COMPLETED_PAYMENTS_STAY = f"""
CREATE FUNCTION completed_payment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'payments are reversed, never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status <> 'PENDING' AND
        to_jsonb(NEW) - ARRAY['unallocated', 'reversed_at', 'note'] <>
        to_jsonb(OLD) - ARRAY['unallocated', 'reversed_at', 'note'] THEN
        RAISE EXCEPTION 'a decided payment is never edited; reverse it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.amount <> OLD.amount OR NEW.subscription_id <> OLD.subscription_id THEN
        RAISE EXCEPTION 'amount and ticket of a payment never change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.reversed_at IS NOT NULL AND NEW.reversed_at IS DISTINCT FROM OLD.reversed_at THEN
        RAISE EXCEPTION 'a reversal stands' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_stay BEFORE UPDATE OR DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION completed_payment_stays();
CREATE TRIGGER payments_no_truncate BEFORE TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
{if_app_role("REVOKE DELETE, TRUNCATE ON payments FROM chitfund_app")}
"""
COMPLETED_PAYMENTS_STAY_BACK = f"""
DROP TRIGGER payments_stay ON payments;
DROP TRIGGER payments_no_truncate ON payments;
DROP FUNCTION completed_payment_stays();
{if_app_role("GRANT DELETE ON payments TO chitfund_app")}
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("accounts", "0002_make_audit_append_only"),
    ]

    operations = [
        migrations.RunSQL(ENTRY_IS_CLOSED, "ALTER TABLE transfers DROP COLUMN xid"),
        migrations.RunSQL(SAME_SCHEME, SAME_SCHEME_BACK),
        migrations.RunSQL(TRANSFERS, TRANSFERS_BACK),
        migrations.RunSQL(ALLOCATIONS, ALLOCATIONS_BACK),
        migrations.RunSQL(ACCOUNTS_OPEN_AT_ZERO, ACCOUNTS_OPEN_AT_ZERO_BACK),
        migrations.RunSQL(APPLY_TRANSFERS, APPLY_TRANSFERS_BACK),
        migrations.RunSQL(COMPLETED_PAYMENTS_STAY, COMPLETED_PAYMENTS_STAY_BACK),
    ]
