-- The settings' values are installed after every migrate (wallet/apps.py).
CREATE FUNCTION wallet_zone() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'UTC'::text $$;
CREATE FUNCTION wallet_longest_session() RETURNS interval
LANGUAGE sql STABLE AS $$ SELECT interval '86400 seconds' $$;

CREATE TRIGGER player_limit_is_never_deleted BEFORE DELETE ON wallet_playerlimit
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER player_limit_is_never_truncated BEFORE TRUNCATE ON wallet_playerlimit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER limit_change_is_kept BEFORE UPDATE OR DELETE ON wallet_limitchange
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER limit_change_is_never_truncated BEFORE TRUNCATE ON wallet_limitchange
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A row of usage is written again and again: its page keeps room for the next versions.
ALTER TABLE wallet_limitusage SET (fillfactor = 50);
