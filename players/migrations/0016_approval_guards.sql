-- Requests end once, decided by a second person; their events and rules are never deleted.

CREATE TRIGGER approval_goes_its_way BEFORE INSERT OR UPDATE ON players_approval
FOR EACH ROW EXECUTE FUNCTION approval_goes_its_way();
CREATE TRIGGER approval_is_never_deleted BEFORE DELETE ON players_approval
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_is_never_truncated BEFORE TRUNCATE ON players_approval
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER approval_event_is_append_only BEFORE UPDATE OR DELETE ON players_approvalevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_event_is_never_truncated BEFORE TRUNCATE ON players_approvalevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
