-- What a payment moves: money that comes in and goes back through a provider, and the credit that hangs on
-- it (contract 4.2).

-- Writes a transaction that is opened and settled in one step: a posting of a payment, or an adjustment.
-- What it takes and does not find is taken from the account that the chart names for that. Debt is
-- paid first.
--
-- Before: the caller holds the lock on the wallet's row, and `wallet` was read under it.
-- p_event: posted, or adjusted.
CREATE OR REPLACE FUNCTION ledger_post_one(
    wallet wallet_wallet, p_id uuid, p_type text, p_event text, p_amount bigint, p_reverses uuid, p_game uuid,
    p_reference uuid, p_description text, p_source text, p_actor text, p_reason text, p_at timestamptz
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
DECLARE
    legs ledger_movement := ledger_legs(p_type, p_event);
    first_seq bigint := wallet.entry_count + 1;
    spendable_before bigint := wallet.spendable;
    found_now bigint :=
        CASE WHEN legs.shortfall IS NULL THEN p_amount ELSE least(p_amount, wallet.spendable) END;
    subject bytea :=
        ledger_opening(p_type, p_game, NULL, NULL, p_amount, '', p_description, p_source, p_reverses,
                       NULL, p_reference)
        || ledger_ending(p_source, p_reason);
BEGIN
    -- An amount of nothing or less comes to the journal too, which refuses it.
    IF found_now > 0 OR p_amount <= 0 THEN
        wallet := ledger_append(wallet, p_id, p_event, legs, found_now, p_actor, '', p_at, subject);
    END IF;
    IF p_amount > found_now THEN
        legs.debit := legs.shortfall;
        wallet := ledger_append(wallet, p_id, p_event, legs, p_amount - found_now, p_actor, '', p_at,
                                subject);
    END IF;
    IF wallet.debt > 0 AND wallet.spendable > spendable_before THEN
        wallet := ledger_repay(wallet, wallet.spendable - spendable_before, p_id, p_actor, p_at);
    END IF;
    INSERT INTO wallet_transaction (
        id, player_id, wallet_id, game_id, type, state, amount, refusal, description, source, actor,
        reverses_id, reference, opened_at, opened_seq, settled_at, settled_seq, settled_balance,
        settled_source, settled_actor, reason)
    VALUES (
        p_id, wallet.player_id, wallet.id, p_game, p_type, 'confirmed', p_amount, '', p_description,
        p_source, p_actor, p_reverses, p_reference, p_at, first_seq, p_at, wallet.entry_count,
        wallet.spendable, p_source, p_actor, p_reason);
    RETURN wallet;
END $$;

-- Writes postings of one player, all or none, in the order that they are given in each currency; wallets
-- that are missing are opened.
--
-- In: for each posting its fresh id, currency, type (payment, sale, payment_return, sale_return, top_up,
--     clawback), amount in minor units, and the id of the transaction that it takes back, or NULL.
--     p_reference: the order that they belong to.
-- Outcomes: posted; limit_reached: a wallet would hold, or owe, more than it ever may: nothing is written.
-- Locks the wallets in the order of their ids.
CREATE OR REPLACE FUNCTION ledger_post(
    p_player uuid, p_game uuid, p_ids uuid[], p_currencies text[], p_types text[], p_amounts bigint[],
    p_reverses uuid[], p_reference uuid, p_description text, p_source text, p_actor text, p_reason text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wallet wallet_wallet;
    code text;
    moment timestamptz;
BEGIN
    FOR i IN 1 .. greatest(cardinality(p_ids), cardinality(p_currencies), cardinality(p_types),
                           cardinality(p_amounts), cardinality(p_reverses), 1) LOOP
        IF (p_types[i] IN ('payment', 'sale', 'payment_return', 'sale_return', 'top_up', 'clawback'))
           IS NOT TRUE THEN
            PERFORM ledger_refuse('ledger_post', format('type %L', p_types[i]));
        END IF;
        IF (p_amounts[i] > 0) IS NOT TRUE THEN
            PERFORM ledger_refuse('ledger_post', format('amount of %L', p_amounts[i]));
        END IF;
        IF p_ids[i] IS NULL OR p_currencies[i] IS NULL THEN
            PERFORM ledger_refuse('ledger_post', 'posting without an id or a currency');
        END IF;
    END LOOP;
    FOR code IN SELECT DISTINCT named FROM unnest(p_currencies) named ORDER BY named LOOP
        PERFORM ledger_open_wallet(p_player, code, p_actor);
    END LOOP;
    FOR wallet IN
        SELECT * FROM wallet_wallet
        WHERE player_id = p_player AND currency_id = ANY (p_currencies) ORDER BY id FOR NO KEY UPDATE
    LOOP
        moment := wallet_now();
        FOR i IN 1 .. array_length(p_ids, 1) LOOP
            CONTINUE WHEN p_currencies[i] <> wallet.currency_id;
            IF p_types[i] = 'top_up'
               AND wallet.spendable + wallet.reserved + wallet.announced + p_amounts[i] >= wallet_bound()
               OR p_types[i] = 'clawback'
               AND wallet.debt + greatest(p_amounts[i] - wallet.spendable, 0) >= wallet_bound() THEN
                RAISE EXCEPTION 'limit_reached' USING ERRCODE = 'QW111';
            END IF;
            wallet := ledger_post_one(wallet, p_ids[i], p_types[i], 'posted', p_amounts[i], p_reverses[i],
                                      p_game, p_reference, p_description, p_source, p_actor, p_reason,
                                      moment);
        END LOOP;
    END LOOP;
    RETURN 'posted';
EXCEPTION WHEN SQLSTATE 'QW111' THEN
    RETURN 'limit_reached';
END $$;

-- Sets credit aside for a refund whose outcome is not known yet: what is there of p_most minor units becomes
-- reserved, until ledger_resolve confirms it (it was given back) or rolls it back. p_reference: the order
-- that it belongs to.
-- Returns how much; 0 if there is nothing, and no transaction then.
CREATE OR REPLACE FUNCTION ledger_set_aside(
    p_id uuid, p_player uuid, p_game uuid, p_currency text, p_most bigint, p_reverses uuid, p_reference uuid,
    p_description text, p_source text, p_actor text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wallet wallet_wallet;
    moment timestamptz;
    found_now bigint;
BEGIN
    IF (p_most >= 0) IS NOT TRUE THEN
        PERFORM ledger_refuse('ledger_set_aside', format('amount of %L', p_most));
    END IF;
    SELECT * INTO wallet FROM wallet_wallet
    WHERE player_id = p_player AND currency_id = p_currency FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    found_now := least(p_most, wallet.spendable);
    IF found_now <= 0 THEN
        RETURN 0;
    END IF;
    moment := wallet_now();
    INSERT INTO wallet_transaction (
        id, player_id, wallet_id, game_id, type, state, amount, refusal, description, source, actor,
        reverses_id, reference, opened_at, opened_seq, settled_source, settled_actor, reason)
    VALUES (
        p_id, wallet.player_id, wallet.id, p_game, 'set_aside', 'pending', found_now, '', p_description,
        p_source, p_actor, p_reverses, p_reference, moment, wallet.entry_count + 1, '', '', '');
    PERFORM ledger_append(
        wallet, p_id, 'opened', ledger_legs('set_aside', 'opened'), found_now, p_actor, '', moment,
        ledger_opening('set_aside', p_game, NULL, NULL, found_now, '', p_description, p_source, p_reverses,
                       NULL, p_reference));
    RETURN found_now;
END $$;
