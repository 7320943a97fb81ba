-- A word of the game or of the platform that contradicts what the other one settled; once per transaction, with a count.
CREATE OR REPLACE FUNCTION ledger_note_discrepancy(p_player uuid, p_transaction uuid, p_kind text, p_at timestamptz) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO wallet_discrepancy AS d (id, player_id, transaction_id, kind, first_seen_at, last_seen_at, times_seen)
    VALUES (wallet_new_id(), p_player, p_transaction, p_kind, p_at, p_at, 1)
    ON CONFLICT (player_id, transaction_id, kind) DO UPDATE SET last_seen_at = p_at, times_seen = d.times_seen + 1
$$;

-- A game confirms or rolls back: the other rows of contract 2.3.
--
-- In: p_event confirmed or rolled_back; p_amount and p_currency as the game repeats them in a confirmation, or NULL;
--     p_reason the game's words for a rollback; the others as in ledger_open.
-- Outcomes: confirmed or rolled_back (which is success, for the tombstone too); unknown_token, not_found,
--     other_content, already_confirmed, already_rolled_back, already_expired.
-- Raises unique_violation as ledger_open does.
CREATE OR REPLACE FUNCTION ledger_settle(
    p_event text, p_type text, p_game uuid, p_token_hash bytea, p_mm text, p_amount bigint, p_currency text, p_reason text,
    p_actor text, p_credential uuid, p_endpoint text, p_address inet, p_elapsed_us integer
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    began timestamptz := wallet_now();
    a ledger_answer;
    s record;
    w wallet_wallet;
    t wallet_transaction;
    now timestamptz;
BEGIN
    a.outcome := 'unknown_token';
    a.replayed := false;
    <<decide>>
    BEGIN
        -- Which wallet to lock: the transaction's, where there is one (it may be in another currency than this session's).
        SELECT s0.id, s0.is_kept, s0.player_id, s0.currency_code, t0.wallet_id INTO s
        FROM players_gamesession s0
        LEFT JOIN wallet_transaction t0
            ON t0.player_id = s0.player_id AND t0.game_id = s0.game_id AND t0.type = p_type AND t0.mm_transaction_id = p_mm
        WHERE s0.token_hash = p_token_hash AND s0.game_id = p_game;
        EXIT decide WHEN NOT FOUND;
        IF s.wallet_id IS NULL THEN
            SELECT * INTO STRICT w FROM wallet_wallet WHERE player_id = s.player_id AND currency_id = s.currency_code FOR NO KEY UPDATE;
        ELSE
            SELECT * INTO STRICT w FROM wallet_wallet WHERE id = s.wallet_id FOR NO KEY UPDATE;
        END IF;
        now := wallet_now();
        a.player_id := w.player_id;
        a.currency_code := w.currency_id;
        a.balance := w.spendable;

        -- A statement of its own, after the lock: it sees what the one before us committed.
        SELECT * INTO t FROM wallet_transaction
        WHERE player_id = w.player_id AND game_id = p_game AND type = p_type AND mm_transaction_id = p_mm;
        IF NOT FOUND AND p_event = 'confirmed' THEN
            a.outcome := 'not_found';
            EXIT decide;
        END IF;
        IF NOT FOUND THEN
            -- The rollback overtook its opening: remember it, and refuse the opening when it comes.
            a.outcome := 'rolled_back';
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, refusal, description,
                source, actor, opened_at, opened_seq, settled_at, settled_seq, settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), w.player_id, w.id, p_game, s.id, p_type, p_mm, 'rolled_back', '', '',
                'game', p_actor, now, w.entry_count + 1, now, w.entry_count + 1, 'game', p_actor, p_reason)
            RETURNING * INTO t;
            IF NOT s.is_kept THEN
                UPDATE players_gamesession SET is_kept = true WHERE id = s.id;
                IF NOT FOUND THEN
                    RAISE unique_violation USING MESSAGE = 'the session was cleared away meanwhile';
                END IF;
            END IF;
            w := ledger_append(w, t.id, 'tombstone', NULL, NULL, NULL, 0, p_actor, '', now,
                               ledger_opening(p_type, p_game, s.id, p_mm, NULL, '', '', 'game', NULL, NULL) || ledger_ending('game', p_reason));
            a.transaction_id := t.id;
            IF EXISTS (SELECT 1 FROM wallet_transaction o
                       WHERE o.mm_transaction_id = p_mm AND o.game_id = p_game AND o.type = p_type
                         AND o.player_id <> w.player_id AND o.settled_at IS NULL) THEN
                PERFORM ledger_note_discrepancy(t.player_id, t.id, 'tombstone_elsewhere', now);
            END IF;
            EXIT decide;
        END IF;
        a.transaction_id := t.id;
        IF t.wallet_id <> w.id THEN
            -- Opened just now through a session in another currency: that wallet is the one to lock.
            RAISE unique_violation USING MESSAGE = 'the transaction was opened in another wallet meanwhile';
        END IF;

        IF p_event = 'confirmed' THEN
            a.outcome := CASE t.state
                WHEN 'rolled_back' THEN 'already_rolled_back'
                WHEN 'expired' THEN 'already_expired'
                WHEN 'declined' THEN 'not_found'
                ELSE CASE WHEN p_amount <> t.amount OR p_currency <> w.currency_id THEN 'other_content' ELSE 'confirmed' END
            END;
            IF t.state = 'expired' OR (t.state = 'rolled_back' AND t.settled_source <> 'game') THEN
                PERFORM ledger_note_discrepancy(t.player_id, t.id, 'confirm_of_returned', now);
            END IF;
        ELSE
            a.outcome := CASE t.state WHEN 'confirmed' THEN 'already_confirmed' ELSE 'rolled_back' END;
            IF t.state = 'confirmed' AND t.settled_source <> 'game' THEN
                PERFORM ledger_note_discrepancy(t.player_id, t.id, 'rollback_of_confirmed', now);
            END IF;
        END IF;
        EXIT decide WHEN a.outcome NOT IN ('confirmed', 'rolled_back');

        IF t.settled_seq IS NOT NULL THEN
            a.replayed := true;
            SELECT e.spendable INTO STRICT a.balance FROM wallet_entry e
            WHERE e.player_id = w.player_id AND e.wallet_id = w.id AND e.seq = t.settled_seq;
        ELSIF t.state = 'declined' THEN
            -- Nothing to give back, but this answer is now the one that is repeated.
            w := ledger_append(w, t.id, 'rollback_noted', NULL, NULL, t.amount, 0, p_actor, '', now, ledger_ending('game', p_reason));
            UPDATE wallet_transaction
            SET settled_seq = w.entry_count, settled_source = 'game', settled_actor = p_actor, reason = p_reason
            WHERE id = t.id;
        ELSE
            w := ledger_finish(w, t, p_event, 'game', p_actor, p_reason, now);
            a.balance := w.spendable;
        END IF;
    END;
    INSERT INTO wallet_apicall (id, at, game_id, player_id, transaction_id, credential, endpoint, mm_transaction_id,
                                amount, currency_code, address, outcome, replayed, took_us)
    VALUES (wallet_new_id(), began, p_game, a.player_id, a.transaction_id, p_credential, p_endpoint, p_mm,
            p_amount, coalesce(p_currency, ''), p_address, a.outcome, a.replayed,
            p_elapsed_us + (extract(epoch FROM wallet_now() - began) * 1000000)::integer);
    RETURN a;
END $$;

-- The platform itself ends a pending transaction (a sweep, an operator): p_event is confirmed, rolled_back or expired.
-- Outcomes: the event; not_found, already_confirmed, already_rolled_back, already_expired, already_declined.
CREATE OR REPLACE FUNCTION ledger_resolve(p_transaction uuid, p_event text, p_source text, p_actor text, p_reason text) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a ledger_answer;
    w wallet_wallet;
    t wallet_transaction;
BEGIN
    a.outcome := 'not_found';
    a.replayed := false;
    -- A transaction never changes its wallet, so this read needs no lock.
    SELECT w0.* INTO w FROM wallet_wallet w0
    WHERE w0.id = (SELECT t0.wallet_id FROM wallet_transaction t0 WHERE t0.id = p_transaction)
    FOR NO KEY UPDATE OF w0;
    IF NOT FOUND THEN
        RETURN a;
    END IF;
    SELECT * INTO STRICT t FROM wallet_transaction WHERE id = p_transaction;
    a.player_id := w.player_id;
    a.currency_code := w.currency_id;
    a.transaction_id := t.id;
    IF t.state = 'pending' THEN
        w := ledger_finish(w, t, p_event, p_source, p_actor, p_reason, wallet_now());
        a.outcome := p_event;
    ELSE
        a.outcome := 'already_' || t.state;
        -- A sweep brings the game's word: it may contradict what was settled while the game was asked.
        IF p_source = 'sweep' AND p_event = 'confirmed' AND t.state IN ('rolled_back', 'expired') AND t.settled_source <> 'game' THEN
            PERFORM ledger_note_discrepancy(t.player_id, t.id, 'confirm_of_returned', wallet_now());
        ELSIF p_source = 'sweep' AND p_event = 'rolled_back' AND t.state = 'confirmed' AND t.settled_source <> 'game' THEN
            PERFORM ledger_note_discrepancy(t.player_id, t.id, 'rollback_of_confirmed', wallet_now());
        END IF;
    END IF;
    a.balance := w.spendable;
    RETURN a;
END $$;
