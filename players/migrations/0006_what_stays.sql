-- What a session stands for never changes (contract 2.2): nobody else's token, no other wallet. It is kept
-- for good once a transaction names it, and neither comes back to life nor lives longer.
CREATE TRIGGER session_is_frozen BEFORE UPDATE ON players_gamesession
FOR EACH ROW WHEN (
    (OLD.id, OLD.token_hash, OLD.player_id, OLD.game_id, OLD.currency_code, OLD.created_at)
    IS DISTINCT FROM
    (NEW.id, NEW.token_hash, NEW.player_id, NEW.game_id, NEW.currency_code, NEW.created_at)
    OR (OLD.is_kept AND NOT NEW.is_kept)
    OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    OR NEW.expires_at > OLD.expires_at
) EXECUTE FUNCTION refuse_change();

-- A credential stays its owner's, with the password that it was made with, and what is revoked stays so.
-- The call log names it.
CREATE TRIGGER credential_is_frozen BEFORE UPDATE ON players_credential
FOR EACH ROW WHEN (
    (OLD.id, OLD.kind, OLD.game_id, OLD.password_hash, OLD.created_at)
    IS DISTINCT FROM
    (NEW.id, NEW.kind, NEW.game_id, NEW.password_hash, NEW.created_at)
    OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER credential_is_never_deleted BEFORE DELETE ON players_credential
FOR EACH ROW EXECUTE FUNCTION refuse_change();
