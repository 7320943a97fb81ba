-- What an operator does about a discrepancy: it is booked as the game says.

-- The type of the transaction that makes the books say what the game says; NULL if there is none.
CREATE OR REPLACE FUNCTION ledger_correction(p_kind text, p_type text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_kind = 'confirm_of_returned' AND p_type = 'withdrawal' THEN 'late_withdrawal'
        WHEN p_kind = 'confirm_of_returned' AND p_type = 'deposit' THEN 'late_deposit'
        WHEN p_kind = 'rollback_of_confirmed' AND p_type = 'withdrawal' THEN 'withdrawal_back'
        WHEN p_kind = 'rollback_of_confirmed' AND p_type = 'deposit' THEN 'deposit_back'
    END
$$;

-- Books a discrepancy as the game says, and closes it. What is not covered becomes the player's debt; the
-- transaction itself stays as it was settled, and so does what the game is answered.
-- p_id: that of the operator's act (wallet_adjustment), which says the same.
-- Outcomes: corrected; not_found, already_closed, nothing_to_book, limit_reached.
CREATE OR REPLACE FUNCTION ledger_correct(
    p_id uuid, p_discrepancy uuid, p_actor text, p_reason text
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer ledger_answer;
    wallet wallet_wallet;
    contradicted wallet_discrepancy;
    settled wallet_transaction;
    booked text;
    moment timestamptz;
BEGIN
    answer.outcome := 'not_found';
    answer.replayed := false;
    -- Neither a discrepancy nor a transaction ever changes its wallet, so this read needs no lock.
    SELECT * INTO contradicted FROM wallet_discrepancy WHERE id = p_discrepancy;
    IF NOT FOUND THEN
        RETURN answer;
    END IF;
    SELECT * INTO STRICT settled FROM wallet_transaction
    WHERE player_id = contradicted.player_id AND id = contradicted.transaction_id;
    SELECT * INTO STRICT wallet FROM wallet_wallet
    WHERE player_id = settled.player_id AND id = settled.wallet_id FOR NO KEY UPDATE;
    SELECT * INTO STRICT contradicted FROM wallet_discrepancy
    WHERE player_id = contradicted.player_id AND id = p_discrepancy FOR NO KEY UPDATE;
    SELECT * INTO STRICT settled FROM wallet_transaction
    WHERE player_id = contradicted.player_id AND id = contradicted.transaction_id;
    answer.player_id := wallet.player_id;
    answer.transaction_id := p_id;
    answer.currency_code := wallet.currency_id;
    answer.balance := wallet.spendable;
    IF contradicted.correction_id = p_id THEN
        answer.replayed := true;
        answer.outcome := 'corrected';
        SELECT coalesce(known.settled_balance,
                        ledger_balance_after(known.player_id, known.wallet_id, known.settled_seq))
        INTO STRICT answer.balance
        FROM wallet_transaction known WHERE known.player_id = wallet.player_id AND known.id = p_id;
        RETURN answer;
    END IF;
    booked := ledger_correction(contradicted.kind, settled.type);
    answer.outcome := CASE
        WHEN contradicted.closed_at IS NOT NULL THEN 'already_closed'
        WHEN booked IS NULL THEN 'nothing_to_book'
        WHEN booked IN ('late_deposit', 'withdrawal_back')
            AND wallet.spendable + wallet.reserved + wallet.announced + settled.amount >= wallet_bound()
            THEN 'limit_reached'
        WHEN booked IN ('late_withdrawal', 'deposit_back')
            AND wallet.debt + greatest(settled.amount - wallet.spendable, 0) >= wallet_bound()
            THEN 'limit_reached'
        ELSE 'corrected'
    END;
    IF answer.outcome <> 'corrected' THEN
        RETURN answer;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM wallet_adjustment act
                   WHERE (act.id, act.player_id, act.currency_id, act.type, act.amount, act.actor, act.reason)
                       = (p_id, wallet.player_id, wallet.currency_id, booked, settled.amount,
                          p_actor, p_reason)) THEN
        PERFORM ledger_refuse('ledger_correct', format('correction %L without the operator''s act', p_id));
    END IF;

    moment := wallet_now();
    wallet := ledger_post_one(wallet, p_id, booked, 'adjusted', settled.amount, settled.id, settled.game_id,
                              NULL, '', 'operator', p_actor, p_reason, moment);
    IF wallet.limited_at IS NOT NULL THEN
        PERFORM limits_correct(wallet.id, settled, booked, moment);
    END IF;
    UPDATE wallet_discrepancy
    SET closed_at = moment, closed_by = p_actor, reason = p_reason, correction_id = p_id
    WHERE player_id = wallet.player_id AND id = p_discrepancy;
    answer.balance := wallet.spendable;
    RETURN answer;
END $$;
