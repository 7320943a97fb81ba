-- What every ledger function stands on: ids, and what a function answers.

-- A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits. PostgreSQL 18 makes them itself.
DO $do$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        CREATE FUNCTION wallet_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$ SELECT uuidv7() $$;
    ELSE
        CREATE FUNCTION wallet_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
            SELECT encode(
                set_bit(set_bit(
                    overlay(uuid_send(gen_random_uuid())
                            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
                    52, 1), 53, 1),
                'hex')::uuid
        $$;
    END IF;
END $do$;

-- outcome: the name of what was decided; wallet/api/errors.py says which answer each one is.
-- balance: what was spendable right after the operation that the answer is about, in minor units.
CREATE TYPE ledger_answer AS (
    outcome        text,
    replayed       boolean,
    player_id      uuid,
    transaction_id uuid,
    balance        bigint,
    currency_code  text
);

-- What a hash covers is written as record_send writes a row: each value with its type and length, whatever the session's settings.
-- wallet/audit/hash_chain.py is the second reading of it. STABLE, not IMMUTABLE, because record_send is: so that they are inlined.

-- What a transaction was when it was opened, as its first entry's hash covers it.
CREATE FUNCTION ledger_opening(
    p_type text, p_game uuid, p_session uuid, p_mm text, p_amount bigint, p_refusal text, p_description text,
    p_source text, p_reverses uuid, p_due timestamptz
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT record_send(ROW(p_type, p_game, p_session, p_mm, p_amount, p_refusal, p_description, p_source, p_reverses, p_due))
$$;

-- How a transaction ended, as its settling entry's hash covers it.
CREATE FUNCTION ledger_ending(p_source text, p_reason text) RETURNS bytea
LANGUAGE sql STABLE AS $$ SELECT record_send(ROW(p_source, p_reason)) $$;
