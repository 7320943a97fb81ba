-- What every ledger function stands on: ids, and what a function answers.

-- A UUIDv7 (RFC 9562) of the given time: 48 bits of milliseconds, then random bits.
CREATE FUNCTION wallet_new_id(p_at timestamptz) RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send((extract(epoch FROM p_at) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;

-- outcome: the name of what was decided; wallet/errors.py says which answer each one is.
-- balance: what was spendable right after the operation that the answer is about, in minor units.
CREATE TYPE ledger_answer AS (
    outcome        text,
    replayed       boolean,
    player_id      uuid,
    transaction_id uuid,
    balance        bigint,
    currency_code  text
);

-- A text with its length before it, so that joined texts can be told apart.
CREATE FUNCTION ledger_counted(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT octet_length(coalesce(p_text, ''))::text || ':' || coalesce(p_text, '') $$;

-- STABLE, not IMMUTABLE: what they call is only stable, and PostgreSQL inlines a function only where it promises no more than its body.
CREATE FUNCTION ledger_microseconds(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT coalesce((extract(epoch FROM p_at) * 1000000)::bigint::text, '') $$;

-- What a transaction was when it was opened, as its first entry's hash covers it (wallet/chain.py is the second reading of this).
CREATE FUNCTION ledger_opening(t wallet_transaction) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT concat_ws('|', t.type, coalesce(t.game_id::text, ''), coalesce(t.session_id::text, ''),
        ledger_counted(t.mm_transaction_id), coalesce(t.amount::text, ''), t.refusal, t.source,
        coalesce(t.reverses_id::text, ''), ledger_microseconds(t.due_at), ledger_counted(t.description))
$$;

-- How a transaction ended, as its settling entry's hash covers it.
CREATE FUNCTION ledger_ending(p_source text, p_reason text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT p_source || '|' || ledger_counted(p_reason) $$;
