-- The outbox: what happened is noted in its own transaction, and numbered afterwards, one position after the
-- other, by one numberer at a time. So what has a position is committed, and nothing comes in before it.

-- Notes an event, for those who hold the lock of what it is about.
-- p_kind: entry (p_subject is the wallet, p_seq the line's number), status, limit, order, …
-- Returns true, so that it can be assigned.
CREATE OR REPLACE FUNCTION event_note(
    p_kind text, p_player uuid, p_subject uuid, p_seq bigint, p_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wallet_newevent (at, seq, player_id, subject_id, kind)
    VALUES (p_at, p_seq, p_player, p_subject, p_kind);
    RETURN true;
END $$;

-- A player's status has changed.
CREATE OR REPLACE FUNCTION event_of_player() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM event_note('status', NEW.player_id, NEW.id, NULL, NEW.at);
    RETURN NULL;
END $$;

-- Makes the part of the feed that has this day's events, if there is none.
CREATE OR REPLACE FUNCTION event_prepare_day(p_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    part text := 'wallet_event_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE wallet_event INCLUDING DEFAULTS INCLUDING INDEXES)', part);
        EXECUTE format(
            'ALTER TABLE wallet_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            part, p_day, p_day + 1);
    END IF;
END $$;

-- Gives the next positions to at most p_most events that are committed. Returns how many: 0 also where
-- somebody else does it at this moment.
--
-- Of one wallet, or player, or order, the events that are visible are always the first ones by n, for each n
-- is drawn under its lock. So the lowest n of what is visible can be taken, whoever is still under way.
--
-- The scan goes over rows that are deleted and not yet vacuumed, which a long snapshot elsewhere may keep for
-- hours: it begins after `settled`, up to which nothing will come any more. That is known when all
-- transactions that were under way as `drawn` was the last n are over; whoever draws one has its number
-- (xid) already.
CREATE OR REPLACE FUNCTION event_number(p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    had_number boolean := pg_current_xact_id_if_assigned() IS NOT NULL;
    last_drawn bigint;
    -- Not of its table's type: where players lie on other machines, these have the function without it.
    head record;
    is_over boolean;
    today date;
    numbered integer;
BEGIN
    IF (p_most BETWEEN 1 AND 100000) IS NOT TRUE THEN
        PERFORM ledger_refuse('event_number', format('number of %L', p_most));
    END IF;
    -- Before the lock, by which this transaction gets its own number.
    last_drawn := coalesce(pg_sequence_last_value('wallet_newevent_n_seq'), 0);
    SELECT * INTO head FROM wallet_eventhead FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    is_over := head.drawn_by IS NOT NULL AND pg_snapshot_xmin(pg_current_snapshot()) > head.drawn_by
        AND pg_current_xact_id() > head.drawn_by;
    -- Never a day back, whatever the clock does: days go up with positions.
    today := greatest(head.day, (wallet_now() AT TIME ZONE 'UTC')::date);
    PERFORM event_prepare_day(today);

    -- Whatever the statistics of a table say that is nearly always empty.
    PERFORM set_config('enable_seqscan', 'off', true);
    WITH taken AS (
        DELETE FROM wallet_newevent WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM wallet_newevent WHERE n > head.settled ORDER BY n LIMIT p_most))
        RETURNING *
    )
    INSERT INTO wallet_event (position, at, seq, day, player_id, subject_id, kind)
    SELECT head.position + row_number() OVER (ORDER BY n), at, seq, today, player_id, subject_id, kind
    FROM taken;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    PERFORM set_config('enable_seqscan', 'on', true);

    IF numbered = 0 AND NOT is_over AND head.drawn_by IS NOT NULL THEN
        RETURN 0;
    END IF;
    UPDATE wallet_eventhead SET
        position = head.position + numbered,
        day = CASE WHEN numbered > 0 THEN today ELSE head.day END,
        settled = CASE WHEN is_over AND numbered < p_most THEN head.drawn ELSE head.settled END,
        drawn = CASE WHEN is_over OR head.drawn_by IS NULL THEN last_drawn ELSE head.drawn END,
        drawn_by = CASE WHEN had_number THEN NULL
            WHEN is_over OR head.drawn_by IS NULL THEN pg_current_xact_id() ELSE head.drawn_by END;
    RETURN numbered;
END $$;

-- Drops the events of days before p_day (UTC), never those of the last day that has any. Returns how many
-- days. What has to be kept is never dropped: event_kept_days() is EVENTS_KEEP_DAYS as it was at the last
-- migrate (wallet/apps.py).
CREATE OR REPLACE FUNCTION event_drop_before(p_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head record;
    part text;
    dropped integer := 0;
BEGIN
    IF (p_day <= (wallet_now() AT TIME ZONE 'UTC')::date - event_kept_days()) IS NOT TRUE THEN
        RAISE EXCEPTION 'event_drop_before takes no day %: % days are kept. Fewer (EVENTS_KEEP_DAYS) count '
            'after the next migrate', p_day, event_kept_days() USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        -- Divided over several machines, events are noted and never numbered.
        DELETE FROM wallet_newevent WHERE at < p_day;
    END IF;
    SELECT * INTO STRICT head FROM wallet_eventhead FOR NO KEY UPDATE;
    FOR part IN
        SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'wallet_event'::regclass AND child.relname ~ '^wallet_event_[0-9]{8}$'
          AND to_date(right(child.relname, 8), 'YYYYMMDD') < least(p_day, head.day)
        ORDER BY child.relname
    LOOP
        -- A cursor that stands here has missed nothing.
        EXECUTE format(
            'UPDATE wallet_eventhead SET dropped_position = last.position, dropped_at = last.at, '
            'dropped_subject_id = last.subject_id, dropped_seq = last.seq '
            'FROM (SELECT * FROM %I ORDER BY day DESC, position DESC LIMIT 1) last', part);
        EXECUTE format('DROP TABLE %I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
