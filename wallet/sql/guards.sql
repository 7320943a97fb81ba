-- What holds whatever the code does: sums that can never be, rows that can never change, and decimals that stay.

-- A wallet's money is never negative, and stays below the bound of the contract (section 1, Amounts).
--
-- A function, because PostgreSQL reads a CHECK anew from its stored text for every row it writes: written out, this one was
-- a tenth of a withdrawal. Only the ledger's functions can write these tables at all, and the audit knows the whole rules.
CREATE FUNCTION wallet_is_sound(w wallet_wallet) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- The sign bit of any of the four.
    RETURN (w.spendable | w.reserved | w.announced | w.debt) >= 0 AND w.spendable + w.reserved + w.announced < 1000000000000000000;
END $$;

ALTER TABLE wallet_wallet ADD CONSTRAINT wallet_is_sound CHECK (wallet_is_sound(wallet_wallet));
ALTER TABLE wallet_entry ADD CONSTRAINT entry_amount_is_positive CHECK (amount > 0);

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON wallet_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON wallet_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transaction_is_never_deleted BEFORE DELETE ON wallet_transaction
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transaction_is_never_truncated BEFORE TRUNCATE ON wallet_transaction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER wallet_is_never_deleted BEFORE DELETE ON wallet_wallet
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Amounts are stored without their decimals, and processes remember them: they can never change, not even by deleting the row.
CREATE TRIGGER currency_decimals_never_change BEFORE UPDATE OF code, decimals ON wallet_currency
FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code OR OLD.decimals IS DISTINCT FROM NEW.decimals) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER currency_is_never_deleted BEFORE DELETE ON wallet_currency
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A wallet row is rewritten at every call: room on its page keeps the new version there, beside no index work.
ALTER TABLE wallet_wallet SET (fillfactor = 50);
