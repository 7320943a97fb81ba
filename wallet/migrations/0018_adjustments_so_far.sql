-- Adjustments from before this table was there: of the operator whose name the journal has.
INSERT INTO wallet_adjustment (id, operator_id, player_id, currency_id, type, amount, actor, reason, at)
SELECT
    made.id,
    operator.id AS operator_id,
    made.player_id,
    wallet.currency_id,
    made.type,
    made.amount,
    made.actor,
    made.reason,
    made.opened_at
FROM wallet_transaction AS made
INNER JOIN wallet_wallet AS wallet ON made.wallet_id = wallet.id
LEFT JOIN players_operator AS operator ON made.actor = left('operator:' || operator.username, 80)
WHERE made.type IN ('credit', 'debit')
ON CONFLICT DO NOTHING;

-- Rows that were written have checks of their keys pending, and a table with those gets no trigger.
SET CONSTRAINTS ALL IMMEDIATE;

-- A trigger needs its function to exist; its body is installed after every migrate (wallet/sql/operate.sql).
CREATE FUNCTION adjustment_is_an_operators() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;

CREATE TRIGGER adjustment_is_an_operators BEFORE INSERT ON wallet_adjustment
FOR EACH ROW EXECUTE FUNCTION adjustment_is_an_operators();
CREATE TRIGGER adjustment_is_append_only BEFORE UPDATE OR DELETE ON wallet_adjustment
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER adjustment_is_never_truncated BEFORE TRUNCATE ON wallet_adjustment
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
