-- What an operator accepted is recognised by its fingerprint: it stays as the words do.
DROP TRIGGER alert_is_frozen ON wallet_alert;
CREATE TRIGGER alert_is_frozen BEFORE UPDATE ON wallet_alert
FOR EACH ROW WHEN (
    (OLD.id, OLD.kind, OLD.subject, OLD.wallet_id, OLD.raised_at)
    IS DISTINCT FROM
    (NEW.id, NEW.kind, NEW.subject, NEW.wallet_id, NEW.raised_at)
    OR (OLD.resolved_at IS NOT NULL
        AND (OLD.resolved_at, OLD.resolved_by, OLD.reason, OLD.text, OLD.finding)
        IS DISTINCT FROM (NEW.resolved_at, NEW.resolved_by, NEW.reason, NEW.text, NEW.finding))
) EXECUTE FUNCTION refuse_change();
