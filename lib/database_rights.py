"""Grants a role of the database exactly what a list says, and takes everything else from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from lib.sql_functions import LOCK


@dataclass(frozen=True, slots=True)
class Table:
    """What a role may do with a table besides reading it.

    Every column is named: it is one that the role may set in a row that is there, or one that it may not.
    """

    stays: frozenset[str]
    changes: frozenset[str]
    may_add: bool
    may_remove: bool


def table(may: str = "", *, changes: str = "", stays: str = "") -> Table:
    """A table whose rows may be read and, by the words in `may`, be added and removed.

    `changes` and `stays` are names of columns, separated by spaces.
    """
    words = frozenset(may.split())
    if words - {"add", "remove"}:
        raise ValueError(f"a role may add and remove rows, not {may!r}")
    return Table(frozenset(stays.split()), frozenset(changes.split()), "add" in words, "remove" in words)


@dataclass(frozen=True)
class Rights:
    """All that a role may do: with tables, by their names, and which functions it may call."""

    tables: Mapping[str, Table]
    functions: Sequence[str]


# What the migrating role owns in the schema, but for what an extension brought, and for partitions: these are
# reached through their table.
OWNED = """
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass::text
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT relispartition AND pg_has_role(relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                      AND deptype = 'e')
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND pg_has_role(proowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                      AND deptype = 'e')
"""
# Nothing may be made in the schema whose functions run with their owner's rights; and what a migration makes
# is nobody's until the list names it.
CLOSED = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC",
)


def grant_exactly(rights: Rights, role: str, using: str) -> None:
    """Gives a role these rights in one step, if it exists and is not who migrates."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role])
        if not cursor.fetchone():
            return
        cursor.execute(LOCK)
        cursor.execute("SET LOCAL search_path = public")
        cursor.execute(OWNED)
        revokes = [f"REVOKE ALL ON {kind} {name} FROM PUBLIC, {{role}}" for kind, name in cursor.fetchall()]
        name = sql.Identifier(role)
        for statement in (*CLOSED, *revokes):
            cursor.execute(sql.SQL(statement).format(role=name))
        for grant in grants(rights):
            cursor.execute(sql.SQL("{} TO {}").format(grant, name))


def grants(rights: Rights) -> list[sql.Composable]:
    """The beginnings of the statements that grant it."""
    statements: list[sql.Composable] = []
    for name, one in rights.tables.items():
        words = ["SELECT", *(["INSERT"] if one.may_add else []), *(["DELETE"] if one.may_remove else [])]
        granted = [sql.SQL(", ".join(words))]
        if one.changes:
            columns = sql.SQL(", ").join(map(sql.Identifier, sorted(one.changes)))
            granted.append(sql.SQL("UPDATE ({})").format(columns))  # type: ignore[arg-type]
        statements.append(sql.SQL("GRANT {} ON {}").format(sql.SQL(", ").join(granted), sql.Identifier(name)))
    statements += [
        sql.SQL("GRANT EXECUTE ON FUNCTION {}").format(sql.Identifier(f)) for f in rights.functions
    ]
    return statements


def is_fully_migrated(using: str) -> bool:
    """Whether every migration has run: only then there is everything that a list names."""
    loader = MigrationLoader(connections[using])
    return all(node in loader.applied_migrations for node in loader.graph.leaf_nodes())
