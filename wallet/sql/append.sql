-- The only place where a balance moves: one journal row, the wallet's present state after it, and its event.
--
-- Before: the caller holds the lock on the wallet's row, and `wallet` was read under that lock.
-- p_legs: what moves, by the chart (ledger_legs). p_amount: minor units.
-- p_subject: what else the hash covers (ledger_opening, ledger_ending).
-- Returns the wallet as it is now. The CHECK of wallet_wallet refuses what must never be.
CREATE OR REPLACE FUNCTION ledger_append(
    wallet wallet_wallet, p_transaction uuid, p_event text, p_legs ledger_movement, p_amount bigint,
    p_actor text, p_note text, p_at timestamptz, p_subject bytea
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
BEGIN
    -- What the platform owes the player grows by credits; what the player owes it (debt) grows by debits.
    wallet.entry_count := wallet.entry_count + 1;
    wallet.announced := wallet.announced + p_legs.announced * coalesce(p_amount, 0);
    wallet.spendable := wallet.spendable
        + CASE 'spendable' WHEN p_legs.credit THEN p_amount WHEN p_legs.debit THEN -p_amount ELSE 0 END;
    wallet.reserved := wallet.reserved
        + CASE 'reserved' WHEN p_legs.credit THEN p_amount WHEN p_legs.debit THEN -p_amount ELSE 0 END;
    wallet.debt := wallet.debt
        + CASE 'debt' WHEN p_legs.debit THEN p_amount WHEN p_legs.credit THEN -p_amount ELSE 0 END;
    INSERT INTO wallet_entry (player_id, wallet_id, seq, transaction_id, event, debit, credit, amount,
                              spendable, reserved, announced, debt, actor, note, at, version, hash)
    VALUES (wallet.player_id, wallet.id, wallet.entry_count, p_transaction, p_event,
            p_legs.debit, p_legs.credit, p_amount,
            wallet.spendable, wallet.reserved, wallet.announced, wallet.debt, p_actor, p_note, p_at, 2,
            sha256(record_send(ROW(
                2::smallint, wallet.head, wallet.player_id, wallet.id, wallet.entry_count, p_transaction,
                p_event, p_legs.debit, p_legs.credit, p_amount,
                wallet.spendable, wallet.reserved, wallet.announced, wallet.debt,
                p_actor, p_note, p_at, p_subject))))
    RETURNING hash INTO wallet.head;
    UPDATE wallet_wallet
    SET spendable = wallet.spendable, reserved = wallet.reserved, announced = wallet.announced,
        debt = wallet.debt, entry_count = wallet.entry_count, head = wallet.head
    WHERE player_id = wallet.player_id AND id = wallet.id;
    INSERT INTO wallet_newevent (at, seq, player_id, subject_id, kind)
    VALUES (p_at, wallet.entry_count, wallet.player_id, wallet.id, 'entry');
    RETURN wallet;
END $$;

-- What was spendable after an entry, which must be there: an answer that was given before answers were kept
-- with their transactions.
CREATE OR REPLACE FUNCTION ledger_balance_after(p_player uuid, p_wallet uuid, p_seq bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    balance bigint;
BEGIN
    SELECT entry.spendable INTO STRICT balance FROM wallet_entry entry
    WHERE entry.player_id = p_player AND entry.wallet_id = p_wallet AND entry.seq = p_seq;
    RETURN balance;
END $$;

-- Pays a player's debt, which there is, out of money that has just become spendable: debt comes first
-- (contract 2.1).
CREATE OR REPLACE FUNCTION ledger_repay(
    wallet wallet_wallet, p_increase bigint, p_transaction uuid, p_actor text, p_at timestamptz
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ledger_append(wallet, p_transaction, 'debt_repaid', ledger_legs('wallet', 'debt_repaid'),
                         least(wallet.debt, p_increase), p_actor, '', p_at, NULL);
END $$;

-- Ends a pending transaction of this type and amount: p_event is confirmed, rolled_back or expired.
--
-- Before: the caller holds the lock on the wallet's row; `wallet` and the transaction, which is in it, were
-- read under it.
CREATE OR REPLACE FUNCTION ledger_finish(
    wallet wallet_wallet, p_transaction uuid, p_type text, p_amount bigint, p_event text, p_source text,
    p_actor text, p_reason text, p_at timestamptz
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
DECLARE
    spendable_before bigint := wallet.spendable;
    game uuid;
    was_opened_at timestamptz;
    was_opened_seq bigint;
BEGIN
    wallet := ledger_append(wallet, p_transaction, p_event, ledger_legs(p_type, p_event), p_amount,
                            p_actor, '', p_at, ledger_ending(p_source, p_reason));
    IF wallet.debt > 0 AND wallet.spendable > spendable_before THEN
        wallet := ledger_repay(wallet, wallet.spendable - spendable_before, p_transaction, p_actor, p_at);
    END IF;
    -- settled_at, not state: a plan may not be tempted by the index of what is pending, which is small only
    -- when it is planned.
    UPDATE wallet_transaction
    SET state = p_event, settled_at = p_at, settled_seq = wallet.entry_count,
        settled_balance = wallet.spendable, settled_source = p_source, settled_actor = p_actor,
        reason = p_reason
    WHERE player_id = wallet.player_id AND id = p_transaction AND settled_at IS NULL
    RETURNING game_id, opened_at, opened_seq INTO game, was_opened_at, was_opened_seq;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'transaction % was settled without the lock on its wallet', p_transaction;
    END IF;
    IF wallet.limited_at IS NOT NULL THEN
        IF p_type = 'withdrawal' AND p_event <> 'confirmed' THEN
            PERFORM limits_give_back(wallet.player_id, wallet.id, game, p_amount, 0,
                                     was_opened_at, was_opened_seq);
        ELSIF p_type = 'deposit' AND p_event = 'confirmed' THEN
            PERFORM limits_count(wallet.player_id, wallet.id, game, 0, p_amount, p_at);
        END IF;
    END IF;
    IF p_type IN ('withdrawal', 'deposit') AND (p_type = 'withdrawal') = (p_event = 'confirmed')
       AND EXISTS (SELECT FROM wallet_payoutlimit
                   WHERE game_id = game AND currency_id = wallet.currency_id AND daily_payout IS NOT NULL)
    THEN
        PERFORM payout_return(wallet.player_id, p_transaction, wallet.currency_id, p_at);
    END IF;
    RETURN wallet;
END $$;
