"""Identifiers of an existing table are ordered by their bytes from now on, while others use it."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from lib import collate_c
from lib.collate_c import HiddenDuplicates, indexes_of, patiently
from tests.conftest import in_database
from tests.support.own_database import empty_database

Owner = psycopg.Connection[Any]
SCHEMA = """
    DROP TABLE IF EXISTS item, call;
    CREATE TABLE item (id int PRIMARY KEY, type varchar(8), ref varchar(64), state text, name text);
    ALTER TABLE item ADD CONSTRAINT item_once UNIQUE (id, type, ref);
    CREATE UNIQUE INDEX item_ref ON item (ref);
    CREATE INDEX item_state ON item (state, id DESC);
    CREATE UNIQUE INDEX item_open ON item (type, ref) WHERE state = 'open';
    CREATE INDEX item_name ON item (name);
    CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'frozen'; END $$;
    CREATE TRIGGER item_is_frozen BEFORE UPDATE ON item FOR EACH ROW
        WHEN (OLD.ref IS DISTINCT FROM NEW.ref) EXECUTE FUNCTION refuse();
    CREATE TABLE call (id int, day int, ref varchar(64), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE INDEX call_by_ref ON call (ref);
    CREATE TABLE call_1 PARTITION OF call FOR VALUES FROM (1) TO (2);
    CREATE TABLE call_rest PARTITION OF call DEFAULT;
    INSERT INTO item VALUES (1, 'a', '1-12', 'open', 'x'), (2, 'a', '11-2', 'open', 'y');
    INSERT INTO call VALUES (1, 1, '1-12'), (2, 5, '11-2');
"""
KEYS = """
    SELECT i.indexrelid::regclass::text, string_agg(c.collname, ',' ORDER BY k.place)
    FROM pg_index i CROSS JOIN LATERAL unnest(i.indcollation::oid[]) WITH ORDINALITY k(coll, place)
    JOIN pg_collation c ON c.oid = k.coll
    WHERE i.indrelid::regclass::text IN ('item', 'call', 'call_1', 'call_rest') AND i.indisvalid
    GROUP BY 1 ORDER BY 1
"""
DEFINITIONS = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid::regclass::text IN ('item', 'call', 'call_1', 'call_rest') ORDER BY 1
"""


@pytest.fixture(scope="module")
def database_of_items(database: None, database_name: str) -> Iterator[Owner]:
    with empty_database(f"{database_name}_c") as owner:
        yield owner


@pytest.fixture
def items(database_of_items: Owner) -> Owner:
    database_of_items.execute(SCHEMA)
    return database_of_items


def change(table: str, *columns: str) -> None:
    with patiently(connection.cursor) as cursor:
        collate_c.collate_c(cursor, table, list(columns))


def test_collate_c__changes_the_columns_order_and_nothing_else(items: Owner) -> None:
    before = items.execute(DEFINITIONS).fetchall()
    change("item", "type", "ref", "state")
    change("call", "ref")
    assert items.execute(DEFINITIONS).fetchall() == before
    assert items.execute(KEYS).fetchall() == [
        ("call_1_ref_idx", "C"),
        ("call_by_ref", "C"),
        ("call_rest_ref_idx", "C"),
        ("item_name", "default"),
        ("item_once", "C,C"),
        ("item_open", "C,C"),
        ("item_ref", "C"),
        ("item_state", "C"),
    ]
    with pytest.raises(psycopg.errors.UniqueViolation, match="duplicate key"):
        items.execute("INSERT INTO item VALUES (4, 'a', '1-12', 'shut')")
    with pytest.raises(psycopg.errors.RaiseException, match="frozen"):
        items.execute("UPDATE item SET ref = 'other' WHERE id = 1")


def test_collate_c__locks_the_table_for_no_building_of_an_index(items: Owner) -> None:
    """The indexes that were built beside the old ones are those that stay."""
    with patiently(connection.cursor) as cursor:
        indexes = indexes_of(cursor, "item", ["type", "ref", "state"])
        assert [index.name for index in indexes] == ["item_once", "item_ref", "item_state"]
        for index in indexes:
            collate_c.build(cursor, index, ["type", "ref", "state"])
    built = dict(items.execute("SELECT relname, relfilenode FROM pg_class WHERE relname ~ '^item_.*_c$'"))
    change("item", "type", "ref", "state")
    kept = dict(items.execute("SELECT relname, relfilenode FROM pg_class WHERE relname ~ '^item_'"))
    assert {name.removesuffix("_c"): file for name, file in built.items()}.items() <= kept.items()


def test_collate_c__stands_aside_for_who_has_the_table(items: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = psycopg.connect(in_database(os.environ["DATABASE_OWNER_URL"], items.info.dbname))
    reader.execute("SELECT FROM item")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        items.execute("INSERT INTO item VALUES (3, 'a', 'meanwhile', 'open')")
        pauses.append(seconds)
        reader.rollback()

    monkeypatch.setattr("lib.collate_c.time.sleep", pause)
    change("item", "ref")
    reader.close()
    assert pauses == [collate_c.PAUSE_SECONDS]
    assert dict(items.execute(KEYS).fetchall())["item_ref"] == "C"


def test_collate_c__tells_of_duplicates_and_can_be_repeated(items: Owner) -> None:
    """An index that has lost sight of a row is as good as one that does not forbid it."""
    items.execute("INSERT INTO item VALUES (3, 'a', 'third', 'open')")
    items.execute("DROP INDEX item_ref; DROP INDEX item_open; CREATE UNIQUE INDEX item_ref ON item (ref)")
    items.execute("SET session_replication_role = replica")
    items.execute("UPDATE pg_index SET indisunique = false WHERE indexrelid = 'item_ref'::regclass")
    items.execute("UPDATE item SET ref = '1-12' WHERE id = 3")
    items.execute("UPDATE pg_index SET indisunique = true WHERE indexrelid = 'item_ref'::regclass")
    with pytest.raises(HiddenDuplicates, match="item has a key twice, which item_ref should have refused"):
        change("item", "ref")
    assert dict(items.execute(KEYS).fetchall())["item_ref"] == "default"
    items.execute("DELETE FROM item WHERE id = 3; RESET session_replication_role")
    change("item", "ref")
    assert dict(items.execute(KEYS).fetchall())["item_ref"] == "C"
    assert items.execute("SELECT count(*) FROM pg_class WHERE relname ~ '_c$'").fetchone() == (0,)


def test_collate_c__begun_again_does_nothing(items: Owner) -> None:
    change("item", "ref")
    before = items.execute("SELECT relfilenode FROM pg_class WHERE relname = 'item_ref'").fetchone()
    change("item", "ref")
    assert items.execute("SELECT relfilenode FROM pg_class WHERE relname = 'item_ref'").fetchone() == before
