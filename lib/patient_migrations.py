"""Migrations of tables that calls use: they wait for a lock so briefly that nobody notices, and try again."""

import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg import errors

# Who waits for a lock keeps everybody out who comes after him. Less than what the calls' own statement waits
# for one (wallet/ledger_queue.py, LANE): it would fail, and each of its calls be asked alone.
LOCK_MS = 8
PAUSE_SECONDS = 0.2
# An audit or a VACUUM may keep a table for so long.
PATIENCE_SECONDS = 3600.0


class Patiently(Operation):
    """Does another operation, in an atomic block of its own, as soon as it gets its lock at once.

    For what locks a table only for a moment: a column without a default that must be computed, a constraint
    that is not validated yet, whatever is taken away. The migration is not atomic.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        # Django's operations say it as this one does; only the stubs take it for the class's.
        self.reversible = operation.reversible  # type: ignore[misc]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.operation], {}

    def describe(self) -> str:
        return f"{self.operation.describe()}, as soon as its lock is free"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        self.operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.carry_out(self.operation.database_forwards, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.carry_out(self.operation.database_backwards, app_label, schema_editor, from_state, to_state)

    def carry_out(
        self, act: Any, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: ProjectState
    ) -> None:
        if schema_editor.connection.in_atomic_block:
            raise TypeError("A migration that does something patiently has `atomic = False`.")
        alias = schema_editor.connection.alias
        patiently(alias, lambda: act(app_label, schema_editor, *states))


def patiently(alias: str, act: Callable[[], None]) -> None:
    """Does something in an atomic block of its own, as soon as it gets its locks at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with transaction.atomic(using=alias):
                with connections[alias].cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MS}ms'")
                act()
        except OperationalError as problem:
            if not isinstance(problem.__cause__, errors.LockNotAvailable) or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return
