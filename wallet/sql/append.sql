-- The only place where a balance moves: one journal row, and the wallet's present state after it.
--
-- Before: the caller holds the lock on the wallet's row, and `w` was read under that lock.
-- p_debit, p_credit: the accounts, both NULL where nothing moves. p_amount: minor units.
-- p_announced: what is added to (or, negative, taken from) the announced money.
-- p_subject: what else the hash covers (ledger_opening, ledger_ending).
-- Returns the wallet as it is now. The CHECK of wallet_wallet refuses what must never be.
CREATE OR REPLACE FUNCTION ledger_append(
    w wallet_wallet, p_transaction uuid, p_event text, p_debit text, p_credit text, p_amount bigint, p_announced bigint,
    p_actor text, p_note text, p_at timestamptz, p_subject bytea
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
BEGIN
    -- What the platform owes the player grows by credits; what the player owes it (debt) grows by debits.
    w.entry_count := w.entry_count + 1;
    w.announced := w.announced + p_announced;
    w.spendable := w.spendable + CASE 'spendable' WHEN p_credit THEN p_amount WHEN p_debit THEN -p_amount ELSE 0 END;
    w.reserved := w.reserved + CASE 'reserved' WHEN p_credit THEN p_amount WHEN p_debit THEN -p_amount ELSE 0 END;
    w.debt := w.debt + CASE 'debt' WHEN p_debit THEN p_amount WHEN p_credit THEN -p_amount ELSE 0 END;
    INSERT INTO wallet_entry (player_id, wallet_id, seq, transaction_id, event, debit, credit, amount,
                              spendable, reserved, announced, debt, actor, note, at, version, hash)
    VALUES (w.player_id, w.id, w.entry_count, p_transaction, p_event, p_debit, p_credit, p_amount,
            w.spendable, w.reserved, w.announced, w.debt, p_actor, p_note, p_at, 1,
            sha256(record_send(ROW(1::smallint, w.head, w.player_id, w.id, w.entry_count, p_transaction, p_event, p_debit, p_credit, p_amount,
                w.spendable, w.reserved, w.announced, w.debt, p_actor, p_note, p_at, p_subject))))
    RETURNING hash INTO w.head;
    UPDATE wallet_wallet
    SET spendable = w.spendable, reserved = w.reserved, announced = w.announced, debt = w.debt,
        entry_count = w.entry_count, head = w.head
    WHERE id = w.id;
    RETURN w;
END $$;

-- Pays a player's debt out of money that has just become spendable: debt comes first (contract 2.1).
CREATE OR REPLACE FUNCTION ledger_repay(w wallet_wallet, p_increase bigint, p_transaction uuid, p_actor text, p_at timestamptz)
RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
BEGIN
    IF w.debt > 0 AND p_increase > 0 THEN
        w := ledger_append(w, p_transaction, 'debt_repaid', 'spendable', 'debt', least(w.debt, p_increase), 0, p_actor, '', p_at, NULL);
    END IF;
    RETURN w;
END $$;

-- Ends a pending transaction: p_event is confirmed, rolled_back or expired.
--
-- Before: the caller holds the lock on the wallet's row; `w` and `t` were read under it, and `t` is pending in `w`.
CREATE OR REPLACE FUNCTION ledger_finish(
    w wallet_wallet, t wallet_transaction, p_event text, p_source text, p_actor text, p_reason text, p_at timestamptz
) RETURNS wallet_wallet
LANGUAGE plpgsql AS $$
DECLARE
    ending bytea := ledger_ending(p_source, p_reason);
    before bigint := w.spendable;
BEGIN
    IF t.type = 'withdrawal' AND p_event = 'confirmed' THEN
        w := ledger_append(w, t.id, p_event, 'reserved', 'game_revenue', t.amount, 0, p_actor, '', p_at, ending);
    ELSIF t.type = 'set_aside' AND p_event = 'confirmed' THEN
        w := ledger_append(w, t.id, p_event, 'reserved', 'issuance', t.amount, 0, p_actor, '', p_at, ending);
    ELSIF t.type IN ('withdrawal', 'set_aside') THEN
        w := ledger_append(w, t.id, p_event, 'reserved', 'spendable', t.amount, 0, p_actor, '', p_at, ending);
    ELSIF p_event = 'confirmed' THEN
        w := ledger_append(w, t.id, p_event, 'game_payout', 'spendable', t.amount, -t.amount, p_actor, '', p_at, ending);
    ELSE
        w := ledger_append(w, t.id, p_event, NULL, NULL, t.amount, -t.amount, p_actor, '', p_at, ending);
    END IF;
    w := ledger_repay(w, w.spendable - before, t.id, p_actor, p_at);
    -- settled_at, not state: a plan may not be tempted by the index of what is pending, which is small only when it is planned.
    UPDATE wallet_transaction
    SET state = p_event, settled_at = p_at, settled_seq = w.entry_count, settled_source = p_source, settled_actor = p_actor, reason = p_reason
    WHERE id = t.id AND settled_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'transaction % was settled without the lock on its wallet', t.id;
    END IF;
    RETURN w;
END $$;
