-- A game's bounds: its largest deposit, and what it may pay out net in a day (UTC) and currency
-- (contract 2.5).
--
-- Net payout of a day: deposits announced that day, less those of them that were rolled back or expired, less
-- withdrawals confirmed that day. It is counted while there is a bound, in several counters for each day:
-- whoever counts takes one that nobody else works on, so that no row is everybody's. One counter is filled
-- up to its share of the bound; what is left beyond that takes all counters' locks. So the sum never exceeds
-- the bound.

CREATE OR REPLACE FUNCTION payout_counters() RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT 16 $$;

-- The day that a moment belongs to.
CREATE OR REPLACE FUNCTION payout_day(p_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT (p_at AT TIME ZONE 'UTC')::date $$;

-- Adds p_amount to a counter that nobody else works on and that is at most p_most then (NULL: whatever it
-- is). Returns whether there is one.
CREATE OR REPLACE FUNCTION payout_count(
    p_game uuid, p_currency text, p_day date, p_amount bigint, p_most bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    chosen smallint;
BEGIN
    SELECT number INTO chosen FROM wallet_payoutcounter
    WHERE game_id = p_game AND currency_id = p_currency AND day = p_day
      AND (p_most IS NULL OR net + p_amount <= p_most)
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE wallet_payoutcounter SET net = net + p_amount
    WHERE game_id = p_game AND currency_id = p_currency AND day = p_day AND number = chosen;
    RETURN true;
END $$;

-- Adds p_amount and spreads the whole evenly over the counters, which are made if there are none.
-- Waits for whoever works on any of them. Returns false, and changes no counter, if the whole would exceed
-- p_bound (NULL: none).
CREATE OR REPLACE FUNCTION payout_spread(
    p_game uuid, p_currency text, p_day date, p_amount bigint, p_bound bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    whole numeric;
BEGIN
    INSERT INTO wallet_payoutcounter (game_id, currency_id, day, number, net)
    SELECT p_game, p_currency, p_day, number, 0 FROM generate_series(0, payout_counters() - 1) AS number
    ON CONFLICT DO NOTHING;
    PERFORM FROM wallet_payoutcounter
    WHERE game_id = p_game AND currency_id = p_currency AND day = p_day
    ORDER BY number FOR UPDATE;
    SELECT sum(net) + p_amount INTO STRICT whole FROM wallet_payoutcounter
    WHERE game_id = p_game AND currency_id = p_currency AND day = p_day;
    IF whole > p_bound THEN
        RETURN false;
    END IF;
    UPDATE wallet_payoutcounter
    SET net = div(whole, payout_counters())
        + CASE WHEN number < abs(mod(whole, payout_counters())) THEN sign(whole) ELSE 0 END
    WHERE game_id = p_game AND currency_id = p_currency AND day = p_day;
    RETURN true;
END $$;

-- Whether a new deposit is within the game's bounds, and if so counts it.
-- Before: the caller holds the lock on the wallet's row.
-- Outcomes: opened, limit_reached; for a known id one of them, and nothing is counted.
CREATE OR REPLACE FUNCTION payout_announce(
    wallet wallet_wallet, bounds wallet_payoutlimit, p_mm text, p_amount bigint, p_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    today date := payout_day(p_at);
    share bigint := bounds.daily_payout / payout_counters();
BEGIN
    IF p_amount > bounds.largest_deposit THEN
        RETURN 'limit_reached';
    END IF;
    IF bounds.daily_payout IS NULL
       OR EXISTS (SELECT FROM wallet_transaction
                  WHERE player_id = wallet.player_id AND game_id = bounds.game_id AND type = 'deposit'
                    AND mm_transaction_id = p_mm) THEN
        RETURN 'opened';
    END IF;
    IF payout_count(bounds.game_id, bounds.currency_id, today, p_amount, share) THEN
        RETURN 'opened';
    END IF;
    -- Whoever has not committed yet has paid nothing yet. So those that are refused wait for nobody.
    IF (SELECT sum(net) + p_amount > bounds.daily_payout FROM wallet_payoutcounter
        WHERE game_id = bounds.game_id AND currency_id = bounds.currency_id AND day = today) THEN
        RETURN 'limit_reached';
    END IF;
    RETURN CASE WHEN payout_spread(bounds.game_id, bounds.currency_id, today, p_amount, bounds.daily_payout)
        THEN 'opened' ELSE 'limit_reached' END;
END $$;

-- Takes off the day's net payout what a transaction of a game that has a daily bound took in or gave back: a
-- confirmed withdrawal, or a deposit that was announced the same day and is rolled back or expired.
CREATE OR REPLACE FUNCTION payout_return(
    p_player uuid, p_transaction uuid, p_currency text, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    settled wallet_transaction;
    since timestamptz;
    today date := payout_day(p_at);
BEGIN
    SELECT * INTO STRICT settled FROM wallet_transaction WHERE player_id = p_player AND id = p_transaction;
    SELECT counting_since INTO STRICT since FROM wallet_payoutlimit
    WHERE game_id = settled.game_id AND currency_id = p_currency;
    -- A deposit that was announced while the bound was being set may not have been counted.
    IF settled.type = 'deposit'
       AND (payout_day(settled.opened_at) <> today OR settled.opened_at < since + interval '1 minute') THEN
        RETURN;
    END IF;
    IF payout_count(settled.game_id, p_currency, today, -settled.amount, NULL) THEN
        RETURN;
    END IF;
    -- All are busy: this waits for one.
    UPDATE wallet_payoutcounter SET net = net - settled.amount
    WHERE game_id = settled.game_id AND currency_id = p_currency AND day = today
      AND number = pg_backend_pid() % payout_counters();
    IF NOT FOUND THEN
        PERFORM payout_spread(settled.game_id, p_currency, today, -settled.amount, NULL);
    END IF;
END $$;

-- From when on the net payout is counted: since there has been a daily bound.
CREATE OR REPLACE FUNCTION payout_limit_counts() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.counting_since := CASE
        WHEN NEW.daily_payout IS NULL THEN NULL
        WHEN TG_OP = 'UPDATE' AND OLD.daily_payout IS NOT NULL THEN OLD.counting_since
        ELSE wallet_now()
    END;
    RETURN NEW;
END $$;

-- Another bound means other shares: each counter must be within its own.
CREATE OR REPLACE FUNCTION payout_limit_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM payout_spread(NEW.game_id, NEW.currency_id, payout_day(wallet_now()), 0, NULL);
    RETURN NEW;
END $$;
