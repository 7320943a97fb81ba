-- What the platform and its operators do to a wallet: open it, adjust it, freeze it, limit it.

-- Opens a player's wallet in a currency, once. Returns its id.
CREATE OR REPLACE FUNCTION ledger_open_wallet(p_player uuid, p_currency text, p_actor text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w wallet_wallet;
    now timestamptz;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency;
    IF FOUND THEN
        RETURN w.id;
    END IF;
    now := wallet_now();
    INSERT INTO wallet_wallet (id, player_id, currency_id, spendable, reserved, announced, debt, entry_count, head, opened_at)
    VALUES (wallet_new_id(), p_player, p_currency, 0, 0, 0, 0, 0, decode(repeat('00', 32), 'hex'), now)
    ON CONFLICT (player_id, currency_id) DO NOTHING
    RETURNING * INTO w;
    IF NOT FOUND THEN
        SELECT * INTO STRICT w FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency;
        RETURN w.id;
    END IF;
    PERFORM ledger_append(w, NULL, 'wallet_opened', NULL, NULL, NULL, 0, p_actor, '', now, convert_to(p_currency, 'UTF8'));
    RETURN w.id;
END $$;

-- An operator (or the demo's seed) credits or debits a wallet, which must exist. p_id makes it safe to repeat.
-- p_type: credit, or debit. p_into_debt: what a debit does not find becomes the player's debt, instead of a refusal.
-- Outcomes: adjusted; wallet_not_found, other_content, limit_reached, insufficient_funds.
CREATE OR REPLACE FUNCTION ledger_adjust(
    p_id uuid, p_player uuid, p_currency text, p_type text, p_amount bigint, p_into_debt boolean,
    p_source text, p_actor text, p_reason text
) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a ledger_answer;
    w wallet_wallet;
    t wallet_transaction;
    found_now bigint;
    subject bytea;
BEGIN
    a.outcome := 'wallet_not_found';
    a.replayed := false;
    SELECT * INTO w FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN a;
    END IF;
    a.player_id := p_player;
    a.transaction_id := p_id;
    a.currency_code := p_currency;
    a.balance := w.spendable;
    SELECT * INTO t FROM wallet_transaction WHERE id = p_id;
    IF FOUND THEN
        a.replayed := t.wallet_id = w.id AND t.type = p_type AND t.amount = p_amount;
        a.outcome := CASE WHEN a.replayed THEN 'adjusted' ELSE 'other_content' END;
        IF a.replayed THEN
            SELECT e.spendable INTO STRICT a.balance FROM wallet_entry e
            WHERE e.player_id = w.player_id AND e.wallet_id = w.id AND e.seq = t.settled_seq;
        END IF;
        RETURN a;
    END IF;
    a.outcome := CASE
        WHEN p_type = 'credit' AND w.spendable + w.reserved + w.announced + p_amount >= 1000000000000000000 THEN 'limit_reached'
        WHEN p_type = 'debit' AND p_into_debt AND w.debt + greatest(p_amount - w.spendable, 0) >= 1000000000000000000 THEN 'limit_reached'
        WHEN p_type = 'debit' AND NOT p_into_debt AND p_amount > w.spendable THEN 'insufficient_funds'
        ELSE 'adjusted'
    END;
    IF a.outcome <> 'adjusted' THEN
        RETURN a;
    END IF;

    t.id := p_id;
    t.player_id := w.player_id;
    t.wallet_id := w.id;
    t.type := p_type;
    t.state := 'confirmed';
    t.amount := p_amount;
    t.refusal := '';
    t.description := '';
    t.source := p_source;
    t.actor := p_actor;
    t.opened_at := wallet_now();
    t.opened_seq := w.entry_count + 1;
    t.settled_at := t.opened_at;
    t.settled_source := p_source;
    t.settled_actor := p_actor;
    t.reason := p_reason;
    subject := ledger_opening(p_type, NULL, NULL, NULL, p_amount, '', '', p_source, NULL, NULL) || ledger_ending(p_source, p_reason);
    IF p_type = 'credit' THEN
        w := ledger_append(w, p_id, 'adjusted', 'adjustments', 'spendable', p_amount, 0, p_actor, '', t.opened_at, subject);
        w := ledger_repay(w, p_amount, p_id, p_actor, t.opened_at);
    ELSE
        found_now := least(p_amount, w.spendable);
        IF found_now > 0 THEN
            w := ledger_append(w, p_id, 'adjusted', 'spendable', 'adjustments', found_now, 0, p_actor, '', t.opened_at, subject);
        END IF;
        -- A debit of nothing or less comes here too, for the journal to refuse it.
        IF p_amount > found_now OR found_now <= 0 THEN
            w := ledger_append(w, p_id, 'adjusted', 'debt', 'adjustments', p_amount - found_now, 0, p_actor, '', t.opened_at, subject);
        END IF;
    END IF;
    t.settled_seq := w.entry_count;
    INSERT INTO wallet_transaction VALUES (t.*);
    a.balance := w.spendable;
    RETURN a;
END $$;

-- Sets what gates a wallet's withdrawals. p_event: frozen, unfrozen, or limit_set (p_limit in minor units, NULL for none).
-- Outcomes: the event; wallet_not_found; unchanged (it was so already).
CREATE OR REPLACE FUNCTION ledger_gate(p_player uuid, p_currency text, p_event text, p_limit bigint, p_actor text, p_note text) RETURNS ledger_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a ledger_answer;
    w wallet_wallet;
    now timestamptz;
BEGIN
    a.outcome := 'wallet_not_found';
    a.replayed := false;
    SELECT * INTO w FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN a;
    END IF;
    now := wallet_now();
    a.player_id := p_player;
    a.currency_code := p_currency;
    a.balance := w.spendable;
    a.outcome := p_event;
    UPDATE wallet_wallet
    SET frozen_at = CASE p_event WHEN 'frozen' THEN now WHEN 'unfrozen' THEN NULL ELSE frozen_at END,
        withdrawal_limit = CASE p_event WHEN 'limit_set' THEN p_limit ELSE withdrawal_limit END
    WHERE id = w.id AND CASE p_event
        WHEN 'frozen' THEN frozen_at IS NULL
        WHEN 'unfrozen' THEN frozen_at IS NOT NULL
        WHEN 'limit_set' THEN withdrawal_limit IS DISTINCT FROM p_limit
    END;
    IF NOT FOUND THEN
        a.outcome := 'unchanged';
        RETURN a;
    END IF;
    PERFORM ledger_append(w, NULL, p_event, NULL, NULL, p_limit, 0, p_actor, p_note, now, NULL);
    RETURN a;
END $$;
