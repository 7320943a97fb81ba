"""Rows that stand twice under a key which is unique: their index has lost sight of some.

That happens if the order of a language's text changes below an index (lib.collations), or a disk forgets.
"""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg

# Every unique index that has text among its keys: its name, its table, what makes a row's key, and which rows
# it covers; and the column by which rows are told, where there is one.
UNIQUE_TEXTS = """
    SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text,
        (SELECT array_agg(pg_get_indexdef(i.indexrelid, place, false) ORDER BY place)
         FROM generate_series(1, i.indnkeyatts) place),
        coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
        (SELECT pg_get_indexdef(p.indexrelid, 1, false) FROM pg_index p
         WHERE p.indrelid = i.indrelid AND p.indisprimary)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relkind = 'r'
      AND EXISTS (SELECT FROM unnest(i.indcollation::oid[]) coll WHERE coll <> 0)
      AND has_table_privilege(t.oid, 'SELECT')
    ORDER BY 1
"""
# Rows are read as they lie and compared by their bytes: asking the index would be asking the culprit.
SCANS = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
# NULL is never a duplicate.
DUPLICATES = """
    SELECT concat_ws(', ', {keys}), string_agg({row}::text, ', ' ORDER BY {row}::text), count(*) OVER ()
    FROM {table} WHERE ({covered}) AND num_nulls({keys}) = 0
    GROUP BY {keys} HAVING count(*) > 1 ORDER BY 1 LIMIT {most}
"""


class Duplicates(NamedTuple):
    """The keys that stand more than once in a table, and the first of them with their rows."""

    index_name: str
    total: int
    first: list[str]


def duplicates(raw: psycopg.Connection, most: int) -> Iterator[Duplicates]:
    """What each unique index on text should have refused; at most so many keys are told of each."""
    for scan in SCANS:
        raw.execute(f"SET LOCAL {scan} = off")
    for index, table, keys, covered, row in raw.execute(UNIQUE_TEXTS).fetchall():
        question = DUPLICATES.format(keys=", ".join(keys), row=row, table=table, covered=covered, most=most)
        found = raw.execute(question).fetchall()
        if found:
            yield Duplicates(index, found[0][2], [f"({key}) stands in {rows}" for key, rows, _ in found])
    for scan in SCANS:
        raw.execute(f"SET LOCAL {scan} = DEFAULT")
