-- Rows that are never changed, deleted, or both.

CREATE TRIGGER player_event_is_append_only BEFORE UPDATE OR DELETE ON players_playerevent
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER player_event_is_never_truncated BEFORE TRUNCATE ON players_playerevent
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Transactions carry their game without a database constraint (the lock on its one row would be hot), so this
-- stands in.
CREATE TRIGGER game_is_never_deleted BEFORE DELETE ON players_game
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER player_is_never_deleted BEFORE DELETE ON players_player
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A session that a transaction names is never deleted (contract 2.2).
CREATE TRIGGER named_session_is_never_deleted BEFORE DELETE ON players_gamesession
FOR EACH ROW WHEN (OLD.is_kept) EXECUTE FUNCTION refuse_change();
