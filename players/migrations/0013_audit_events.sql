-- The audit trail is only ever added to.
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE ON players_auditevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_is_never_truncated BEFORE TRUNCATE ON players_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
