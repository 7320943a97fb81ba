-- What the platform and its operators do to a wallet: open it, adjust it, freeze it, limit it.

-- Opens a player's wallet in a currency, once. Returns its id.
CREATE OR REPLACE FUNCTION ledger_open_wallet(p_player uuid, p_currency text, p_actor text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wallet wallet_wallet;
    moment timestamptz;
BEGIN
    SELECT * INTO wallet FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency;
    IF FOUND THEN
        RETURN wallet.id;
    END IF;
    moment := wallet_now();
    INSERT INTO wallet_wallet (
        id, player_id, currency_id, spendable, reserved, announced, debt, entry_count, head, opened_at)
    VALUES (wallet_new_id(), p_player, p_currency, 0, 0, 0, 0, 0, decode(repeat('00', 32), 'hex'), moment)
    ON CONFLICT (player_id, currency_id) DO NOTHING
    RETURNING * INTO wallet;
    IF NOT FOUND THEN
        SELECT * INTO STRICT wallet FROM wallet_wallet
        WHERE player_id = p_player AND currency_id = p_currency;
        RETURN wallet.id;
    END IF;
    PERFORM ledger_append(wallet, NULL, 'wallet_opened', ledger_legs('wallet', 'wallet_opened'), NULL,
                          p_actor, '', moment, convert_to(p_currency, 'UTF8'));
    RETURN wallet.id;
END $$;

-- Locks a player's wallet until the end of the block: what is read of it then, the same block can rely on.
-- Returns its id, NULL if there is none.
CREATE OR REPLACE FUNCTION ledger_lock_wallet(p_player uuid, p_currency text) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE
$$;

-- What an operator's act must be: by an active operator, under their own name, now.
CREATE OR REPLACE FUNCTION adjustment_is_an_operators() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM players_operator operator
                   WHERE operator.id = NEW.operator_id AND operator.is_active
                     AND NEW.actor = left('operator:' || operator.username, 80)) THEN
        RAISE EXCEPTION 'an adjustment is the act of an active operator, under their own name'
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.at := wallet_now();
    RETURN NEW;
END $$;

-- An operator credits or debits a wallet, which must exist, or writes off debt of it.
-- p_id: that of the operator's act (wallet_adjustment), which says the same; it makes it safe to repeat.
-- p_type: credit, debit, or write_off. p_source: operator.
-- p_into_debt: what a debit does not find becomes the player's debt, instead of a refusal.
-- Outcomes: adjusted; wallet_not_found, other_content, limit_reached, insufficient_funds, more_than_debt.
CREATE OR REPLACE FUNCTION ledger_adjust(
    p_id uuid, p_player uuid, p_currency text, p_type text, p_amount bigint, p_into_debt boolean,
    p_source text, p_actor text, p_reason text
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer ledger_answer;
    wallet wallet_wallet;
    known wallet_transaction;
BEGIN
    IF (p_type IN ('credit', 'debit', 'write_off')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_adjust', format('type %L', p_type));
    END IF;
    IF (p_amount > 0) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_adjust', format('amount of %L', p_amount));
    END IF;
    IF (p_source = 'operator') IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_adjust', format('source %L', p_source));
    END IF;
    answer.outcome := 'wallet_not_found';
    answer.replayed := false;
    SELECT * INTO wallet FROM wallet_wallet
    WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN answer;
    END IF;
    answer.player_id := p_player;
    answer.transaction_id := p_id;
    answer.currency_code := p_currency;
    answer.balance := wallet.spendable;
    SELECT * INTO known FROM wallet_transaction WHERE id = p_id;
    IF FOUND THEN
        answer.replayed := known.wallet_id = wallet.id AND known.type = p_type AND known.amount = p_amount;
        answer.outcome := CASE WHEN answer.replayed THEN 'adjusted' ELSE 'other_content' END;
        IF answer.replayed THEN
            SELECT entry.spendable INTO STRICT answer.balance FROM wallet_entry entry
            WHERE entry.player_id = wallet.player_id AND entry.wallet_id = wallet.id
              AND entry.seq = known.settled_seq;
        END IF;
        RETURN answer;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM wallet_adjustment act
                   WHERE (act.id, act.player_id, act.currency_id, act.type, act.amount, act.actor, act.reason)
                       = (p_id, p_player, p_currency, p_type, p_amount, p_actor, p_reason)) THEN
        PERFORM ledger_refuse('ledger_adjust', format('adjustment %L without the operator''s act', p_id));
    END IF;
    answer.outcome := CASE
        WHEN p_type = 'credit'
            AND wallet.spendable + wallet.reserved + wallet.announced + p_amount >= wallet_bound()
            THEN 'limit_reached'
        WHEN p_type = 'debit' AND p_into_debt
            AND wallet.debt + greatest(p_amount - wallet.spendable, 0) >= wallet_bound()
            THEN 'limit_reached'
        WHEN p_type = 'debit' AND NOT p_into_debt AND p_amount > wallet.spendable THEN 'insufficient_funds'
        WHEN p_type = 'write_off' AND p_amount > wallet.debt THEN 'more_than_debt'
        ELSE 'adjusted'
    END;
    IF answer.outcome <> 'adjusted' THEN
        RETURN answer;
    END IF;

    wallet := ledger_post_one(wallet, p_id, p_type, 'adjusted', p_amount, NULL, NULL, NULL, '',
                              p_source, p_actor, p_reason, wallet_now());
    answer.balance := wallet.spendable;
    RETURN answer;
END $$;

-- Sets what gates a wallet's withdrawals.
-- p_event: frozen, unfrozen, or limit_set (p_limit in minor units, NULL for none).
-- p_is_approved: two people have agreed (wallet/approvals), without whom a limit is not loosened.
-- Outcomes: the event; wallet_not_found; unchanged (it was so already); takes_two.
CREATE OR REPLACE FUNCTION ledger_gate(
    p_player uuid, p_currency text, p_event text, p_limit bigint, p_actor text, p_note text,
    p_is_approved boolean DEFAULT false
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer ledger_answer;
    wallet wallet_wallet;
    moment timestamptz;
BEGIN
    IF (p_event IN ('frozen', 'unfrozen', 'limit_set')) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_gate', format('event %L', p_event));
    END IF;
    IF p_limit <= 0 OR (p_limit IS NOT NULL AND p_event <> 'limit_set') THEN
        PERFORM ledger_refuse('ledger_gate', format('limit of %L with event %L', p_limit, p_event));
    END IF;
    answer.outcome := 'wallet_not_found';
    answer.replayed := false;
    SELECT * INTO wallet FROM wallet_wallet
    WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN answer;
    END IF;
    moment := wallet_now();
    answer.player_id := p_player;
    answer.currency_code := p_currency;
    answer.balance := wallet.spendable;
    IF p_event = 'limit_set' AND p_is_approved IS NOT TRUE
        AND limits_is_looser(wallet.withdrawal_limit, p_limit) THEN
        answer.outcome := 'takes_two';
        RETURN answer;
    END IF;
    answer.outcome := p_event;
    UPDATE wallet_wallet
    SET frozen_at = CASE WHEN p_event = 'frozen' THEN moment WHEN p_event = 'unfrozen' THEN NULL
            ELSE frozen_at END,
        withdrawal_limit = CASE WHEN p_event = 'limit_set' THEN p_limit ELSE withdrawal_limit END
    WHERE player_id = p_player AND id = wallet.id AND CASE
        WHEN p_event = 'frozen' THEN frozen_at IS NULL
        WHEN p_event = 'unfrozen' THEN frozen_at IS NOT NULL
        WHEN p_event = 'limit_set' THEN withdrawal_limit IS DISTINCT FROM p_limit
    END;
    IF NOT FOUND THEN
        answer.outcome := 'unchanged';
        RETURN answer;
    END IF;
    PERFORM ledger_append(wallet, NULL, p_event, ledger_legs('wallet', p_event), p_limit, p_actor, p_note,
                          moment, NULL);
    RETURN answer;
END $$;
