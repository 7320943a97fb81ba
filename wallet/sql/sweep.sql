-- What a sweep does to many transactions at once.

-- Expires those of p_transactions that are pending and due. Returns how many.
--
-- A wallet that somebody else works on at this moment is left for the next sweep, so that no game waits for a
-- batch, and two sweeps at once cannot lock each other out.
CREATE OR REPLACE FUNCTION ledger_expire(p_transactions uuid[], p_actor text, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named record;
    due record;
    wallet wallet_wallet;
    expired integer := 0;
BEGIN
    FOR named IN
        SELECT DISTINCT player_id, wallet_id FROM wallet_transaction WHERE id = ANY (p_transactions)
        ORDER BY wallet_id
    LOOP
        SELECT * INTO wallet FROM wallet_wallet
        WHERE player_id = named.player_id AND id = named.wallet_id FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        -- A statement of its own, after the lock: it sees what the ones before us committed.
        FOR due IN
            SELECT id, type, amount FROM wallet_transaction
            WHERE player_id = named.player_id AND id = ANY (p_transactions) AND wallet_id = named.wallet_id
              AND settled_at IS NULL AND due_at <= wallet_now()
            ORDER BY id
        LOOP
            wallet := ledger_finish(wallet, due.id, due.type, due.amount, 'expired',
                                    'sweep', p_actor, p_reason, wallet_now());
            expired := expired + 1;
        END LOOP;
    END LOOP;
    RETURN expired;
END $$;
