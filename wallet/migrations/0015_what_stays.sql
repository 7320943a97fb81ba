-- What the platform found wrong by itself stays on record, and so do the words that an operator accepted.
CREATE TRIGGER alert_is_never_deleted BEFORE DELETE ON wallet_alert
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alert_is_never_truncated BEFORE TRUNCATE ON wallet_alert
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alert_is_frozen BEFORE UPDATE ON wallet_alert
FOR EACH ROW WHEN (
    (OLD.id, OLD.kind, OLD.subject, OLD.wallet_id, OLD.raised_at)
    IS DISTINCT FROM
    (NEW.id, NEW.kind, NEW.subject, NEW.wallet_id, NEW.raised_at)
    OR (OLD.resolved_at IS NOT NULL
        AND (OLD.resolved_at, OLD.resolved_by, OLD.reason, OLD.text)
        IS DISTINCT FROM (NEW.resolved_at, NEW.resolved_by, NEW.reason, NEW.text))
) EXECUTE FUNCTION refuse_change();

-- The other columns of a checkpoint are compared with its signed file, and put right from there.
CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON wallet_checkpoint
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_is_never_truncated BEFORE TRUNCATE ON wallet_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_is_frozen BEFORE UPDATE ON wallet_checkpoint
FOR EACH ROW WHEN ((OLD.number, OLD.file) IS DISTINCT FROM (NEW.number, NEW.file))
EXECUTE FUNCTION refuse_change();
