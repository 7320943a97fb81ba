-- A wallet's money is never negative, and stays below the bound.
--
-- A function, because PostgreSQL reads a CHECK anew from its stored text for every row it writes: written
-- out, this one was a tenth of a withdrawal. Only the ledger's functions can write these tables at all, and
-- the audit knows the whole rules.
CREATE OR REPLACE FUNCTION wallet_is_sound(wallet wallet_wallet) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- The sign bit of any of the four.
    RETURN (wallet.spendable | wallet.reserved | wallet.announced | wallet.debt) >= 0
       AND wallet.spendable + wallet.reserved + wallet.announced < wallet_bound();
END $$;
