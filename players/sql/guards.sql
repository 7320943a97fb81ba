-- What every guard's trigger does: rows are never changed, deleted, or both.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are never changed or deleted', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

-- What the triggers on operators' names do.
CREATE OR REPLACE FUNCTION refuse_operator_name() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an operator''s name has letters without accents, digits and @ . + - _ only'
        USING ERRCODE = 'check_violation';
END $$;

-- Who is a superuser is decided on the machine, by whoever has the address of the database's owner.
CREATE OR REPLACE FUNCTION superusers_are_the_owners() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION 'only the owner of the database makes superusers, or ends it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- A request begins open, ends once, and never says anything else than it did when it was made.
CREATE OR REPLACE FUNCTION approval_goes_its_way() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    ended players_approval := OLD;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' THEN
            RAISE EXCEPTION 'an approval begins as a request' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'requested' AND NEW.state = 'requested' AND OLD.sealed <> '' AND NEW.sealed <> '' THEN
        -- The same secret, sealed with a newer key (reseal_secrets).
        ended.sealed := NEW.sealed;
        IF ended IS DISTINCT FROM NEW THEN
            RAISE EXCEPTION 'what was requested never changes' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'requested' OR NEW.state = 'requested' THEN
        RAISE EXCEPTION 'an approval ends once' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.state = 'expired') IS DISTINCT FROM (NOT OLD.is_alone AND OLD.expires_at <= NEW.ended_at)
        OR NEW.ended_at > wallet_now() THEN
        RAISE EXCEPTION 'a request expires when its time is over, and ends otherwise only before'
            USING ERRCODE = 'restrict_violation';
    END IF;
    ended.state := NEW.state;
    ended.sealed := NEW.sealed;
    ended.decided_by_id := NEW.decided_by_id;
    ended.decision_reason := NEW.decision_reason;
    ended.ended_at := NEW.ended_at;
    ended.result := NEW.result;
    IF ended IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'what was requested never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
