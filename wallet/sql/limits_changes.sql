-- How a player's limits are changed and read, counted anew, and compared with the journal.

-- From when on a raise or a removal counts, by the platform's profile: 24h, 7d, or the end of the period.
CREATE OR REPLACE FUNCTION limits_delayed(p_profile text, p_period text, p_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_profile = '24h' OR (p_profile = 'period' AND p_period = 'rolling')
            THEN p_at + interval '24 hours'
        WHEN p_profile = '7d' THEN p_at + interval '168 hours'
        WHEN p_period = 'week' THEN limits_midnight(limits_week(limits_day(p_at)) + 7)
        WHEN p_period = 'month' THEN
            limits_midnight((limits_month(limits_day(p_at)) + interval '1 month')::date)
        ELSE limits_midnight(limits_day(p_at) + 1)
    END
$$;

-- Since when a limit counts at a moment; NULL if it has no period.
CREATE OR REPLACE FUNCTION limits_since(p_period text, p_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE p_period
        WHEN 'day' THEN limits_midnight(limits_day(p_at))
        WHEN 'week' THEN limits_midnight(limits_week(limits_day(p_at)))
        WHEN 'month' THEN limits_midnight(limits_month(limits_day(p_at)))
        WHEN 'rolling' THEN p_at - interval '24 hours'
    END
$$;

-- Whether the second bound leaves more room than the first one; NULL is no bound.
CREATE OR REPLACE FUNCTION limits_is_looser(p_old bigint, p_new bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_old IS NOT NULL AND (p_new IS NULL OR p_new > p_old) $$;

-- A limit is set, removed, confirmed, or what waits is taken back. The wallet must be there.
--
-- In: p_game NULL for all games; p_set_by player or operator, whose limit it is; p_act set (to p_amount minor
--     units, or minutes), remove, confirm or cancel; p_profile 24h, 7d or period; p_is_approved whether two
--     people have agreed (wallet/approvals).
-- Outcomes: set, removed, requested (it counts later), confirmed, cancelled; unchanged, not_found, too_early,
--     too_many, takes_two, wallet_not_found.
-- What is stricter counts at once, and takes back what waits. A player's limit is loosened after the
-- profile's delay; an operator's at once, if two people have agreed.
CREATE OR REPLACE FUNCTION ledger_change_limit(
    p_player uuid, p_currency text, p_game uuid, p_kind text, p_period text, p_set_by text, p_act text,
    p_amount bigint, p_profile text, p_actor text, p_reason text, p_is_approved boolean DEFAULT false
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wallet wallet_wallet;
    known wallet_playerlimit;
    wanted wallet_playerlimit;
    moment timestamptz;
    done text;
    change uuid;
BEGIN
    IF (p_act IN ('set', 'remove', 'confirm', 'cancel') AND p_set_by IN ('player', 'operator')
        AND p_profile IN ('24h', '7d', 'period') AND (p_act = 'set') = (p_amount IS NOT NULL)
        AND (p_amount IS NULL OR p_amount BETWEEN 1 AND wallet_largest_amount())) IS NOT TRUE THEN
        PERFORM ledger_refuse(
            'ledger_change_limit', format('act %L of %L to %L by %L', p_act, p_set_by, p_amount, p_profile));
    END IF;
    -- The wallet's own column has that one (ledger_gate).
    IF p_set_by = 'operator' AND p_kind = 'single' AND p_game IS NULL THEN
        PERFORM ledger_refuse('ledger_change_limit', 'largest withdrawal of an operator''s');
    END IF;
    SELECT * INTO wallet FROM wallet_wallet
    WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'wallet_not_found';
    END IF;
    moment := wallet_now();
    SELECT * INTO known FROM wallet_playerlimit
    WHERE player_id = p_player AND wallet_id = wallet.id AND game_id IS NOT DISTINCT FROM p_game
      AND kind = p_kind AND period = p_period AND set_by = p_set_by;
    known.amount := limits_amount(
        known.amount, known.pending_amount, known.pending_at, known.needs_confirmation, moment);
    IF known.pending_at <= moment AND NOT known.needs_confirmation THEN
        known.pending_at := NULL;
    END IF;
    IF p_set_by = 'operator' AND p_act IN ('set', 'remove') AND p_is_approved IS NOT TRUE
        AND limits_is_looser(known.amount, p_amount) THEN
        RETURN 'takes_two';
    END IF;
    wanted := known;
    wanted.pending_at := NULL;
    IF p_act = 'set' AND (known.amount IS NULL OR p_amount <= known.amount OR p_set_by = 'operator') THEN
        wanted.amount := p_amount;
        done := CASE WHEN known.amount = p_amount AND known.pending_at IS NULL THEN 'unchanged'
            ELSE 'set' END;
    ELSIF p_act = 'remove' AND known.amount IS NULL THEN
        done := 'not_found';
    ELSIF p_act = 'remove' AND p_set_by = 'operator' THEN
        wanted.amount := NULL;
        done := 'removed';
    ELSIF p_act IN ('set', 'remove') THEN
        wanted.pending_amount := p_amount;
        wanted.pending_at := limits_delayed(p_profile, p_period, moment);
        wanted.needs_confirmation := p_profile = 'period';
        done := 'requested';
    ELSIF known.id IS NULL THEN
        done := 'not_found';
    ELSIF known.pending_at IS NULL OR (p_act = 'confirm' AND NOT known.needs_confirmation) THEN
        done := 'unchanged';
    ELSIF p_act = 'cancel' THEN
        done := 'cancelled';
    ELSIF known.pending_at > moment THEN
        done := 'too_early';
    ELSE
        wanted.amount := known.pending_amount;
        done := 'confirmed';
    END IF;
    IF done IN ('unchanged', 'not_found', 'too_early') THEN
        RETURN done;
    END IF;
    IF wanted.pending_at IS NULL THEN
        wanted.pending_amount := NULL;
        wanted.needs_confirmation := false;
    END IF;

    IF known.id IS NULL THEN
        IF (SELECT count(*) >= 200 FROM wallet_playerlimit
            WHERE player_id = p_player AND wallet_id = wallet.id) THEN
            RETURN 'too_many';
        END IF;
        INSERT INTO wallet_playerlimit (
            id, player_id, wallet_id, game_id, kind, period, set_by, amount, needs_confirmation, changed_at)
        VALUES (wallet_new_id(), p_player, wallet.id, p_game, p_kind, p_period, p_set_by, wanted.amount,
                false, moment)
        RETURNING id INTO wanted.id;
    ELSE
        UPDATE wallet_playerlimit
        SET amount = wanted.amount, pending_amount = wanted.pending_amount, pending_at = wanted.pending_at,
            needs_confirmation = wanted.needs_confirmation, changed_at = moment
        WHERE player_id = p_player AND id = known.id;
    END IF;
    INSERT INTO wallet_limitchange (
        id, player_id, wallet_id, limit_id, what, old_amount, new_amount, counts_at, actor, reason, at)
    VALUES (wallet_new_id(), p_player, wallet.id, wanted.id, done,
            CASE WHEN done = 'cancelled' THEN known.pending_amount ELSE known.amount END,
            CASE WHEN done = 'requested' THEN wanted.pending_amount ELSE wanted.amount END,
            CASE WHEN done = 'cancelled' THEN NULL ELSE coalesce(wanted.pending_at, moment) END,
            p_actor, p_reason, moment)
    RETURNING id INTO change;
    PERFORM event_note('limit', p_player, change, NULL, moment);
    IF wallet.limited_at IS NULL THEN
        UPDATE wallet_wallet SET limited_at = moment WHERE player_id = p_player AND id = wallet.id;
    END IF;
    PERFORM limits_begin(p_player, wallet.id, limits_all_games(), moment);
    IF p_game IS NOT NULL THEN
        PERFORM limits_begin(p_player, wallet.id, p_game, moment);
    END IF;
    RETURN done;
END $$;

-- A wallet's limits as they are now, and what is used of each: minor units, or seconds of time; NULL where
-- the journal does not say it. It locks and changes nothing.
CREATE OR REPLACE FUNCTION ledger_limits(p_player uuid, p_currency text)
RETURNS TABLE (
    limit_id uuid, game_id uuid, kind text, period text, set_by text, amount bigint, pending_amount bigint,
    pending_at timestamptz, needs_confirmation boolean, since timestamptz, used numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT bound.id, bound.game_id, bound.kind, bound.period, bound.set_by,
        limits_amount(
            bound.amount, bound.pending_amount, bound.pending_at, bound.needs_confirmation, asked.at),
        CASE WHEN waits.yes THEN bound.pending_amount END,
        CASE WHEN waits.yes THEN bound.pending_at END,
        waits.yes AND bound.needs_confirmation,
        limits_since(bound.period, asked.at),
        CASE
            WHEN bound.kind = 'time' THEN limits_seconds(bound.player_id, bound.game_id, asked.at)
            WHEN bound.kind NOT IN ('spend', 'loss') THEN NULL
            WHEN bound.period = 'rolling' THEN (
                SELECT coalesce(sum(spent - CASE WHEN bound.kind = 'loss' THEN won ELSE 0 END)
                           FILTER (WHERE spent > 0 OR bound.kind = 'loss'), 0)
                FROM limits_counted(
                    bound.player_id, bound.wallet_id,
                    limits_seq_at(bound.player_id, bound.wallet_id, asked.at - interval '24 hours'),
                    9223372036854775807) counted
                WHERE bound.game_id IS NULL OR counted.game_id = bound.game_id)
            WHEN bound.kind = 'spend' THEN limits_used(
                bound.period, limits_day(asked.at), usage.day, usage.day_spent, usage.week_spent,
                usage.month_spent, 0)
            ELSE limits_used(
                bound.period, limits_day(asked.at), usage.day, usage.day_spent - usage.day_won,
                usage.week_spent - usage.week_won, usage.month_spent - usage.month_won, 0)
        END
    FROM wallet_playerlimit bound
    JOIN wallet_wallet wallet ON wallet.player_id = bound.player_id AND wallet.id = bound.wallet_id
    CROSS JOIN (SELECT wallet_now() AS at) AS asked
    CROSS JOIN LATERAL (
        SELECT bound.pending_at IS NOT NULL
            AND NOT (bound.pending_at <= asked.at AND NOT bound.needs_confirmation) AS yes
    ) AS waits
    LEFT JOIN wallet_limitusage usage
        ON usage.player_id = bound.player_id AND usage.wallet_id = bound.wallet_id
        AND usage.game_id = coalesce(bound.game_id, limits_all_games())
    WHERE bound.player_id = p_player AND wallet.currency_id = p_currency
      AND (waits.yes OR limits_amount(bound.amount, bound.pending_amount, bound.pending_at,
                                      bound.needs_confirmation, asked.at) IS NOT NULL)
    ORDER BY bound.kind, bound.period, bound.game_id NULLS FIRST, bound.set_by
$$;

-- Counts anew what belongs to days, weeks and months, because the platform's zone is another one now.
CREATE OR REPLACE FUNCTION limits_recount() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    counted record;
BEGIN
    FOR counted IN
        SELECT player_id, wallet_id, game_id FROM wallet_limitusage ORDER BY wallet_id, game_id
    LOOP
        PERFORM FROM wallet_wallet WHERE player_id = counted.player_id AND id = counted.wallet_id
        FOR NO KEY UPDATE;
        DELETE FROM wallet_limitusage WHERE player_id = counted.player_id AND wallet_id = counted.wallet_id
            AND game_id = counted.game_id;
        PERFORM limits_begin(counted.player_id, counted.wallet_id, counted.game_id, wallet_now());
    END LOOP;
END $$;

-- For the audit: of which wallets and games something else was counted than the journal says. What no limit
-- looks at any more, because its month is over, or because it is summed up anew when it is, is left out.
CREATE OR REPLACE FUNCTION ledger_limit_differences() RETURNS TABLE (wallet uuid, game uuid, what text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    counted wallet_limitusage;
    sums record;
    tail bigint;
    month date := limits_month(limits_day(wallet_now()));
BEGIN
    FOR counted IN SELECT * FROM wallet_limitusage WHERE day >= month - 7 ORDER BY wallet_id, game_id LOOP
        tail := CASE WHEN coalesce(counted.tail_at > wallet_now() - interval '31 days', true)
            THEN counted.tail_seq END;
        SELECT * INTO STRICT sums FROM limits_sums(
            counted.player_id, counted.wallet_id, counted.game_id, counted.day, tail);
        what := concat_ws(', ',
            CASE WHEN (counted.day_spent, counted.day_won) <> (sums.day_spent, sums.day_won)
                THEN 'day' END,
            CASE WHEN (counted.week_spent, counted.week_won) <> (sums.week_spent, sums.week_won)
                THEN 'week' END,
            CASE WHEN (counted.month_spent, counted.month_won) <> (sums.month_spent, sums.month_won)
                THEN 'month' END,
            CASE WHEN tail IS NOT NULL
                AND (counted.rolling_spent, counted.rolling_won) <> (sums.rolling_spent, sums.rolling_won)
                THEN '24 hours' END);
        IF what <> '' THEN
            wallet := counted.wallet_id;
            game := counted.game_id;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
