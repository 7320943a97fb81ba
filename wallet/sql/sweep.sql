-- What a sweep does to many transactions at once.

-- Expires those of p_transactions that are pending and due. Returns how many.
--
-- A wallet that somebody else works on at this moment is left for the next sweep, so that no game waits for a batch, and
-- two sweeps at once cannot lock each other out.
CREATE OR REPLACE FUNCTION ledger_expire(p_transactions uuid[], p_actor text, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    w wallet_wallet;
    t wallet_transaction;
    expired integer := 0;
BEGIN
    FOR w IN
        SELECT w0.* FROM wallet_wallet w0
        WHERE w0.id IN (SELECT t0.wallet_id FROM wallet_transaction t0 WHERE t0.id = ANY (p_transactions))
        ORDER BY w0.id
        FOR NO KEY UPDATE OF w0 SKIP LOCKED
    LOOP
        FOR t IN
            SELECT * FROM wallet_transaction t0
            WHERE t0.id = ANY (p_transactions) AND t0.wallet_id = w.id AND t0.settled_at IS NULL AND t0.due_at <= wallet_now()
            ORDER BY t0.id
        LOOP
            w := ledger_finish(w, t, 'expired', 'sweep', p_actor, p_reason, wallet_now());
            expired := expired + 1;
        END LOOP;
    END LOOP;
    RETURN expired;
END $$;
