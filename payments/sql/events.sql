-- Something has happened to an order, whose lock its writer holds.
CREATE OR REPLACE FUNCTION event_of_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM event_note('order', told.player_id, NEW.id, NULL, NEW.at)
    FROM payments_order told WHERE told.id = NEW.order_id;
    RETURN NULL;
END $$;
