-- Many calls in one statement and one commit: each is decided by the function for one call.
--
-- In: p_calls, a JSON array of objects with the arguments of that function as members, and `place`, by which
--     the answers are told apart. At most 64 calls.
--     p_waits false: no lock is waited for; a call whose wallet somebody else works on is left out of the
--     answer, for the caller to send again. p_waits true: each lock is waited for. Such calls should be those
--     of one session, so that two statements rarely lock each other out.
-- The calls are done in the order in which they are given. One that raises takes all others with it.
-- What a call waited within the statement counts as elapsed.

-- Whether there are any calls; refuses too many of them.
CREATE OR REPLACE FUNCTION ledger_any_calls(p_function text, p_calls jsonb, p_waits boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    calls integer := jsonb_array_length(p_calls);
BEGIN
    IF (calls <= 64 AND p_waits IS NOT NULL) IS NOT TRUE THEN
        PERFORM ledger_refuse(p_function, format('%L calls, waiting %L', calls, p_waits));
    END IF;
    RETURN calls > 0;
END $$;

-- How long the statement has taken until now. True time: it is no moment of the platform's.
CREATE OR REPLACE FUNCTION ledger_waited_us() RETURNS integer
LANGUAGE sql VOLATILE AS $$
    SELECT (date_part('epoch', clock_timestamp() - statement_timestamp()) * 1000000)::integer
$$;

-- Games open withdrawals and deposits: ledger_open for each.
CREATE OR REPLACE FUNCTION ledger_open_many(p_calls jsonb, p_waits boolean)
RETURNS TABLE (place integer, outcome text, transaction_id uuid, balance bigint, currency_code text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF ledger_any_calls('ledger_open_many', p_calls, p_waits) THEN
        RETURN QUERY
        WITH asked AS MATERIALIZED (
            -- A subquery for each call: no plan is tempted to read whole tables for the many.
            SELECT given.*, (
                SELECT wallet.id
                FROM players_gamesession game_session
                JOIN wallet_wallet wallet
                    ON wallet.player_id = game_session.player_id
                    AND wallet.currency_id = game_session.currency_code
                WHERE game_session.token_hash = given.token_hash AND game_session.game_id = given.game
            ) AS wallet_id
            FROM jsonb_to_recordset(p_calls) AS given (
                place integer, type text, game uuid, token_hash bytea, mm text, amount bigint, currency text,
                description text, pending interval, actor text, credential uuid, endpoint text, address inet,
                elapsed_us integer)
        ), locked AS MATERIALIZED (
            SELECT id FROM wallet_wallet WHERE id = ANY (ARRAY(SELECT wallet_id FROM asked))
            FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT asked.place, answer.outcome, answer.transaction_id, answer.balance, answer.currency_code
        FROM asked CROSS JOIN LATERAL ledger_open(
            asked.type, asked.game, asked.token_hash, asked.mm, asked.amount, asked.currency,
            asked.description, asked.pending, asked.actor, asked.credential, asked.endpoint, asked.address,
            asked.elapsed_us + ledger_waited_us()
        ) AS answer
        WHERE p_waits OR asked.wallet_id IS NULL OR asked.wallet_id = ANY (ARRAY(SELECT id FROM locked));
    END IF;
END $$;

-- Games confirm and roll back: ledger_settle for each.
CREATE OR REPLACE FUNCTION ledger_settle_many(p_calls jsonb, p_waits boolean)
RETURNS TABLE (place integer, outcome text, transaction_id uuid, balance bigint, currency_code text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF ledger_any_calls('ledger_settle_many', p_calls, p_waits) THEN
        RETURN QUERY
        WITH asked AS MATERIALIZED (
            SELECT given.*, (
                SELECT coalesce(named.wallet_id, wallet.id)
                FROM players_gamesession game_session
                JOIN wallet_wallet wallet
                    ON wallet.player_id = game_session.player_id
                    AND wallet.currency_id = game_session.currency_code
                LEFT JOIN wallet_transaction named
                    ON named.player_id = game_session.player_id AND named.game_id = game_session.game_id
                    AND named.type = given.type AND named.mm_transaction_id = given.mm
                WHERE game_session.token_hash = given.token_hash AND game_session.game_id = given.game
            ) AS wallet_id
            FROM jsonb_to_recordset(p_calls) AS given (
                place integer, event text, type text, game uuid, token_hash bytea, mm text, amount bigint,
                currency text, reason text, actor text, credential uuid, endpoint text, address inet,
                elapsed_us integer)
        ), locked AS MATERIALIZED (
            SELECT id FROM wallet_wallet WHERE id = ANY (ARRAY(SELECT wallet_id FROM asked))
            FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT asked.place, answer.outcome, answer.transaction_id, answer.balance, answer.currency_code
        FROM asked CROSS JOIN LATERAL ledger_settle(
            asked.event, asked.type, asked.game, asked.token_hash, asked.mm, asked.amount, asked.currency,
            asked.reason, asked.actor, asked.credential, asked.endpoint, asked.address,
            asked.elapsed_us + ledger_waited_us()
        ) AS answer
        WHERE p_waits OR asked.wallet_id IS NULL OR asked.wallet_id = ANY (ARRAY(SELECT id FROM locked));
    END IF;
END $$;
