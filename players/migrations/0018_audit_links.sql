-- The chain over the audit trail is only ever added to.
CREATE TRIGGER audit_link_is_append_only BEFORE UPDATE OR DELETE ON players_auditlink
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_link_is_never_truncated BEFORE TRUNCATE ON players_auditlink
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
