-- The roles of the portal, on a server of one's own: run once by psql as a superuser, connected to the database
-- of the portal. Running it again changes the passwords and nothing else.
--
--   PORTAL_OWNER_PASSWORD=... PORTAL_APP_PASSWORD=... psql -f deploy/postgres-roles.sql portal
--
-- portal_owner owns the schema and migrates. portal_app is what the portal runs as: it owns nothing, and
-- row-level security holds for it. portal_gate cannot log in: it owns the functions that look across tenants.
\set ON_ERROR_STOP on
\getenv owner_password PORTAL_OWNER_PASSWORD
\getenv app_password PORTAL_APP_PASSWORD

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['portal_owner', 'portal_app', 'portal_gate']) wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE portal_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE portal_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'app_password';
ALTER ROLE portal_gate NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;

-- The owner hands functions to the gate. From PostgreSQL 16 on it does not inherit what the gate may see.
SELECT 'GRANT portal_gate TO portal_owner WITH '
    || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'INHERIT FALSE, SET TRUE'
            ELSE 'ADMIN OPTION' END \gexec

SELECT format('ALTER DATABASE %I OWNER TO portal_owner', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
