"""Divides the journal by month; what is there becomes its first part, without being moved.

The platform goes on meanwhile, but for the moment of the exchange at the end.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connections, migrations

from lib.patient_migrations import patiently

# Whether there is something to divide: not on several machines, and not a second time.
IS_DIVIDED = "SELECT relkind = 'p' FROM pg_class WHERE oid = 'wallet_entry'::regclass"
HAS_CITUS = "SELECT to_regclass('pg_dist_partition') IS NOT NULL"
IS_PLACED = "SELECT count(*) > 0 FROM pg_dist_partition WHERE logicalrelid = 'wallet_entry'::regclass"
# The first part ends with the next month, and after all that it has: nothing that comes meanwhile is refused,
# and the months after it are made in time.
BOUND = """
    SELECT date_trunc('month', greatest(max(at), now()), 'UTC') + interval '2 months' FROM wallet_entry
"""
CHECKED = (
    "ALTER TABLE wallet_entry DROP CONSTRAINT IF EXISTS entry_is_of_the_first_part",
    "ALTER TABLE wallet_entry ADD CONSTRAINT entry_is_of_the_first_part CHECK (at < {bound}) NOT VALID",
)
# Reads all of it, beside the platform: so the exchange need not.
VALIDATED = "ALTER TABLE wallet_entry VALIDATE CONSTRAINT entry_is_of_the_first_part"
EXCHANGED = (
    "LOCK TABLE wallet_entry IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE wallet_entry RENAME TO wallet_entry_first",
    "ALTER INDEX entry_by_time RENAME TO entry_first_by_time",
    # The parent's triggers come to every part by themselves, but for that against TRUNCATE.
    "DROP TRIGGER entry_is_append_only ON wallet_entry_first",
    (
        "CREATE TABLE wallet_entry (LIKE wallet_entry_first INCLUDING DEFAULTS INCLUDING CONSTRAINTS) "
        "PARTITION BY RANGE (at)"
    ),
    "ALTER TABLE wallet_entry DROP CONSTRAINT entry_is_of_the_first_part",
    (
        "CREATE INDEX entry_by_time ON wallet_entry USING brin (at) "
        "WITH (autosummarize = on, pages_per_range = 32)"
    ),
    (
        "CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON wallet_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    ),
    (
        "CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON wallet_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
    "ALTER TABLE wallet_entry ATTACH PARTITION wallet_entry_first FOR VALUES FROM (MINVALUE) TO ({bound})",
    "ALTER TABLE wallet_entry_first DROP CONSTRAINT entry_is_of_the_first_part",
    (
        "CREATE TABLE wallet_entry_default PARTITION OF wallet_entry "
        "(PRIMARY KEY (player_id, wallet_id, seq)) DEFAULT"
    ),
    (
        "CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON wallet_entry_default "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
)
# Whoever reads the journal goes on reading it by its name.
READERS = """
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
    FROM pg_class CROSS JOIN LATERAL aclexplode(relacl)
    WHERE oid = 'wallet_entry_first'::regclass AND privilege_type = 'SELECT' AND grantee <> relowner
"""


def divide(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    with connections[using].cursor() as cursor:
        if asked(cursor, IS_DIVIDED) or (asked(cursor, HAS_CITUS) and asked(cursor, IS_PLACED)):
            return
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        try:
            bound = f"'{asked(cursor, BOUND).isoformat()}'"
            patiently(using, lambda: carry_out(cursor, CHECKED, bound))
            cursor.execute(VALIDATED)
            patiently(using, lambda: exchange(cursor, bound))
            # Of a divided table as a whole PostgreSQL has no statistics by itself.
            cursor.execute("ANALYZE wallet_entry")
        finally:
            cursor.execute("RESET statement_timeout; RESET lock_timeout")


def carry_out(cursor: Any, statements: Iterable[str], bound: str) -> None:
    for statement in statements:
        cursor.execute(statement.format(bound=bound))


def exchange(cursor: Any, bound: str) -> None:
    carry_out(cursor, EXCHANGED, bound)
    cursor.execute(READERS)
    for (reader,) in cursor.fetchall():
        cursor.execute(f"GRANT SELECT ON wallet_entry TO {reader}")
        cursor.execute(f"REVOKE SELECT ON wallet_entry_first FROM {reader}")  # noqa: S608


def asked(cursor: Any, question: str) -> Any:
    cursor.execute(question)
    return cursor.fetchone()[0]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "0035_answer_balances")]
    operations = [migrations.RunPython(divide, migrations.RunPython.noop)]
