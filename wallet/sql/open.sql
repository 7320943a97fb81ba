-- The answer to an opening whose id is known: the row "open" of contract 2.3, its second to last columns.
CREATE OR REPLACE FUNCTION ledger_known(a ledger_answer, w wallet_wallet, t wallet_transaction, p_amount bigint, p_currency text) RETURNS ledger_answer
LANGUAGE plpgsql AS $$
BEGIN
    IF t.wallet_id <> w.id THEN
        -- It was opened through a session in another currency: its own wallet is what is compared and answered.
        SELECT * INTO STRICT w FROM wallet_wallet WHERE id = t.wallet_id;
        a.balance := w.spendable;
        a.currency_code := w.currency_id;
    END IF;
    a.transaction_id := t.id;
    a.outcome := CASE
        WHEN t.state IN ('rolled_back', 'expired') THEN 'already_' || t.state
        WHEN t.amount <> p_amount OR p_currency <> w.currency_id THEN 'other_content'
        WHEN t.state = 'declined' THEN t.refusal
        ELSE 'opened'
    END;
    IF a.outcome IN ('opened', 'insufficient_funds', 'limit_reached') THEN
        a.replayed := true;
        SELECT e.spendable INTO STRICT a.balance FROM wallet_entry e
        WHERE e.player_id = w.player_id AND e.wallet_id = w.id AND e.seq = t.opened_seq;
    END IF;
    RETURN a;
END $$;

-- A game opens a withdrawal (reserves) or a deposit (announces): the row "open" of contract 2.3.
--
-- In: p_type withdrawal or deposit; p_game the caller's game; p_token_hash the session; p_mm the game's own id;
--     p_amount in minor units and p_currency as the game named them; p_pending how long it may stay unfinished;
--     the rest says who asked, for the journal and the call log.
-- Outcomes: opened; unknown_token, other_content, already_rolled_back, already_expired, insufficient_funds, limit_reached,
--     session_ended, foreign_currency, player_inactive, wallet_frozen.
-- Raises unique_violation where the session was cleared away in the same instant: call it again.
-- One lock, the wallet's; everything that gates money is read after it.
CREATE OR REPLACE FUNCTION ledger_open(
    p_type text, p_game uuid, p_token_hash bytea, p_mm text, p_amount bigint, p_currency text, p_description text, p_pending interval,
    p_actor text, p_credential uuid, p_endpoint text, p_address inet, p_elapsed_us integer
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    began timestamptz := wallet_now();
    a ledger_answer;
    s record;
    w wallet_wallet;
    t wallet_transaction;
    at timestamptz;
    due timestamptz;
    refusal text;
BEGIN
    a.outcome := 'unknown_token';
    a.replayed := false;
    <<decide>>
    BEGIN
        SELECT s0.id, s0.is_kept, w0 AS wallet INTO s
        FROM players_gamesession s0
        JOIN wallet_wallet w0 ON w0.player_id = s0.player_id AND w0.currency_id = s0.currency_code
        WHERE s0.token_hash = p_token_hash AND s0.game_id = p_game
        FOR NO KEY UPDATE OF w0;
        EXIT decide WHEN NOT FOUND;
        w := s.wallet;

        -- A statement of its own, after the lock: what gates money is what the ones before us committed.
        -- The order of refusals is the contract's (section 1).
        at := wallet_now();
        due := at + p_pending;
        SELECT CASE
            WHEN p_type = 'withdrawal' AND (s0.ended_at IS NOT NULL OR s0.expires_at <= at) THEN 'session_ended'
            WHEN p_currency <> w.currency_id THEN 'foreign_currency'
            WHEN p_type = 'withdrawal' AND p.status <> 'active' THEN 'player_inactive'
            WHEN p_type = 'withdrawal' AND w.frozen_at IS NOT NULL THEN 'wallet_frozen'
            WHEN p_type = 'withdrawal' AND p_amount > w.withdrawal_limit THEN 'limit_reached'
            WHEN p_type = 'withdrawal' AND p_amount > w.spendable THEN 'insufficient_funds'
            -- Checked when announced, so that the confirmation can never fail for it.
            WHEN p_type = 'deposit' AND w.spendable + w.reserved + w.announced + p_amount >= 1000000000000000000 THEN 'limit_reached'
            ELSE 'opened'
        END INTO a.outcome
        FROM players_gamesession s0 JOIN players_player p ON p.id = s0.player_id
        WHERE s0.id = s.id;
        IF NOT FOUND THEN
            -- Old, named by no transaction, and cleared away just now.
            a.outcome := 'unknown_token';
            EXIT decide;
        END IF;

        IF a.outcome = 'opened' THEN
            refusal := '';
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount, refusal, description,
                source, actor, opened_at, opened_seq, due_at, settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), w.player_id, w.id, p_game, s.id, p_type, p_mm, 'pending', p_amount, '', p_description,
                'game', p_actor, at, w.entry_count + 1, due, '', '', '')
            ON CONFLICT (player_id, game_id, type, mm_transaction_id) DO NOTHING
            RETURNING id INTO a.transaction_id;
        ELSIF a.outcome IN ('insufficient_funds', 'limit_reached') THEN
            -- Refused for money: remembered under its id, so that a retry cannot succeed by accident.
            refusal := a.outcome;
            due := NULL;
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount, refusal, description,
                source, actor, opened_at, opened_seq, settled_at, settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), w.player_id, w.id, p_game, s.id, p_type, p_mm, 'declined', p_amount, refusal, p_description,
                'game', p_actor, at, w.entry_count + 1, at, '', '', '')
            ON CONFLICT (player_id, game_id, type, mm_transaction_id) DO NOTHING
            RETURNING id INTO a.transaction_id;
        END IF;

        IF a.transaction_id IS NULL THEN
            -- Refused without being remembered, or known: a known id is answered first, whatever else would refuse it.
            a.player_id := w.player_id;
            a.balance := w.spendable;
            a.currency_code := w.currency_id;
            SELECT * INTO t FROM wallet_transaction
            WHERE player_id = w.player_id AND game_id = p_game AND type = p_type AND mm_transaction_id = p_mm;
            IF FOUND THEN
                a := ledger_known(a, w, t, p_amount, p_currency);
            END IF;
            EXIT decide;
        END IF;

        IF NOT s.is_kept THEN
            UPDATE players_gamesession SET is_kept = true WHERE id = s.id;
            IF NOT FOUND THEN
                -- Nothing may name it any more: the same call again finds the token unknown.
                RAISE unique_violation USING MESSAGE = 'the session was cleared away meanwhile';
            END IF;
        END IF;
        w := ledger_append(w, a.transaction_id,
            CASE refusal WHEN '' THEN 'opened' ELSE 'declined' END,
            CASE WHEN refusal = '' AND p_type = 'withdrawal' THEN 'spendable' END,
            CASE WHEN refusal = '' AND p_type = 'withdrawal' THEN 'reserved' END,
            p_amount,
            CASE WHEN refusal = '' AND p_type = 'deposit' THEN p_amount ELSE 0 END,
            p_actor, '', at, ledger_opening(p_type, p_game, s.id, p_mm, p_amount, refusal, p_description, 'game', NULL, due));
        a := ROW(a.outcome, false, w.player_id, a.transaction_id, w.spendable, w.currency_id);
    END;
    INSERT INTO wallet_apicall (id, at, game_id, player_id, transaction_id, credential, endpoint, mm_transaction_id,
                                amount, currency_code, address, outcome, replayed, took_us)
    VALUES (wallet_new_id(), began, p_game, a.player_id, a.transaction_id, p_credential, p_endpoint, p_mm,
            p_amount, coalesce(p_currency, ''), p_address, a.outcome, a.replayed,
            p_elapsed_us + (extract(epoch FROM wallet_now() - began) * 1000000)::integer);
    RETURN a;
END $$;
