-- The demonstration's clock: ahead of the true time by as much as it was moved. It takes the place of
-- players/sql/clock.sql.
CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() + make_interval(secs => (SELECT moved_by_seconds FROM public.demo_clock))
$$;

-- Ids that go with that clock: lists that begin at a time find their first row by its id. It takes the place
-- of the one in wallet/sql/base.sql.
CREATE OR REPLACE FUNCTION wallet_new_id() RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM wallet_now()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;
