-- The journal's parts: a table for each month (UTC), one for all before the first month, and a default one,
-- so that a missing month never stops a withdrawal. The number of an entry is unique within each part; over
-- all of them it is by the lock on the wallet's row, and the audit counts every one.

-- The parts that have a span of time, in its order; none where the journal is not divided (it was on several
-- machines before it could be).
CREATE OR REPLACE FUNCTION journal_parts(OUT part text, OUT began timestamptz, OUT ended timestamptz)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT child.relname::text,
        coalesce(substring(bound FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity'),
        substring(bound FROM 'TO \(''([^'']+)''\)')::timestamptz
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    CROSS JOIN LATERAL pg_get_expr(child.relpartbound, child.oid) AS said (bound)
    WHERE inhparent = 'wallet_entry'::regclass AND bound <> 'DEFAULT'
    ORDER BY 3
$$;

-- Makes the part of a month, given by its first day, and moves entries into it that the default part caught
-- meanwhile. Returns true where the part is new. Takes the months of two years around today.
CREATE OR REPLACE FUNCTION journal_prepare_month(p_month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := 'wallet_entry_' || to_char(p_month, 'YYYYMM');
    first_moment timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    last_moment timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
    was_caught boolean;
    patience text := current_setting('lock_timeout');
BEGIN
    IF (extract(day FROM p_month) = 1
        AND p_month BETWEEN call_log_today() - 400 AND call_log_today() + 400) IS NOT TRUE THEN
        PERFORM ledger_refuse('journal_prepare_month', format('month %L', p_month));
    END IF;
    IF (SELECT relkind <> 'p' FROM pg_class WHERE oid = 'wallet_entry'::regclass) THEN
        RETURN false;
    END IF;
    PERFORM set_config('lock_timeout', '200ms', true);
    -- Two at once: the second finds the first's work done.
    PERFORM pg_advisory_xact_lock(hashtext('wallet_entry'));
    IF EXISTS (SELECT 1 FROM journal_parts() known
               WHERE known.began < last_moment AND known.ended > first_moment)
       OR to_regclass(name) IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience, true);
        RETURN false;
    END IF;
    IF to_regclass('pg_dist_partition') IS NOT NULL THEN
        -- The parts of a journal on several machines have their triggers, too.
        PERFORM set_config('citus.enable_unsafe_triggers', 'on', true);
    END IF;
    -- Entries of that month wait here for the moment that the move takes.
    LOCK TABLE wallet_entry_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'CREATE TABLE %I (LIKE wallet_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS, '
        'PRIMARY KEY (player_id, wallet_id, seq))', name);
    EXECUTE format(
        'CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    SELECT EXISTS (SELECT 1 FROM wallet_entry_default WHERE at >= first_moment AND at < last_moment)
    INTO was_caught;
    IF was_caught THEN
        -- Nothing is ever deleted from the journal: they only change their place, in this one block.
        ALTER TABLE wallet_entry_default DISABLE TRIGGER entry_is_append_only;
        EXECUTE format(
            'WITH moved AS (DELETE FROM wallet_entry_default WHERE at >= $1 AND at < $2 RETURNING *) '
            'INSERT INTO %I SELECT * FROM moved', name)
        USING first_moment, last_moment;
        ALTER TABLE wallet_entry_default ENABLE TRIGGER entry_is_append_only;
    END IF;
    EXECUTE format(
        'ALTER TABLE wallet_entry ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first_moment, last_moment);
    PERFORM set_config('lock_timeout', patience, true);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    -- Whoever reads the whole journal, as an audit does, has a lock for long, and calls that ask for an old
    -- line would wait behind us: months are made long ahead, so it can be tried another night.
    RETURN false;
END $$;
