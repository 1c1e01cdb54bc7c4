"""Terms freeze at submission and a status moves only along its way, whoever writes.

Commencement alone may move the term: s.6 calls the start date probable, and no draw may be
held before the certificate. Rows come in as they are (seeds); only changes are guarded.
"""

from django.db import migrations

FREEZE = """
CREATE FUNCTION scheme_keeps_its_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_commencing boolean := OLD.commenced_on IS NULL AND NEW.commenced_on IS NOT NULL;
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('DRAFT', 'PENDING_APPROVAL'),
        ('PENDING_APPROVAL', 'ACTIVE'),
        ('PENDING_APPROVAL', 'DRAFT'),
        ('ACTIVE', 'COMPLETED'),
        ('ACTIVE', 'TERMINATED')
    ) THEN
        RAISE EXCEPTION 'a scheme does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scheme_status_moves_along_its_way';
    END IF;
    IF is_commencing AND (OLD.status <> 'ACTIVE' OR NEW.status <> 'ACTIVE')
        OR OLD.commenced_on IS NOT NULL AND NEW.commenced_on IS DISTINCT FROM OLD.commenced_on
    THEN
        RAISE EXCEPTION 'a sanctioned scheme commences once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scheme_commences_once';
    END IF;
    IF OLD.status <> 'DRAFT' AND (
        (OLD.foreman_id, OLD.name, OLD.monthly_installment, OLD.max_subscribers,
         OLD.duration_months, OLD.total_amount, OLD.commission_percent, OLD.commission_base,
         OLD.commission_mode, OLD.max_discount_percent, OLD.min_discount_percent, OLD.bid_step,
         OLD.auction_day, OLD.auction_time, OLD.auction_minutes, OLD.dividend_policy,
         OLD.dividend_timing, OLD.rounding_unit, OLD.base_dividend_cap_percent,
         OLD.foreman_installment, OLD.late_interest_percent, OLD.grace_days, OLD.late_dividend)
        IS DISTINCT FROM
        (NEW.foreman_id, NEW.name, NEW.monthly_installment, NEW.max_subscribers,
         NEW.duration_months, NEW.total_amount, NEW.commission_percent, NEW.commission_base,
         NEW.commission_mode, NEW.max_discount_percent, NEW.min_discount_percent, NEW.bid_step,
         NEW.auction_day, NEW.auction_time, NEW.auction_minutes, NEW.dividend_policy,
         NEW.dividend_timing, NEW.rounding_unit, NEW.base_dividend_cap_percent,
         NEW.foreman_installment, NEW.late_interest_percent, NEW.grace_days, NEW.late_dividend)
        OR NOT is_commencing AND (OLD.start_date, OLD.end_date) <> (NEW.start_date, NEW.end_date)
    ) THEN
        RAISE EXCEPTION 'the terms of a scheme are frozen once it is submitted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scheme_terms_are_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER schemes_keep_their_terms BEFORE UPDATE ON schemes
    FOR EACH ROW EXECUTE FUNCTION scheme_keeps_its_terms();

CREATE FUNCTION scheme_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'DRAFT' THEN
        RAISE EXCEPTION 'only a draft is removed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scheme_stays_once_submitted';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER schemes_stay BEFORE DELETE ON schemes
    FOR EACH ROW EXECUTE FUNCTION scheme_stays();
"""

UNFREEZE = """
DROP TRIGGER schemes_stay ON schemes;
DROP FUNCTION scheme_stays();
DROP TRIGGER schemes_keep_their_terms ON schemes;
DROP FUNCTION scheme_keeps_its_terms();
"""


class Migration(migrations.Migration):
    dependencies = [("schemes", "0001_initial")]

    operations = [migrations.RunSQL(FREEZE, UNFREEZE)]
