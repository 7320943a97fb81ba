-- The call log: one row per wallet call that names a transaction, partitioned by day, dropped by age.

CREATE TABLE wallet_apicall (
    id                uuid        NOT NULL,
    at                timestamptz NOT NULL,
    game_id           uuid        NOT NULL,
    player_id         uuid,
    transaction_id    uuid,
    credential        uuid        NOT NULL,
    endpoint          varchar(20) NOT NULL,
    mm_transaction_id varchar(64) NOT NULL,
    amount            bigint,
    currency_code     varchar(12) NOT NULL,
    address           inet        NOT NULL,
    outcome           varchar(20) NOT NULL,
    replayed          boolean     NOT NULL,
    took_us           integer     NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

CREATE INDEX wallet_apicall_by_mm_id ON wallet_apicall (mm_transaction_id);

-- A day that nobody prepared must never stop a withdrawal.
CREATE TABLE wallet_apicall_default PARTITION OF wallet_apicall DEFAULT;

-- A call that was refused before the ledger was asked (malformed, by contract 1), so that it can still be seen.
CREATE FUNCTION call_log_refused(
    p_outcome text, p_game uuid, p_credential uuid, p_endpoint text, p_mm text, p_address inet, p_elapsed_us integer
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO wallet_apicall (id, at, game_id, credential, endpoint, mm_transaction_id, currency_code, address, outcome, replayed, took_us)
    VALUES (wallet_new_id(), wallet_now(), p_game, p_credential, p_endpoint, p_mm, '', p_address, p_outcome, false, p_elapsed_us)
$$;

-- Makes the partition of one day (UTC), and moves rows into it that the default partition caught meanwhile.
-- Returns true where the partition is new.
CREATE FUNCTION call_log_prepare_day(p_day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text := 'wallet_apicall_' || to_char(p_day, 'YYYYMMDD');
    began timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
    ended timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    -- Two at once: the second finds the first's work done.
    PERFORM pg_advisory_xact_lock(hashtext('wallet_apicall'));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE wallet_apicall INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    -- Calls of that day wait here for the moment that the move takes.
    LOCK TABLE wallet_apicall_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM wallet_apicall_default WHERE at >= $1 AND at < $2 RETURNING *) INSERT INTO %I SELECT * FROM moved', part)
    USING began, ended;
    EXECUTE format('ALTER TABLE wallet_apicall ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, began, ended);
    RETURN true;
END $$;

-- Drops the partitions of days before p_day (UTC). Returns how many.
CREATE FUNCTION call_log_drop_before(p_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('wallet_apicall'));
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'wallet_apicall'::regclass AND c.relname ~ '^wallet_apicall_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < p_day
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
