"""Ids that a database counts itself, after Citus has taken their tables.

It gives a table that stays on the first machine a new sequence, which begins again at 1.
"""

from typing import Any

from django.db import connection

COUNT_ON = """
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT seq.oid::regclass::text AS seq, dep.refobjid::regclass AS tab, col.attname AS col
        FROM pg_class seq
        JOIN pg_depend dep ON dep.classid = 'pg_class'::regclass AND dep.objid = seq.oid
            AND dep.refclassid = 'pg_class'::regclass AND dep.deptype IN ('a', 'i')
        JOIN pg_attribute col ON col.attrelid = dep.refobjid AND col.attnum = dep.refobjsubid
        WHERE seq.relkind = 'S' AND dep.refobjid IN (SELECT logicalrelid FROM pg_dist_partition)
    LOOP
        EXECUTE format(
            'SELECT setval(%L, max(%I)) FROM %s HAVING max(%I) > (SELECT last_value FROM %s)',
            held.seq, held.col, held.tab, held.col, held.seq);
    END LOOP;
END $$
"""


def count_on(**_: Any) -> None:
    """After a migration, which may have led to more such tables. Does nothing where nothing is divided."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_dist_partition') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute(COUNT_ON)
