-- What a payment moves: money that comes in and goes back through a provider, and the credit that hangs on it (contract 4.2).

-- Writes one posting of ledger_post. Before: the caller holds the lock on the wallet's row, and `w` was read under it.
CREATE FUNCTION ledger_post_one(
    w wallet_wallet, p_id uuid, p_type text, p_amount bigint, p_reverses uuid, p_game uuid, p_description text,
    p_source text, p_actor text, p_reason text, p_at timestamptz
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
DECLARE
    first_seq bigint := w.entry_count + 1;
    found_now bigint := least(p_amount, w.spendable);
    subject bytea := ledger_opening(p_type, p_game, NULL, NULL, p_amount, '', p_description, p_source, p_reverses, NULL) || ledger_ending(p_source, p_reason);
BEGIN
    CASE p_type
        WHEN 'payment' THEN
            w := ledger_append(w, p_id, 'posted', 'provider_clearing', 'issuance', p_amount, 0, p_actor, '', p_at, subject);
        WHEN 'sale' THEN
            w := ledger_append(w, p_id, 'posted', 'provider_clearing', 'game_revenue', p_amount, 0, p_actor, '', p_at, subject);
        WHEN 'payment_return' THEN
            w := ledger_append(w, p_id, 'posted', 'issuance', 'provider_clearing', p_amount, 0, p_actor, '', p_at, subject);
        WHEN 'sale_return' THEN
            w := ledger_append(w, p_id, 'posted', 'game_revenue', 'provider_clearing', p_amount, 0, p_actor, '', p_at, subject);
        WHEN 'top_up' THEN
            w := ledger_append(w, p_id, 'posted', 'issuance', 'spendable', p_amount, 0, p_actor, '', p_at, subject);
            w := ledger_repay(w, p_amount, p_id, p_actor, p_at);
        WHEN 'clawback' THEN
            -- What is spent already becomes the player's debt (contract 4.2, rule 6).
            IF found_now > 0 THEN
                w := ledger_append(w, p_id, 'posted', 'spendable', 'issuance', found_now, 0, p_actor, '', p_at, subject);
            END IF;
            IF p_amount > found_now THEN
                w := ledger_append(w, p_id, 'posted', 'debt', 'issuance', p_amount - found_now, 0, p_actor, '', p_at, subject);
            END IF;
    END CASE;
    INSERT INTO wallet_transaction (
        id, player_id, wallet_id, game_id, type, state, amount, refusal, description, source, actor, reverses_id,
        opened_at, opened_seq, settled_at, settled_seq, settled_source, settled_actor, reason)
    VALUES (
        p_id, w.player_id, w.id, p_game, p_type, 'confirmed', p_amount, '', p_description, p_source, p_actor, p_reverses,
        p_at, first_seq, p_at, w.entry_count, p_source, p_actor, p_reason);
    RETURN w;
END $$;

-- Writes postings of one player, all or none, in the order that they are given in each currency; wallets that are missing are opened.
--
-- In: for each posting its fresh id, currency, type (payment, sale, payment_return, sale_return, top_up, clawback), amount in
--     minor units, and the id of the transaction that it takes back, or NULL.
-- Outcomes: posted; limit_reached: a wallet would hold, or owe, more than it ever may, and nothing is written.
-- Locks the wallets in the order of their ids.
CREATE FUNCTION ledger_post(
    p_player uuid, p_game uuid, p_ids uuid[], p_currencies text[], p_types text[], p_amounts bigint[], p_reverses uuid[],
    p_description text, p_source text, p_actor text, p_reason text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w wallet_wallet;
    code text;
    at timestamptz;
BEGIN
    FOR code IN SELECT DISTINCT c FROM unnest(p_currencies) c ORDER BY c LOOP
        PERFORM ledger_open_wallet(p_player, code, p_actor);
    END LOOP;
    FOR w IN SELECT * FROM wallet_wallet w0 WHERE w0.player_id = p_player AND w0.currency_id = ANY (p_currencies) ORDER BY w0.id FOR NO KEY UPDATE LOOP
        at := wallet_now();
        FOR i IN 1 .. array_length(p_ids, 1) LOOP
            CONTINUE WHEN p_currencies[i] <> w.currency_id;
            IF p_types[i] = 'top_up' AND w.spendable + w.reserved + w.announced + p_amounts[i] >= 1000000000000000000
               OR p_types[i] = 'clawback' AND w.debt + greatest(p_amounts[i] - w.spendable, 0) >= 1000000000000000000 THEN
                RAISE EXCEPTION 'limit_reached' USING ERRCODE = 'QW111';
            END IF;
            w := ledger_post_one(w, p_ids[i], p_types[i], p_amounts[i], p_reverses[i], p_game, p_description, p_source, p_actor, p_reason, at);
        END LOOP;
    END LOOP;
    RETURN 'posted';
EXCEPTION WHEN SQLSTATE 'QW111' THEN
    RETURN 'limit_reached';
END $$;

-- Sets credit aside for a refund whose outcome is not known yet: what is there of p_most minor units becomes reserved, until
-- ledger_resolve confirms it (it was given back) or rolls it back. Returns how much; 0 where there is nothing, and no transaction then.
CREATE FUNCTION ledger_set_aside(
    p_id uuid, p_player uuid, p_game uuid, p_currency text, p_most bigint, p_reverses uuid, p_description text, p_source text, p_actor text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w wallet_wallet;
    at timestamptz;
    found_now bigint;
BEGIN
    SELECT * INTO w FROM wallet_wallet WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    found_now := least(p_most, w.spendable);
    IF found_now <= 0 THEN
        RETURN 0;
    END IF;
    at := wallet_now();
    INSERT INTO wallet_transaction (
        id, player_id, wallet_id, game_id, type, state, amount, refusal, description, source, actor, reverses_id,
        opened_at, opened_seq, settled_source, settled_actor, reason)
    VALUES (
        p_id, w.player_id, w.id, p_game, 'set_aside', 'pending', found_now, '', p_description, p_source, p_actor, p_reverses,
        at, w.entry_count + 1, '', '', '');
    PERFORM ledger_append(w, p_id, 'opened', 'spendable', 'reserved', found_now, 0, p_actor, '', at,
                          ledger_opening('set_aside', p_game, NULL, NULL, found_now, '', p_description, p_source, p_reverses, NULL));
    RETURN found_now;
END $$;
