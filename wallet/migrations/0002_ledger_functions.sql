-- What the ledger's functions stand on: what they answer, the call log, and the guards of history.

-- outcome: the name of what was decided; wallet/api/errors.py says which answer each one is.
-- balance: what was spendable right after the operation that the answer is about, in minor units.
CREATE TYPE ledger_answer AS (
    outcome        text,
    replayed       boolean,
    player_id      uuid,
    transaction_id uuid,
    balance        bigint,
    currency_code  text
);

-- The call log: one row per wallet call that names a transaction, partitioned by day, dropped by age.
CREATE TABLE wallet_apicall (
    id                uuid        NOT NULL,
    at                timestamptz NOT NULL,
    game_id           uuid        NOT NULL,
    player_id         uuid,
    transaction_id    uuid,
    credential        uuid        NOT NULL,
    endpoint          varchar(20) NOT NULL,
    mm_transaction_id varchar(64) NOT NULL,
    amount            bigint,
    currency_code     varchar(12) NOT NULL,
    address           inet        NOT NULL,
    outcome           varchar(20) NOT NULL,
    replayed          boolean     NOT NULL,
    took_us           integer     NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

CREATE INDEX wallet_apicall_by_mm_id ON wallet_apicall (mm_transaction_id);

-- A day that nobody prepared must never stop a withdrawal.
CREATE TABLE wallet_apicall_default PARTITION OF wallet_apicall DEFAULT;

-- What holds whatever the code does: sums that can never be, rows that can never change, decimals
-- that stay.

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

-- Amounts are stored without their decimals, and processes remember them: they can never change, not even by
-- deleting the row.
CREATE TRIGGER currency_decimals_never_change BEFORE UPDATE OF code, decimals ON wallet_currency
FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code OR OLD.decimals IS DISTINCT FROM NEW.decimals)
EXECUTE FUNCTION refuse_change();
CREATE TRIGGER currency_is_never_deleted BEFORE DELETE ON wallet_currency
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A wallet row is rewritten at every call: room on its page keeps the new version there, without work for
-- indexes.
ALTER TABLE wallet_wallet SET (fillfactor = 50);
