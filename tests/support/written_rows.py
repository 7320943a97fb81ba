"""Which rows are written, and in which transactions; and commits that fail once an act is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

# The function is its owner's: the application may not write into the notes by itself.
INSTALL = """
CREATE TABLE noted_write (number bigint GENERATED ALWAYS AS IDENTITY, name text, what text, id xid8);
CREATE TABLE spoiled (is_on boolean NOT NULL);
INSERT INTO spoiled VALUES (false);
CREATE FUNCTION note_write() RETURNS trigger SECURITY DEFINER SET search_path = public
LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO noted_write (name, what, id) VALUES (TG_TABLE_NAME, lower(TG_OP), pg_current_xact_id());
    RETURN NULL;
END $$;
CREATE FUNCTION spoil_commit() RETURNS trigger SECURITY DEFINER SET search_path = public
LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT is_on FROM spoiled) THEN RAISE EXCEPTION 'this commit is spoiled'; END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER zz_spoil AFTER INSERT ON players_auditevent DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.outcome = 'done') EXECUTE FUNCTION spoil_commit();
"""
REMOVE = "DROP FUNCTION note_write(), spoil_commit() CASCADE; DROP TABLE noted_write, spoiled"
NOTE = (
    "CREATE TRIGGER zz_note AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION note_write()"
)
TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    AND relname NOT IN ('noted_write', 'spoiled')
"""


class Write(NamedTuple):
    """One row that was written: its table, insert, update or delete, and the transaction."""

    table: str
    what: str
    transaction: str


class WrittenRows:
    """All rows that anybody writes in the tests' database."""

    def __init__(self, owner: "psycopg.Connection[Any]") -> None:
        self.owner = owner

    @contextmanager
    def noted(self) -> Iterator[list[Write]]:
        """The list is filled at the end of the block, in the order of the writes."""
        self.owner.execute("TRUNCATE noted_write")
        found: list[Write] = []
        yield found
        rows = self.owner.execute("SELECT name, what, id::text FROM noted_write ORDER BY number")
        found.extend(Write(*row) for row in rows)

    @contextmanager
    def spoiled(self) -> Iterator[None]:
        """Every transaction that records an act as done fails at its end."""
        self.owner.execute("UPDATE spoiled SET is_on = true")
        try:
            yield
        finally:
            self.owner.execute("UPDATE spoiled SET is_on = false")


@contextmanager
def written_rows(owner: "psycopg.Connection[Any]") -> Iterator[WrittenRows]:
    """They are noted within the block, by triggers."""
    with owner.transaction():
        tables = [name for (name,) in owner.execute(TABLES)]
        owner.execute(INSTALL)
        for name in tables:
            owner.execute(sql.SQL(NOTE).format(sql.Identifier(name)))
    try:
        yield WrittenRows(owner)
    finally:
        owner.execute(REMOVE)
