"""Makes identifier columns of a table `COLLATE "C"`, while the platform goes on.

A database's language decides how its unique indexes order text, and an upgrade of the operating system may
change that order: an index built before then no longer finds some of its entries. Bytes have one order.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from lib.database import sqlstate

LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
# How long calls may have to wait behind us for a table, and how often we stand aside for them.
LOCK_TIMEOUT = "1s"
TRIES = 60
PAUSE_SECONDS = 1.0

# The columns of a table that are not in the order of bytes yet, with their types.
COLUMNS = """
    SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attname = ANY(%s)
      AND attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'C' AND collencoding = -1)
"""
# The indexes of a table and its partitions on these columns that can be built beside the old ones. Others are
# rebuilt with the column: PostgreSQL keeps no partial index then, and a key that others refer to is small.
INDEXES = """
    SELECT indrelid::regclass::text, indexrelid::regclass::text, relkind = 'I', pg_get_indexdef(indexrelid),
        (SELECT conname FROM pg_constraint WHERE conindid = indexrelid AND contype = 'u')
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE (indrelid = %(table)s::regclass
           OR indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass))
      AND indpred IS NULL AND indisvalid AND NOT indisprimary
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype = 'f')
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey)
                  AND attname = ANY(%(columns)s))
      AND right(relname, 2) <> '_c'
    ORDER BY 2
"""
# A column that a trigger names cannot be changed under it.
TRIGGERS = """
    SELECT DISTINCT quote_ident(tgname), pg_get_triggerdef(pg_trigger.oid)
    FROM pg_trigger JOIN pg_depend ON classid = 'pg_trigger'::regclass AND objid = pg_trigger.oid
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE tgrelid = %s::regclass AND NOT tgisinternal AND attname = ANY(%s)
"""


class Index(NamedTuple):
    """An index on an identifier; `constraint` is the name of the unique constraint that it holds."""

    table: str
    name: str
    is_partitioned: bool
    definition: str
    constraint: str | None

    @property
    def new_name(self) -> str:
        return f"{self.name[:61]}_c"

    def in_bytes(self, columns: Sequence[str], name: str, *, concurrently: bool = False) -> str:
        """The statement that makes the same index under a name, in the order of bytes."""
        head, keys = self.definition.split(" USING ", 1)
        for column in columns:
            keys = re.sub(rf"(?<=[( ]){re.escape(column)}(?=[ ,)])", f'{column} COLLATE "C"', keys, count=1)
        unique = "UNIQUE " * head.startswith("CREATE UNIQUE")
        word = "CONCURRENTLY " * concurrently
        return f"CREATE {unique}INDEX {word}{name} ON {self.table} USING {keys}"


class HiddenDuplicates(Exception):
    """A unique index did not find some of its entries, and has let the same in again."""


class CollateC(Operation):
    """A migration's operation; its migration has `atomic = False`. It may be cut off and begun again."""

    reversible = True
    reduces_to_sql = False
    atomic = False

    def __init__(self, table: str, *columns: str) -> None:
        self.table = table
        self.columns = list(columns)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models' state is told by `AlterField`."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        with patiently(schema_editor.connection.cursor) as cursor:
            collate_c(cursor, self.table, self.columns)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """An earlier version works with these columns as well."""

    def describe(self) -> str:
        return f'Make identifiers of {self.table} COLLATE "C"'


@contextmanager
def patiently(cursor_of: Callable[[], CursorWrapper]) -> Iterator[CursorWrapper]:
    """A cursor whose statements may take their time, as the building of an index does."""
    with cursor_of() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        try:
            yield cursor
        finally:
            cursor.execute("RESET statement_timeout; RESET lock_timeout")


def collate_c(cursor: CursorWrapper, table: str, columns: list[str]) -> None:
    """Builds each index anew beside the old one, then changes the columns and swaps: a moment's lock."""
    cursor.execute(COLUMNS, [table, columns])
    types: dict[str, str] = dict(cursor.fetchall())
    if not types:
        return
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 (a migration's own word)
    indexes = indexes_of(cursor, table, columns) if cursor.fetchone()[0] else []
    for index in indexes:
        if not index.is_partitioned:
            build(cursor, index, list(types))
    for number in range(1, TRIES + 1):
        try:
            with transaction.atomic(using=cursor.db.alias):
                swap(cursor, table, types, indexes)
        except OperationalError as problem:
            if sqlstate(problem) not in (LOCK_NOT_AVAILABLE, DEADLOCK) or number == TRIES:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            break


def indexes_of(cursor: CursorWrapper, table: str, columns: list[str]) -> list[Index]:
    cursor.execute(INDEXES, {"table": table, "columns": columns})
    return [Index(*row) for row in cursor.fetchall()]


def build(cursor: CursorWrapper, index: Index, columns: list[str]) -> None:
    """Builds the index under its new name, unless an earlier try came so far."""
    cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index.new_name])
    row = cursor.fetchone()
    if row and row[0]:
        return
    cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.new_name}")
    try:
        cursor.execute(index.in_bytes(columns, index.new_name, concurrently=True))
    except IntegrityError as problem:
        raise HiddenDuplicates(
            f"{index.table} has a key twice, which {index.name} should have refused: the order of the "
            "database's language has changed since that index was built. `manage.py audit_ledger` lists what "
            'came twice; see "After an upgrade of the operating system" in docs/production.md.'
        ) from problem


def swap(cursor: CursorWrapper, table: str, types: dict[str, str], indexes: Sequence[Index]) -> None:
    """Gives the columns their order, and the new indexes the place of the old ones: none is built here."""
    columns = list(types)
    cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    cursor.execute(TRIGGERS, [table, [column.strip('"') for column in columns]])
    triggers: list[tuple[str, str]] = cursor.fetchall()
    for name, _ in triggers:
        cursor.execute(f"DROP TRIGGER {name} ON {table}")
    for index in sorted(indexes, key=lambda index: not index.is_partitioned):
        drop(cursor, index)
    changes = ", ".join(f'ALTER COLUMN {name} TYPE {type_} COLLATE "C"' for name, type_ in types.items())
    cursor.execute(f"ALTER TABLE {table} {changes}")
    for index in sorted(indexes, key=lambda index: index.is_partitioned):
        put_in_place(cursor, index, columns)
    for _, definition in triggers:
        cursor.execute(definition)


def drop(cursor: CursorWrapper, index: Index) -> None:
    """Drops an old index; those of partitions go with their table's."""
    if index.constraint:
        cursor.execute(f"ALTER TABLE {index.table} DROP CONSTRAINT {index.constraint}")
    else:
        cursor.execute(f"DROP INDEX IF EXISTS {index.name}")


def put_in_place(cursor: CursorWrapper, index: Index, columns: Sequence[str]) -> None:
    """Gives a new index the old one's name and task; a partitioned table takes up those of its partitions."""
    if index.is_partitioned:
        cursor.execute(index.in_bytes(columns, index.name))
    elif index.constraint:
        cursor.execute(
            f"ALTER TABLE {index.table} ADD CONSTRAINT {index.constraint} UNIQUE USING INDEX {index.new_name}"
        )
    else:
        cursor.execute(f"ALTER INDEX {index.new_name} RENAME TO {index.name}")
