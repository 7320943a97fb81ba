-- Triggers need their functions to exist; the bodies are installed after every migrate
-- (wallet/sql/payout.sql).
CREATE FUNCTION payout_limit_counts() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;
CREATE FUNCTION payout_limit_changed() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE restrict_violation; END $$;

CREATE TRIGGER payout_limit_counts BEFORE INSERT OR UPDATE ON wallet_payoutlimit
FOR EACH ROW EXECUTE FUNCTION payout_limit_counts();
CREATE TRIGGER payout_limit_changed AFTER INSERT OR UPDATE ON wallet_payoutlimit
FOR EACH ROW WHEN (NEW.daily_payout IS NOT NULL) EXECUTE FUNCTION payout_limit_changed();
CREATE TRIGGER payout_limit_is_frozen BEFORE UPDATE ON wallet_payoutlimit
FOR EACH ROW WHEN (
    (OLD.id, OLD.game_id, OLD.currency_id) IS DISTINCT FROM (NEW.id, NEW.game_id, NEW.currency_id)
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_limit_is_never_deleted BEFORE DELETE ON wallet_payoutlimit
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_limit_is_never_truncated BEFORE TRUNCATE ON wallet_payoutlimit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A counter is written again and again: its page keeps room for the next versions.
ALTER TABLE wallet_payoutcounter SET (fillfactor = 50);
