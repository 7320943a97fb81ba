-- The answer to an opening whose id is known: the row "open" of contract 2.3, its second to last columns.
CREATE OR REPLACE FUNCTION ledger_known(
    answer ledger_answer, wallet wallet_wallet, known wallet_transaction, p_amount bigint, p_currency text
) RETURNS ledger_answer
LANGUAGE plpgsql AS $$
BEGIN
    IF known.wallet_id <> wallet.id THEN
        -- It was opened through a session in another currency: its own wallet is compared and answered.
        SELECT * INTO STRICT wallet FROM wallet_wallet
        WHERE player_id = known.player_id AND id = known.wallet_id;
        answer.balance := wallet.spendable;
        answer.currency_code := wallet.currency_id;
    END IF;
    answer.transaction_id := known.id;
    answer.outcome := CASE
        WHEN known.state IN ('rolled_back', 'expired') THEN 'already_' || known.state
        WHEN known.amount <> p_amount OR p_currency <> wallet.currency_id THEN 'other_content'
        WHEN known.state = 'declined' THEN known.refusal
        ELSE 'opened'
    END;
    IF answer.outcome IN ('opened', 'insufficient_funds', 'limit_reached') THEN
        answer.replayed := true;
        answer.balance := coalesce(
            known.opened_balance, ledger_balance_after(known.player_id, known.wallet_id, known.opened_seq));
    END IF;
    RETURN answer;
END $$;

-- A game opens a withdrawal (reserves) or a deposit (announces): the row "open" of contract 2.3.
--
-- In: p_type withdrawal or deposit; p_game the caller's game; p_token_hash the session; p_mm the game's own
--     id; p_amount in minor units and p_currency as the game named them; p_pending how long it may stay
--     unfinished; the rest says who asked, for the journal and the call log. p_player is for a distributed
--     database alone: the session's player, on whose machine the call runs.
-- Outcomes: opened; unknown_token, other_content, already_rolled_back, already_expired, insufficient_funds,
--     limit_reached, session_ended, foreign_currency, gaming_off, player_inactive, wallet_frozen;
--     maintenance, which is no answer: the call is to be made again later.
-- Raises unique_violation if the session was cleared away in the same instant: call it again.
-- One lock, the wallet's; everything that gates money is read after it.
CREATE OR REPLACE FUNCTION ledger_open(
    p_type text, p_game uuid, p_token_hash bytea, p_mm text, p_amount bigint, p_currency text,
    p_description text, p_pending interval, p_actor text, p_credential uuid, p_endpoint text, p_address inet,
    p_elapsed_us integer, p_player uuid DEFAULT NULL
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    began timestamptz := wallet_now();
    answer ledger_answer;
    session record;
    wallet wallet_wallet;
    bounds wallet_payoutlimit;
    known wallet_transaction;
    moment timestamptz;
    due timestamptz;
    refusal text;
    event text;
    is_logged boolean;
BEGIN
    -- Without an end it would never be due, and nobody would ask what became of it.
    IF (p_type IN ('withdrawal', 'deposit') AND p_amount BETWEEN 1 AND wallet_largest_amount()
        AND p_pending >= interval '0') IS NOT TRUE THEN
        PERFORM ledger_refuse(
            'ledger_open', format('type %L with an amount of %L for %L', p_type, p_amount, p_pending));
    END IF;
    answer.outcome := 'unknown_token';
    answer.replayed := false;
    <<decide>>
    BEGIN
        SELECT id, is_kept, player_id, currency_code INTO session
        FROM players_gamesession WHERE token_hash = p_token_hash AND game_id = p_game;
        EXIT decide WHEN NOT FOUND;
        SELECT * INTO wallet FROM wallet_wallet
        WHERE player_id = session.player_id AND currency_id = session.currency_code FOR NO KEY UPDATE;
        EXIT decide WHEN NOT FOUND;

        -- A statement of its own, after the lock: what gates money is what the ones before us committed.
        -- The order of refusals is the contract's (section 1).
        moment := wallet_now();
        SELECT CASE
            WHEN EXISTS (SELECT FROM players_platformswitch WHERE name = 'openings' AND NOT is_active)
                THEN 'maintenance'
            WHEN p_type = 'withdrawal'
                AND (game_session.ended_at IS NOT NULL OR game_session.expires_at <= moment)
                THEN 'session_ended'
            WHEN p_currency <> wallet.currency_id THEN 'foreign_currency'
            WHEN p_type = 'withdrawal'
                AND (NOT game.is_active
                     OR EXISTS (SELECT FROM players_platformswitch WHERE name = 'gaming' AND NOT is_active))
                THEN 'gaming_off'
            WHEN p_type = 'withdrawal' AND player.status <> 'active' THEN 'player_inactive'
            WHEN p_type = 'withdrawal' AND wallet.frozen_at IS NOT NULL THEN 'wallet_frozen'
            WHEN p_type = 'withdrawal' AND p_amount > wallet.withdrawal_limit THEN 'limit_reached'
            WHEN p_type = 'withdrawal' AND p_amount > wallet.spendable THEN 'insufficient_funds'
            -- Checked when announced, so that the confirmation can never fail for it.
            WHEN p_type = 'deposit'
                AND wallet.spendable + wallet.reserved + wallet.announced + p_amount >= wallet_bound()
                THEN 'limit_reached'
            ELSE 'opened'
        END INTO answer.outcome
        FROM players_gamesession game_session
        JOIN players_player player ON player.id = game_session.player_id
        JOIN players_game game ON game.id = game_session.game_id
        WHERE game_session.id = session.id;
        IF NOT FOUND THEN
            -- Old, named by no transaction, and cleared away just now.
            answer.outcome := 'unknown_token';
            EXIT decide;
        END IF;
        IF wallet.limited_at IS NOT NULL AND p_type = 'withdrawal'
           AND answer.outcome IN ('opened', 'insufficient_funds')
           AND limits_exceeded(wallet.player_id, wallet.id, p_game, p_amount, moment) THEN
            answer.outcome := 'limit_reached';
        END IF;
        IF p_type = 'deposit' AND answer.outcome = 'opened' THEN
            SELECT * INTO bounds FROM wallet_payoutlimit
            WHERE game_id = p_game AND currency_id = wallet.currency_id;
            IF FOUND THEN
                answer.outcome := payout_announce(wallet, bounds, p_mm, p_amount, moment);
            END IF;
        END IF;

        IF answer.outcome = 'opened' THEN
            event := 'opened';
            refusal := '';
            due := moment + p_pending;
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount,
                refusal, description, source, actor, opened_at, opened_seq, opened_balance, due_at,
                settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), wallet.player_id, wallet.id, p_game, session.id, p_type, p_mm, 'pending',
                p_amount, '', p_description, 'game', p_actor, moment, wallet.entry_count + 1,
                CASE p_type WHEN 'withdrawal' THEN wallet.spendable - p_amount ELSE wallet.spendable END, due,
                '', '', '')
            ON CONFLICT (player_id, game_id, type, mm_transaction_id) DO NOTHING
            RETURNING id INTO answer.transaction_id;
        ELSIF answer.outcome IN ('insufficient_funds', 'limit_reached') THEN
            -- Refused for money: remembered under its id, so that a retry cannot succeed by accident.
            event := 'declined';
            refusal := answer.outcome;
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount,
                refusal, description, source, actor, opened_at, opened_seq, opened_balance, settled_at,
                settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), wallet.player_id, wallet.id, p_game, session.id, p_type, p_mm, 'declined',
                p_amount, refusal, p_description, 'game', p_actor, moment, wallet.entry_count + 1,
                wallet.spendable, moment, '', '', '')
            ON CONFLICT (player_id, game_id, type, mm_transaction_id) DO NOTHING
            RETURNING id INTO answer.transaction_id;
        END IF;

        IF answer.transaction_id IS NULL THEN
            -- Refused without being remembered, or known: a known id is answered first, whatever else
            -- would refuse it.
            answer.player_id := wallet.player_id;
            answer.balance := wallet.spendable;
            answer.currency_code := wallet.currency_id;
            SELECT * INTO known FROM wallet_transaction
            WHERE player_id = wallet.player_id AND game_id = p_game AND type = p_type
              AND mm_transaction_id = p_mm;
            IF FOUND THEN
                answer := ledger_known(answer, wallet, known, p_amount, p_currency);
            END IF;
            EXIT decide;
        END IF;

        IF NOT session.is_kept THEN
            UPDATE players_gamesession SET is_kept = true WHERE id = session.id;
            IF NOT FOUND THEN
                -- Nothing may name it any more: the same call again finds the token unknown.
                RAISE unique_violation USING MESSAGE = 'the session was cleared away meanwhile';
            END IF;
        END IF;
        IF wallet.limited_at IS NOT NULL AND p_type = 'withdrawal' AND event = 'opened' THEN
            PERFORM limits_count(wallet.player_id, wallet.id, p_game, p_amount, 0, moment);
        END IF;
        wallet := ledger_append(
            wallet, answer.transaction_id, event, ledger_legs(p_type, event), p_amount, p_actor, '', moment,
            ledger_opening(p_type, p_game, session.id, p_mm, p_amount, refusal, p_description, 'game',
                           NULL, due, NULL));
        answer := ROW(answer.outcome, false, wallet.player_id, answer.transaction_id,
                      wallet.spendable, wallet.currency_id);
    END;
    is_logged := call_log_write(began, p_game, answer.player_id, answer.transaction_id, p_credential,
                                p_endpoint, p_mm, p_amount, p_currency, p_address,
                                answer.outcome, answer.replayed, p_elapsed_us);
    RETURN answer;
END $$;
