-- What holds whatever the code does: rows that can never change, and decimals that stay.

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
