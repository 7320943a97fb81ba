CREATE TABLE demo_clock (
    id smallint PRIMARY KEY CHECK (id = 1),
    moved_by_seconds bigint NOT NULL CHECK (moved_by_seconds >= 0)
);
INSERT INTO demo_clock (id, moved_by_seconds) VALUES (1, 0);

-- The journal is written in the order of time: it must not go back.
CREATE TRIGGER demo_clock_goes_forward BEFORE UPDATE ON demo_clock
FOR EACH ROW WHEN (NEW.moved_by_seconds < OLD.moved_by_seconds) EXECUTE FUNCTION refuse_change();
