-- The platform's one clock. Tests replace this function; nothing else asks for the time.
CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;
