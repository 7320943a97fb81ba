"""Installs SQL functions from `.sql` files after every `migrate`: always today's text."""

from collections.abc import Sequence
from pathlib import Path

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader

# One installation at a time: two at once would replace the same rows of the catalogue.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('sql functions'))"
# Citus, where it is there, would look for a new function elsewhere than in the trial's schema.
TRIAL = """
    SET LOCAL search_path = pg_temp, public; SET LOCAL check_function_bodies = off;
    SET LOCAL citus.enable_ddl_propagation = off
"""
# Functions of these names whose arguments or results are not those of today's text: replacing cannot change
# these.
SUPERSEDED = """
    SELECT format('DROP FUNCTION %s', old.oid::regprocedure)
    FROM pg_proc old
    WHERE old.pronamespace = 'public'::regnamespace
      AND old.proname IN (SELECT proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema())
      AND NOT EXISTS (
          SELECT 1 FROM pg_proc today
          WHERE today.pronamespace = pg_my_temp_schema() AND today.proname = old.proname
            AND pg_get_function_arguments(today.oid) = pg_get_function_arguments(old.oid)
            AND pg_get_function_result(today.oid) = pg_get_function_result(old.oid))
"""


def is_migrated(app_label: str, using: str) -> bool:
    """Whether all migrations of an app have run: only then its tables are those that its functions know."""
    loader = MigrationLoader(connections[using])
    return all(node in loader.applied_migrations for node in loader.graph.leaf_nodes(app_label))


def install_functions(files: Sequence[Path], using: str) -> None:
    """Runs files of `CREATE OR REPLACE FUNCTION`, in their order, and drops what they supersede.

    A function whose signature stays is replaced in place: calls go on meanwhile, and its rights stay.
    """
    texts = [path.read_text() for path in files]
    with transaction.atomic(using=using):
        for statement in (LOCK, *superseded(texts, using), "SET LOCAL search_path = public", *texts):
            execute(statement, using)


def superseded(texts: Sequence[str], using: str) -> list[str]:
    """The statements that drop what today's text cannot replace. A trial tells the signatures."""
    trial = transaction.savepoint(using=using)
    execute(TRIAL, using)
    for text in texts:
        execute(text, using)
    with connections[using].cursor() as cursor:
        cursor.execute(SUPERSEDED)
        statements = [statement for (statement,) in cursor.fetchall()]
    transaction.savepoint_rollback(trial, using=using)
    return statements


def execute(statement: str, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
