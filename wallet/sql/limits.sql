-- A player's limits (contract 2.5), checked and counted under the wallet's lock.
--
-- Spent is what is withdrawn into games: it counts from the reservation on, on the day on which that was
-- made, and no more once it is given back. Won is what games pay, when it is confirmed. A correction that
-- books an end afterwards counts when it is booked; one that takes an end back gives back what that counted.
-- A wallet that never had a limit pays one comparison.

-- The day, in the platform's zone, that a moment belongs to; the first days of a day's week and month.
CREATE OR REPLACE FUNCTION limits_day(p_at timestamptz) RETURNS date
LANGUAGE sql STABLE AS $$ SELECT (p_at AT TIME ZONE wallet_zone())::date $$;

CREATE OR REPLACE FUNCTION limits_week(p_day date) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT p_day - (extract(isodow FROM p_day)::integer - 1) $$;

CREATE OR REPLACE FUNCTION limits_month(p_day date) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT p_day - (extract(day FROM p_day)::integer - 1) $$;

-- When a day begins.
CREATE OR REPLACE FUNCTION limits_midnight(p_day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT p_day::timestamp AT TIME ZONE wallet_zone() $$;

-- All games together have a row of usage under this id.
CREATE OR REPLACE FUNCTION limits_all_games() RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;

-- What a limit is at a moment: what waits counts from its time on, whoever looks.
CREATE OR REPLACE FUNCTION limits_amount(
    p_amount bigint, p_pending_amount bigint, p_pending_at timestamptz, p_needs_confirmation boolean,
    p_at timestamptz
) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_pending_at <= p_at AND NOT p_needs_confirmation THEN p_pending_amount
        ELSE p_amount END
$$;

-- Of what was counted up to p_day, the part that belongs to the period of p_today.
CREATE OR REPLACE FUNCTION limits_used(
    p_period text, p_today date, p_day date, p_of_day numeric, p_of_week numeric, p_of_month numeric,
    p_rolling numeric
) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_period
        WHEN 'day' THEN CASE WHEN p_day >= p_today THEN p_of_day ELSE 0 END
        WHEN 'week' THEN CASE WHEN p_day >= limits_week(p_today) THEN p_of_week ELSE 0 END
        WHEN 'month' THEN CASE WHEN p_day >= limits_month(p_today) THEN p_of_month ELSE 0 END
        WHEN 'rolling' THEN p_rolling
    END
$$;

-- For how many seconds of its day a player has had a session, in one game or in any, until p_at: of sessions
-- that overlap, the time counts once. PL/pgSQL keeps its plan; before PostgreSQL 18 SQL plans at each call.
CREATE OR REPLACE FUNCTION limits_seconds(p_player uuid, p_game uuid, p_at timestamptz) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
    midnight timestamptz := limits_midnight(limits_day(p_at));
BEGIN
    RETURN (
        SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0) FROM unnest((
            SELECT range_agg(tstzrange(greatest(created_at, midnight), least(ended_at, expires_at, p_at)))
            FROM players_gamesession
            WHERE player_id = p_player AND (p_game IS NULL OR game_id = p_game) AND created_at < p_at
              -- None lasts longer: for the index.
              AND created_at > midnight - wallet_longest_session()
              AND least(ended_at, expires_at, p_at) > greatest(created_at, midnight)
        )) AS part);
END $$;

-- --- What the journal says -----------------------------------------------------------------------------

-- What of the lines p_after < seq <= p_through of a wallet counts, as things stand now.
CREATE OR REPLACE FUNCTION limits_counted(p_player uuid, p_wallet uuid, p_after bigint, p_through bigint)
RETURNS TABLE (seq bigint, at timestamptz, game_id uuid, spent bigint, won bigint)
LANGUAGE sql STABLE AS $$
    SELECT entry.seq, entry.at, opened.game_id,
        CASE WHEN opened.type IN ('withdrawal', 'late_withdrawal') THEN entry.amount ELSE 0 END,
        CASE WHEN opened.type IN ('deposit', 'late_deposit') THEN entry.amount ELSE 0 END
    FROM wallet_entry entry JOIN wallet_transaction opened
        ON opened.player_id = entry.player_id AND opened.id = entry.transaction_id
    WHERE entry.player_id = p_player AND entry.wallet_id = p_wallet
      AND entry.seq > p_after AND entry.seq <= p_through
      AND CASE
        WHEN opened.type = 'withdrawal' THEN entry.event = 'opened'
            AND opened.state IN ('pending', 'confirmed')
            AND NOT ledger_is_corrected(opened.player_id, opened.id, 'rollback_of_confirmed')
        WHEN opened.type = 'deposit' THEN entry.event = 'confirmed'
            AND NOT ledger_is_corrected(opened.player_id, opened.id, 'rollback_of_confirmed')
        -- Taken back once more, unless it was what is booked afterwards that was taken back before.
        WHEN opened.type IN ('late_withdrawal', 'late_deposit') THEN entry.event = 'adjusted'
            AND ((SELECT state FROM wallet_transaction corrected
                  WHERE corrected.player_id = opened.player_id AND corrected.id = opened.reverses_id)
                 = 'confirmed'
                 OR NOT ledger_is_corrected(opened.player_id, opened.reverses_id, 'rollback_of_confirmed'))
        ELSE false
      END
$$;

-- The last line of a wallet that is not later than p_at; 0 if there is none. It is looked for from the end.
CREATE OR REPLACE FUNCTION limits_seq_at(p_player uuid, p_wallet uuid, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT seq FROM wallet_entry WHERE player_id = p_player AND wallet_id = p_wallet AND at <= p_at
        ORDER BY seq DESC LIMIT 1), 0)
$$;

-- What a row of usage must say, by the journal.
CREATE OR REPLACE FUNCTION limits_sums(
    p_player uuid, p_wallet uuid, p_game uuid, p_day date, p_tail bigint,
    OUT day_spent numeric, OUT day_won numeric, OUT week_spent numeric, OUT week_won numeric,
    OUT month_spent numeric, OUT month_won numeric, OUT rolling_spent numeric, OUT rolling_won numeric,
    OUT first_at timestamptz
) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT
        coalesce(sum(spent) FILTER (WHERE day = p_day), 0),
        coalesce(sum(won) FILTER (WHERE day = p_day), 0),
        coalesce(sum(spent) FILTER (WHERE limits_week(day) = limits_week(p_day)), 0),
        coalesce(sum(won) FILTER (WHERE limits_week(day) = limits_week(p_day)), 0),
        coalesce(sum(spent) FILTER (WHERE limits_month(day) = limits_month(p_day)), 0),
        coalesce(sum(won) FILTER (WHERE limits_month(day) = limits_month(p_day)), 0),
        coalesce(sum(spent) FILTER (WHERE seq > p_tail), 0),
        coalesce(sum(won) FILTER (WHERE seq > p_tail), 0),
        min(at) FILTER (WHERE seq > p_tail)
    FROM (
        SELECT seq, at, limits_day(at) AS day, spent, won
        FROM limits_counted(
            p_player, p_wallet,
            least(p_tail, limits_seq_at(
                p_player, p_wallet,
                limits_midnight(least(limits_week(p_day), limits_month(p_day))) - interval '1 microsecond')),
            9223372036854775807)
        WHERE p_game = limits_all_games() OR game_id = p_game
    ) AS counted
$$;

-- --- Counting ------------------------------------------------------------------------------------------

-- Begins to count for a wallet, of all games or one, with what the journal says.
-- Before, as for all that follow: the caller holds the lock on the wallet's row.
CREATE OR REPLACE FUNCTION limits_begin(p_player uuid, p_wallet uuid, p_game uuid, p_at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    tail bigint := limits_seq_at(p_player, p_wallet, p_at - interval '24 hours');
BEGIN
    INSERT INTO wallet_limitusage (
        player_id, wallet_id, game_id, day, day_spent, day_won, week_spent, week_won, month_spent, month_won,
        rolling_spent, rolling_won, tail_seq, tail_at)
    SELECT p_player, p_wallet, p_game, limits_day(p_at), sums.day_spent, sums.day_won, sums.week_spent,
        sums.week_won, sums.month_spent, sums.month_won, sums.rolling_spent, sums.rolling_won, tail,
        sums.first_at
    FROM limits_sums(p_player, p_wallet, p_game, limits_day(p_at), tail) sums
    ON CONFLICT (player_id, wallet_id, game_id) DO NOTHING;
END $$;

-- Leaves out of the last 24 hours what is older, each line once. A tail that lies far back is not walked
-- along: the last 24 hours are summed up anew.
CREATE OR REPLACE FUNCTION limits_forward(p_player uuid, p_wallet uuid, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    usage record;
    following record;
    past timestamptz := p_at - interval '24 hours';
    tail bigint;
BEGIN
    FOR usage IN
        SELECT game_id, day, tail_seq, tail_at FROM wallet_limitusage
        WHERE player_id = p_player AND wallet_id = p_wallet AND tail_at <= past
    LOOP
        IF usage.tail_at <= past - interval '24 hours' THEN
            tail := limits_seq_at(p_player, p_wallet, past);
            UPDATE wallet_limitusage kept
            SET rolling_spent = sums.rolling_spent, rolling_won = sums.rolling_won, tail_seq = tail,
                tail_at = sums.first_at
            FROM (SELECT coalesce(sum(spent), 0) AS rolling_spent, coalesce(sum(won), 0) AS rolling_won,
                      min(at) AS first_at
                  FROM limits_counted(p_player, p_wallet, tail, 9223372036854775807) counted
                  WHERE usage.game_id = limits_all_games() OR counted.game_id = usage.game_id) AS sums
            WHERE kept.player_id = p_player AND kept.wallet_id = p_wallet AND kept.game_id = usage.game_id;
            CONTINUE;
        END IF;
        SELECT seq, at INTO following FROM wallet_entry
        WHERE player_id = p_player AND wallet_id = p_wallet AND seq > usage.tail_seq AND at > past
        ORDER BY seq LIMIT 1;
        UPDATE wallet_limitusage kept
        SET rolling_spent = kept.rolling_spent - passed.spent, rolling_won = kept.rolling_won - passed.won,
            tail_seq = coalesce(following.seq - 1, passed.last_seq, kept.tail_seq), tail_at = following.at
        FROM (SELECT coalesce(sum(spent), 0) AS spent, coalesce(sum(won), 0) AS won, max(seq) AS last_seq
              FROM limits_counted(p_player, p_wallet, usage.tail_seq,
                                  coalesce(following.seq - 1, 9223372036854775807)) counted
              WHERE usage.game_id = limits_all_games() OR counted.game_id = usage.game_id) AS passed
        WHERE kept.player_id = p_player AND kept.wallet_id = p_wallet AND kept.game_id = usage.game_id;
    END LOOP;
END $$;

-- Counts what is spent or won now.
CREATE OR REPLACE FUNCTION limits_count(
    p_player uuid, p_wallet uuid, p_game uuid, p_spent bigint, p_won bigint, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    today date := limits_day(p_at);
    week date := limits_week(today);
    month date := limits_month(today);
BEGIN
    UPDATE wallet_limitusage
    SET day = greatest(day, today),
        day_spent = p_spent + CASE WHEN day >= today THEN day_spent ELSE 0 END,
        day_won = p_won + CASE WHEN day >= today THEN day_won ELSE 0 END,
        week_spent = p_spent + CASE WHEN day >= week THEN week_spent ELSE 0 END,
        week_won = p_won + CASE WHEN day >= week THEN week_won ELSE 0 END,
        month_spent = p_spent + CASE WHEN day >= month THEN month_spent ELSE 0 END,
        month_won = p_won + CASE WHEN day >= month THEN month_won ELSE 0 END,
        rolling_spent = rolling_spent + p_spent,
        rolling_won = rolling_won + p_won,
        tail_at = coalesce(tail_at, p_at)
    WHERE player_id = p_player AND wallet_id = p_wallet AND game_id IN (limits_all_games(), p_game);
    -- What is won was promised: it is never refused.
    IF NOT FOUND AND p_spent > 0 THEN
        RAISE EXCEPTION 'wallet % is limited, and nothing of it is counted', p_wallet;
    END IF;
END $$;

-- Takes back what was counted at p_at, by the wallet's line p_seq: of the periods that it still belongs to.
CREATE OR REPLACE FUNCTION limits_give_back(
    p_player uuid, p_wallet uuid, p_game uuid, p_spent bigint, p_won bigint, p_at timestamptz, p_seq bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    then_day date := limits_day(p_at);
BEGIN
    UPDATE wallet_limitusage
    SET day_spent = day_spent - CASE WHEN day = then_day THEN p_spent ELSE 0 END,
        day_won = day_won - CASE WHEN day = then_day THEN p_won ELSE 0 END,
        week_spent = week_spent - CASE WHEN limits_week(day) = limits_week(then_day) THEN p_spent ELSE 0 END,
        week_won = week_won - CASE WHEN limits_week(day) = limits_week(then_day) THEN p_won ELSE 0 END,
        month_spent = month_spent
            - CASE WHEN limits_month(day) = limits_month(then_day) THEN p_spent ELSE 0 END,
        month_won = month_won - CASE WHEN limits_month(day) = limits_month(then_day) THEN p_won ELSE 0 END,
        rolling_spent = rolling_spent - CASE WHEN p_seq > tail_seq THEN p_spent ELSE 0 END,
        rolling_won = rolling_won - CASE WHEN p_seq > tail_seq THEN p_won ELSE 0 END
    WHERE player_id = p_player AND wallet_id = p_wallet AND game_id IN (limits_all_games(), p_game);
END $$;

-- What a correction, which is being booked at p_at, counts or gives back.
CREATE OR REPLACE FUNCTION limits_correct(
    p_wallet uuid, settled wallet_transaction, p_booked text, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    spent bigint := CASE WHEN settled.type = 'withdrawal' THEN settled.amount ELSE 0 END;
    won bigint := CASE WHEN settled.type = 'deposit' THEN settled.amount ELSE 0 END;
    counted record;
BEGIN
    IF p_booked IN ('late_withdrawal', 'late_deposit') THEN
        PERFORM limits_count(settled.player_id, p_wallet, settled.game_id, spent, won, p_at);
        RETURN;
    END IF;
    SELECT settled.opened_at AS at, settled.opened_seq AS seq INTO counted;
    IF settled.state <> 'confirmed' THEN
        -- What was booked afterwards is taken back again.
        SELECT late.opened_at AS at, late.opened_seq AS seq INTO STRICT counted
        FROM wallet_discrepancy contradicted JOIN wallet_transaction late
            ON late.player_id = contradicted.player_id AND late.id = contradicted.correction_id
        WHERE contradicted.player_id = settled.player_id AND contradicted.transaction_id = settled.id
          AND contradicted.kind = 'confirm_of_returned';
    ELSIF settled.type = 'deposit' THEN
        SELECT settled.settled_at AS at, settled.settled_seq AS seq INTO counted;
    END IF;
    PERFORM limits_give_back(settled.player_id, p_wallet, settled.game_id, spent, won,
                             counted.at, counted.seq);
END $$;

-- --- Checking ------------------------------------------------------------------------------------------

-- Whether a withdrawal of p_amount would exceed a limit. What cannot be told is exceeded.
CREATE OR REPLACE FUNCTION limits_exceeded(
    p_player uuid, p_wallet uuid, p_game uuid, p_amount bigint, p_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    today date := limits_day(p_at);
    is_exceeded boolean;
    is_behind boolean;
BEGIN
    LOOP
        SELECT
            coalesce(bool_or(CASE bound.kind
                WHEN 'single' THEN p_amount > bound.most
                WHEN 'time' THEN limits_seconds(p_player, bound.game_id, p_at) >= bound.most * 60
                WHEN 'spend' THEN (p_amount + limits_used(
                    bound.period, today, usage.day, usage.day_spent, usage.week_spent, usage.month_spent,
                    usage.rolling_spent) <= bound.most) IS NOT TRUE
                ELSE (p_amount + limits_used(
                    bound.period, today, usage.day, usage.day_spent - usage.day_won,
                    usage.week_spent - usage.week_won, usage.month_spent - usage.month_won,
                    usage.rolling_spent - usage.rolling_won) <= bound.most) IS NOT TRUE
            END), false),
            coalesce(bool_or(bound.period = 'rolling' AND usage.tail_at <= p_at - interval '24 hours'), false)
        INTO STRICT is_exceeded, is_behind
        FROM (
            SELECT kind, period, game_id,
                limits_amount(amount, pending_amount, pending_at, needs_confirmation, p_at) AS most
            FROM wallet_playerlimit
            WHERE player_id = p_player AND wallet_id = p_wallet AND (game_id IS NULL OR game_id = p_game)
              AND kind IN ('spend', 'loss', 'single', 'time')
        ) AS bound
        LEFT JOIN wallet_limitusage usage
            ON usage.player_id = p_player AND usage.wallet_id = p_wallet
            AND usage.game_id = coalesce(bound.game_id, limits_all_games())
        WHERE bound.most IS NOT NULL;
        IF NOT is_behind THEN
            RETURN is_exceeded;
        END IF;
        PERFORM limits_forward(p_player, p_wallet, p_at);
    END LOOP;
END $$;
