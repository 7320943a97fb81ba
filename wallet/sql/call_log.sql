-- The call log: one row per wallet call that names a transaction, partitioned by day, dropped by age.

-- Today, as the call log's days go.
CREATE OR REPLACE FUNCTION call_log_today() RETURNS date
LANGUAGE sql VOLATILE AS $$ SELECT (wallet_now() AT TIME ZONE 'UTC')::date $$;

-- Whose a call is whose player is not known: nobody's. Where the log is divided by player, it has to lie
-- somewhere.
CREATE OR REPLACE FUNCTION call_log_nobody() RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT '00000000-0000-0000-0000-000000000000'::uuid FROM pg_attribute
    WHERE attrelid = 'public.wallet_apicall'::regclass AND attname = 'player_id' AND attnotnull
$$;

-- Writes a call and how it was answered. p_began: when the ledger was asked; p_elapsed_us: how long the call
-- had taken till then.
-- Returns true, so that it can be assigned: PL/pgSQL does that much faster than PERFORM.
CREATE OR REPLACE FUNCTION call_log_write(
    p_began timestamptz, p_game uuid, p_player uuid, p_transaction uuid, p_credential uuid, p_endpoint text,
    p_mm text, p_amount bigint, p_currency text, p_address inet, p_outcome text, p_replayed boolean,
    p_elapsed_us integer
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_player IS NULL THEN
        p_player := call_log_nobody();
    END IF;
    INSERT INTO wallet_apicall (id, at, game_id, player_id, transaction_id, credential, endpoint,
                                mm_transaction_id, amount, currency_code, address, outcome, replayed, took_us)
    VALUES (wallet_new_id(), p_began, p_game, p_player, p_transaction, p_credential, p_endpoint, p_mm,
            p_amount, coalesce(p_currency, ''), p_address, p_outcome, p_replayed,
            -- A clock that was put forward meanwhile makes a call long, one that was put back makes it short;
            -- neither fails any.
            least(p_elapsed_us + greatest(date_part('epoch', wallet_now() - p_began), 0) * 1000000,
                  2147483647)::integer);
    RETURN true;
END $$;

-- A call that was refused before the ledger was asked (malformed, by contract 1): it can still be seen.
CREATE OR REPLACE FUNCTION call_log_refused(
    p_outcome text, p_game uuid, p_credential uuid, p_endpoint text, p_mm text, p_address inet,
    p_elapsed_us integer
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (p_outcome = 'malformed') IS NOT TRUE THEN
        PERFORM ledger_refuse('call_log_refused', format('outcome %L', p_outcome));
    END IF;
    PERFORM call_log_write(wallet_now(), p_game, NULL, NULL, p_credential, p_endpoint, p_mm, NULL, NULL,
                           p_address, p_outcome, false, p_elapsed_us);
END $$;

-- Makes the partition of one day (UTC), and moves rows into it that the default partition caught meanwhile.
-- Returns true where the partition is new. Takes the days of a year around today.
CREATE OR REPLACE FUNCTION call_log_prepare_day(p_day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text := 'wallet_apicall_' || to_char(p_day, 'YYYYMMDD');
    began timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
    ended timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF (p_day BETWEEN call_log_today() - 400 AND call_log_today() + 400) IS NOT TRUE THEN
        PERFORM ledger_refuse('call_log_prepare_day', format('day %L', p_day));
    END IF;
    -- Two at once: the second finds the first's work done.
    PERFORM pg_advisory_xact_lock(hashtext('wallet_apicall'));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE wallet_apicall INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    -- Calls of that day wait here for the moment that the move takes.
    LOCK TABLE wallet_apicall_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'WITH moved AS (DELETE FROM wallet_apicall_default WHERE at >= $1 AND at < $2 RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', part)
    USING began, ended;
    EXECUTE format(
        'ALTER TABLE wallet_apicall ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, began, ended);
    RETURN true;
END $$;

-- Drops the partitions of days before p_day (UTC). Returns how many. What has to be kept is never dropped:
-- call_log_kept_days() is CALL_LOG_DAYS as it was at the last migrate (wallet/apps.py).
CREATE OR REPLACE FUNCTION call_log_drop_before(p_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text;
    dropped integer := 0;
BEGIN
    IF (p_day <= call_log_today() - call_log_kept_days()) IS NOT TRUE THEN
        RAISE EXCEPTION 'call_log_drop_before takes no day %: % days are kept. Fewer (CALL_LOG_DAYS) count '
            'after the next migrate', p_day, call_log_kept_days() USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('wallet_apicall'));
    FOR part IN
        SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'wallet_apicall'::regclass AND child.relname ~ '^wallet_apicall_[0-9]{8}$'
          AND to_date(right(child.relname, 8), 'YYYYMMDD') < p_day
        ORDER BY child.relname
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
