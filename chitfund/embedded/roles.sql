-- Who may do what in a database of the office. Run as superuser in each database, with
-- psql or any other client; running it again changes nothing.
--
-- chitfund_owner  owns the tables and migrates; never used to answer a request.
-- chitfund_app    answers requests: reads and writes rows, makes or alters nothing.
--                 Migrations take UPDATE and DELETE on append-only tables away from it.
--
-- The roles are made without a password and so cannot sign in by one until
-- ALTER ROLE ... PASSWORD gives them theirs.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chitfund_owner') THEN
        CREATE ROLE chitfund_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chitfund_app') THEN
        CREATE ROLE chitfund_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
END
$$;

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO chitfund_owner;
GRANT USAGE ON SCHEMA public TO chitfund_app;

ALTER DEFAULT PRIVILEGES FOR ROLE chitfund_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO chitfund_app;
ALTER DEFAULT PRIVILEGES FOR ROLE chitfund_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO chitfund_app;
