-- How transactions are found by what is random in them: by day, since the indexes of that begin with the day
-- (wallet/models/days.py).

-- All days (UTC) from the first transaction to the last. Each end is one look into an index.
CREATE OR REPLACE FUNCTION transaction_days() RETURNS date[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_day date;
    last_day date;
BEGIN
    SELECT min((opened_at AT TIME ZONE 'UTC')::date), max((opened_at AT TIME ZONE 'UTC')::date)
    INTO first_day, last_day FROM wallet_transaction;
    RETURN ARRAY(SELECT first_day + number FROM generate_series(0, last_day - first_day) number);
END $$;

-- The ids of at most p_most transactions whose own id at the game begins with a text, of the newest days.
CREATE OR REPLACE FUNCTION transactions_beginning(p_text text, p_most integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 10 SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a_day date;
    found integer;
BEGIN
    FOR a_day IN SELECT day FROM unnest(transaction_days()) day ORDER BY day DESC LOOP
        -- No id has a character beyond: they are printable ASCII, without spaces (contract 2).
        RETURN QUERY
            SELECT id FROM wallet_transaction
            WHERE (opened_at AT TIME ZONE 'UTC')::date = a_day
              AND mm_transaction_id >= p_text AND mm_transaction_id < p_text || chr(127)
            ORDER BY mm_transaction_id LIMIT p_most;
        GET DIAGNOSTICS found = ROW_COUNT;
        p_most := p_most - found;
        EXIT WHEN p_most <= 0;
    END LOOP;
END $$;
