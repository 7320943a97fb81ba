-- What a sweep does to many transactions at once.

-- Expires those of p_transactions that are pending and due. Returns how many.
--
-- A wallet that somebody else works on at this moment is left for the next sweep, so that no game waits for a
-- batch, and two sweeps at once cannot lock each other out.
CREATE OR REPLACE FUNCTION ledger_expire(p_transactions uuid[], p_actor text, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    locked uuid[];
    due record;
    wallet wallet_wallet;
    expired integer := 0;
BEGIN
    locked := ARRAY(
        SELECT id FROM wallet_wallet
        WHERE id IN (SELECT wallet_id FROM wallet_transaction WHERE id = ANY (p_transactions))
        FOR NO KEY UPDATE SKIP LOCKED);
    -- A statement of its own, after the locks: it sees what the ones before us committed.
    FOR due IN
        SELECT held AS wallet, pending.id, pending.type, pending.amount
        FROM wallet_transaction pending JOIN wallet_wallet held ON held.id = pending.wallet_id
        WHERE pending.id = ANY (p_transactions) AND pending.wallet_id = ANY (locked)
          AND pending.settled_at IS NULL AND pending.due_at <= wallet_now()
        ORDER BY pending.wallet_id, pending.id
    LOOP
        IF (due.wallet).id IS DISTINCT FROM wallet.id THEN
            wallet := due.wallet;
        END IF;
        wallet := ledger_finish(wallet, due.id, due.type, due.amount, 'expired',
                                'sweep', p_actor, p_reason, wallet_now());
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END $$;
