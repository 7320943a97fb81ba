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
