-- What a sweep does to many transactions at once.

-- Expires those of p_transactions that are pending and due. Returns how many.
--
-- A wallet that somebody else works on at this moment is left for the next sweep, so that no game waits for a
-- batch, and two sweeps at once cannot lock each other out.
CREATE OR REPLACE FUNCTION ledger_expire(p_transactions uuid[], p_actor text, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wallet wallet_wallet;
    pending wallet_transaction;
    expired integer := 0;
BEGIN
    FOR wallet IN
        SELECT * FROM wallet_wallet
        WHERE id IN (SELECT wallet_id FROM wallet_transaction WHERE id = ANY (p_transactions))
        ORDER BY id
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        FOR pending IN
            SELECT * FROM wallet_transaction
            WHERE id = ANY (p_transactions) AND wallet_id = wallet.id AND settled_at IS NULL
              AND due_at <= wallet_now()
            ORDER BY id
        LOOP
            wallet := ledger_finish(wallet, pending.id, pending.type, pending.amount, 'expired',
                                    'sweep', p_actor, p_reason, wallet_now());
            expired := expired + 1;
        END LOOP;
    END LOOP;
    RETURN expired;
END $$;
