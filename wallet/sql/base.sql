-- What every ledger function stands on: ids, the bound of money, and what a hash covers.

-- A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits. PostgreSQL 18 makes them itself.
DO $do$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        CREATE OR REPLACE FUNCTION wallet_new_id() RETURNS uuid
        LANGUAGE sql VOLATILE AS $$ SELECT uuidv7() $$;
    ELSE
        CREATE OR REPLACE FUNCTION wallet_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
            SELECT encode(
                set_bit(set_bit(
                    overlay(
                        uuid_send(gen_random_uuid())
                        PLACING substring(
                            int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                        FROM 1 FOR 6),
                    52, 1), 53, 1),
                'hex')::uuid
        $$;
    END IF;
END $do$;

-- In minor units: spendable, reserved and announced money together stay below this, and so does debt
-- (contract 1, Amounts).
CREATE OR REPLACE FUNCTION wallet_bound() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 1000000000000000000 $$;

-- What a hash covers is written as record_send writes a row: each value with its type and length, whatever
-- the session's settings. wallet/audit/hash_chain.py is the second reading of it. STABLE, not IMMUTABLE,
-- because record_send is: so that they are inlined.

-- What a transaction was when it was opened, as its first entry's hash covers it: format 2, with the
-- reference.
CREATE OR REPLACE FUNCTION ledger_opening(
    p_type text, p_game uuid, p_session uuid, p_mm text, p_amount bigint, p_refusal text, p_description text,
    p_source text, p_reverses uuid, p_due timestamptz, p_reference uuid
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT record_send(ROW(
        p_type, p_game, p_session, p_mm, p_amount, p_refusal, p_description, p_source, p_reverses, p_due,
        p_reference
    ))
$$;

-- How a transaction ended, as its settling entry's hash covers it.
CREATE OR REPLACE FUNCTION ledger_ending(p_source text, p_reason text) RETURNS bytea
LANGUAGE sql STABLE AS $$ SELECT record_send(ROW(p_source, p_reason)) $$;

-- What every function that the application calls does about arguments that no operation of the platform has:
-- it refuses them, whoever calls it.
CREATE OR REPLACE FUNCTION ledger_refuse(p_function text, p_what text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% takes no %', p_function, p_what USING ERRCODE = 'invalid_parameter_value';
END $$;

-- The largest amount of one movement, in minor units (contract 1, Amounts).
CREATE OR REPLACE FUNCTION wallet_largest_amount() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 99999999999999999 $$;

-- Whether a discrepancy of this kind was booked as the game said: another word than that contradicts it then.
CREATE OR REPLACE FUNCTION ledger_is_corrected(p_player uuid, p_transaction uuid, p_kind text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM wallet_discrepancy
                   WHERE player_id = p_player AND transaction_id = p_transaction AND kind = p_kind
                     AND correction_id IS NOT NULL)
$$;
