"""What a scheme says of its taken tickets is what its tickets say, at every commit.

Services keep `schemes.current_subscribers` under the scheme's lock; this finds the one that
forgot. Deferred, because a ticket and the count are two statements of one transaction.
"""

from django.db import migrations

COUNT = """
CREATE FUNCTION scheme_counts_its_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counted uuid;
BEGIN
    IF TG_TABLE_NAME = 'schemes' THEN
        counted := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        counted := OLD.scheme_id;
    ELSE
        counted := NEW.scheme_id;
    END IF;
    IF EXISTS (
        SELECT FROM schemes s WHERE s.id = counted AND s.current_subscribers <> (
            SELECT count(*) FROM subscriptions t
            WHERE t.scheme_id = s.id AND t.status IN ('ACTIVE', 'DEFAULTED', 'COMPLETED')
        )
    ) THEN
        RAISE EXCEPTION 'the tickets of scheme % and their count disagree', counted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scheme_counts_its_tickets';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER subscriptions_are_counted
    AFTER INSERT OR DELETE ON subscriptions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION scheme_counts_its_tickets();
CREATE CONSTRAINT TRIGGER subscriptions_are_counted_again
    AFTER UPDATE ON subscriptions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        (OLD.status IN ('ACTIVE', 'DEFAULTED', 'COMPLETED'))
        <> (NEW.status IN ('ACTIVE', 'DEFAULTED', 'COMPLETED'))
    )
    EXECUTE FUNCTION scheme_counts_its_tickets();
CREATE CONSTRAINT TRIGGER schemes_count_their_tickets
    AFTER INSERT ON schemes
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION scheme_counts_its_tickets();
CREATE CONSTRAINT TRIGGER schemes_count_their_tickets_again
    AFTER UPDATE ON schemes
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.current_subscribers <> NEW.current_subscribers)
    EXECUTE FUNCTION scheme_counts_its_tickets();

CREATE FUNCTION ticket_stays_in_its_scheme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a ticket stays in its scheme, under its number'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'subscription_stays_in_its_scheme';
END $$;
CREATE TRIGGER subscriptions_stay_in_their_scheme
    BEFORE UPDATE OF scheme_id, ticket_number ON subscriptions
    FOR EACH ROW WHEN (
        (OLD.scheme_id, OLD.ticket_number) IS DISTINCT FROM (NEW.scheme_id, NEW.ticket_number)
    )
    EXECUTE FUNCTION ticket_stays_in_its_scheme();
"""

UNCOUNT = """
DROP TRIGGER subscriptions_stay_in_their_scheme ON subscriptions;
DROP FUNCTION ticket_stays_in_its_scheme();
DROP TRIGGER schemes_count_their_tickets_again ON schemes;
DROP TRIGGER schemes_count_their_tickets ON schemes;
DROP TRIGGER subscriptions_are_counted_again ON subscriptions;
DROP TRIGGER subscriptions_are_counted ON subscriptions;
DROP FUNCTION scheme_counts_its_tickets();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0001_initial"),
        ("schemes", "0002_freeze_terms"),
    ]

    operations = [migrations.RunSQL(COUNT, UNCOUNT)]
