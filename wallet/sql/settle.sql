-- A word of the game or of the platform that contradicts what the other one settled; once per transaction,
-- with a count.
CREATE OR REPLACE FUNCTION ledger_note_discrepancy(
    p_player uuid, p_transaction uuid, p_kind text, p_at timestamptz
) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO wallet_discrepancy AS known (
        id, player_id, transaction_id, kind, first_seen_at, last_seen_at, times_seen)
    VALUES (wallet_new_id(), p_player, p_transaction, p_kind, p_at, p_at, 1)
    ON CONFLICT (player_id, transaction_id, kind)
    DO UPDATE SET last_seen_at = p_at, times_seen = known.times_seen + 1
$$;

-- A game confirms or rolls back: the other rows of contract 2.3.
--
-- In: p_event confirmed or rolled_back; p_amount and p_currency as the game repeats them in a confirmation,
--     or NULL; p_reason the game's words for a rollback; the others as in ledger_open.
-- Outcomes: confirmed or rolled_back (which is success, for the tombstone too); unknown_token, not_found,
--     other_content, already_confirmed, already_rolled_back, already_expired.
-- Raises unique_violation as ledger_open does.
CREATE OR REPLACE FUNCTION ledger_settle(
    p_event text, p_type text, p_game uuid, p_token_hash bytea, p_mm text, p_amount bigint, p_currency text,
    p_reason text, p_actor text, p_credential uuid, p_endpoint text, p_address inet, p_elapsed_us integer,
    p_player uuid DEFAULT NULL
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    began timestamptz := wallet_now();
    answer ledger_answer;
    session record;
    wallet wallet_wallet;
    opened wallet_transaction;
    moment timestamptz;
    -- A variable: a database that is divided by player sends no function's call to its parts.
    days date[];
    is_logged boolean;
BEGIN
    IF (p_event IN ('confirmed', 'rolled_back') AND p_type IN ('withdrawal', 'deposit')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_settle', format('event %L of type %L', p_event, p_type));
    END IF;
    answer.outcome := 'unknown_token';
    answer.replayed := false;
    <<decide>>
    BEGIN
        SELECT id, is_kept, player_id, currency_code INTO session
        FROM players_gamesession WHERE token_hash = p_token_hash AND game_id = p_game;
        EXIT decide WHEN NOT FOUND;
        -- Which wallet to lock: the transaction's, if there is one (in another currency, it may be).
        SELECT * INTO STRICT wallet FROM wallet_wallet
        WHERE player_id = session.player_id AND id = coalesce(
            (SELECT named.wallet_id FROM wallet_transaction named
             WHERE named.player_id = session.player_id AND named.game_id = p_game AND named.type = p_type
               AND named.mm_transaction_id = p_mm),
            (SELECT own.id FROM wallet_wallet own
             WHERE own.player_id = session.player_id AND own.currency_id = session.currency_code))
        FOR NO KEY UPDATE;
        moment := wallet_now();
        answer.player_id := wallet.player_id;
        answer.currency_code := wallet.currency_id;
        answer.balance := wallet.spendable;

        -- A statement of its own, after the lock: it sees what the one before us committed.
        SELECT * INTO opened FROM wallet_transaction
        WHERE player_id = wallet.player_id AND game_id = p_game AND type = p_type
          AND mm_transaction_id = p_mm;
        IF NOT FOUND AND p_event = 'confirmed' THEN
            answer.outcome := 'not_found';
            EXIT decide;
        END IF;
        IF NOT FOUND THEN
            -- The rollback overtook its opening: remember it, and refuse the opening when it comes.
            answer.outcome := 'rolled_back';
            INSERT INTO wallet_transaction (
                id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state,
                refusal, description, source, actor, opened_at, opened_seq, settled_at, settled_seq,
                settled_source, settled_actor, reason)
            VALUES (
                wallet_new_id(), wallet.player_id, wallet.id, p_game, session.id, p_type, p_mm, 'rolled_back',
                '', '', 'game', p_actor, moment, wallet.entry_count + 1, moment, wallet.entry_count + 1,
                'game', p_actor, p_reason)
            RETURNING * INTO opened;
            IF NOT session.is_kept THEN
                UPDATE players_gamesession SET is_kept = true WHERE id = session.id;
                IF NOT FOUND THEN
                    RAISE unique_violation USING MESSAGE = 'the session was cleared away meanwhile';
                END IF;
            END IF;
            wallet := ledger_append(
                wallet, opened.id, 'tombstone', ledger_legs(p_type, 'tombstone'), NULL, p_actor, '', moment,
                ledger_opening(p_type, p_game, session.id, p_mm, NULL, '', '', 'game', NULL, NULL, NULL)
                || ledger_ending('game', p_reason));
            answer.transaction_id := opened.id;
            days := transaction_days();
            IF EXISTS (SELECT 1 FROM wallet_transaction other
                       WHERE (other.opened_at AT TIME ZONE 'UTC')::date = ANY (days)
                         AND other.mm_transaction_id = p_mm AND other.game_id = p_game AND other.type = p_type
                         AND other.player_id <> wallet.player_id AND other.settled_at IS NULL) THEN
                PERFORM ledger_note_discrepancy(opened.player_id, opened.id, 'tombstone_elsewhere', moment);
            END IF;
            EXIT decide;
        END IF;
        answer.transaction_id := opened.id;
        IF opened.wallet_id <> wallet.id THEN
            -- Opened just now through a session in another currency: that wallet is the one to lock.
            RAISE unique_violation USING MESSAGE = 'the transaction was opened in another wallet meanwhile';
        END IF;

        IF p_event = 'confirmed' THEN
            answer.outcome := CASE opened.state
                WHEN 'rolled_back' THEN 'already_rolled_back'
                WHEN 'expired' THEN 'already_expired'
                WHEN 'declined' THEN 'not_found'
                ELSE CASE WHEN p_amount <> opened.amount OR p_currency <> wallet.currency_id
                    THEN 'other_content' ELSE 'confirmed' END
            END;
            IF opened.state = 'expired'
               OR (opened.state = 'rolled_back' AND opened.settled_source <> 'game')
               OR (opened.state = 'confirmed'
                   AND ledger_is_corrected(opened.player_id, opened.id, 'rollback_of_confirmed')) THEN
                PERFORM ledger_note_discrepancy(opened.player_id, opened.id, 'confirm_of_returned', moment);
            END IF;
        ELSE
            answer.outcome :=
                CASE opened.state WHEN 'confirmed' THEN 'already_confirmed' ELSE 'rolled_back' END;
            IF (opened.state = 'confirmed' AND opened.settled_source <> 'game')
               OR (opened.state IN ('rolled_back', 'expired')
                   AND ledger_is_corrected(opened.player_id, opened.id, 'confirm_of_returned')) THEN
                PERFORM ledger_note_discrepancy(opened.player_id, opened.id, 'rollback_of_confirmed', moment);
            END IF;
        END IF;
        EXIT decide WHEN answer.outcome NOT IN ('confirmed', 'rolled_back');

        IF opened.settled_seq IS NOT NULL THEN
            answer.replayed := true;
            SELECT entry.spendable INTO STRICT answer.balance FROM wallet_entry entry
            WHERE entry.player_id = wallet.player_id AND entry.wallet_id = wallet.id
              AND entry.seq = opened.settled_seq;
        ELSIF opened.state = 'declined' THEN
            -- Nothing to give back, but this answer is now the one that is repeated.
            wallet := ledger_append(
                wallet, opened.id, 'rollback_noted', ledger_legs(p_type, 'rollback_noted'), opened.amount,
                p_actor, '', moment, ledger_ending('game', p_reason));
            UPDATE wallet_transaction
            SET settled_seq = wallet.entry_count, settled_source = 'game', settled_actor = p_actor,
                reason = p_reason
            WHERE player_id = wallet.player_id AND id = opened.id;
        ELSE
            wallet := ledger_finish(wallet, opened.id, opened.type, opened.amount, p_event,
                                    'game', p_actor, p_reason, moment);
            answer.balance := wallet.spendable;
        END IF;
    END;
    is_logged := call_log_write(began, p_game, answer.player_id, answer.transaction_id, p_credential,
                                p_endpoint, p_mm, p_amount, p_currency, p_address,
                                answer.outcome, answer.replayed, p_elapsed_us);
    RETURN answer;
END $$;

-- The platform itself (a sweep, an operator) ends a pending transaction.
-- p_event: confirmed, rolled_back or expired.
-- Outcomes: the event; not_found, already_confirmed, already_rolled_back, already_expired, already_declined.
CREATE OR REPLACE FUNCTION ledger_resolve(
    p_transaction uuid, p_event text, p_source text, p_actor text, p_reason text
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer ledger_answer;
    wallet wallet_wallet;
    opened wallet_transaction;
BEGIN
    IF (p_event IN ('confirmed', 'rolled_back', 'expired')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_resolve', format('event %L', p_event));
    END IF;
    -- A game settles through ledger_settle, with a token of its own.
    IF (p_source IN ('operator', 'sweep', 'system', 'provider')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_resolve', format('source %L', p_source));
    END IF;
    answer.outcome := 'not_found';
    answer.replayed := false;
    -- A transaction never changes its wallet, so this read needs no lock.
    SELECT * INTO opened FROM wallet_transaction WHERE id = p_transaction;
    IF NOT FOUND THEN
        RETURN answer;
    END IF;
    SELECT * INTO STRICT wallet FROM wallet_wallet
    WHERE player_id = opened.player_id AND id = opened.wallet_id FOR NO KEY UPDATE;
    SELECT * INTO STRICT opened FROM wallet_transaction
    WHERE player_id = opened.player_id AND id = opened.id;
    answer.player_id := wallet.player_id;
    answer.currency_code := wallet.currency_id;
    answer.transaction_id := opened.id;
    IF opened.state = 'pending' THEN
        wallet := ledger_finish(wallet, opened.id, opened.type, opened.amount, p_event,
                                p_source, p_actor, p_reason, wallet_now());
        answer.outcome := p_event;
    ELSE
        answer.outcome := 'already_' || opened.state;
        -- A sweep brings the game's word: it may contradict what was settled while the game was asked.
        IF p_source = 'sweep' AND p_event = 'confirmed' AND opened.state IN ('rolled_back', 'expired')
           AND opened.settled_source <> 'game' THEN
            PERFORM ledger_note_discrepancy(opened.player_id, opened.id, 'confirm_of_returned', wallet_now());
        ELSIF p_source = 'sweep' AND p_event = 'rolled_back' AND opened.state = 'confirmed'
              AND opened.settled_source <> 'game' THEN
            PERFORM ledger_note_discrepancy(opened.player_id, opened.id, 'rollback_of_confirmed',
                                            wallet_now());
        END IF;
    END IF;
    answer.balance := wallet.spendable;
    RETURN answer;
END $$;
