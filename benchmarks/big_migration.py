"""Migrates a big table under load as our migrations do (docs/development.md), and back again:
`python -m benchmarks.big_migration`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.postgres.operations import (  # noqa: E402 (needs the setup)
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection, models  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django.db.migrations.operations import AddField  # noqa: E402
from django.db.migrations.operations.base import Operation  # noqa: E402
from django.db.models import Q  # noqa: E402

from lib.patient_migrations import Patiently  # noqa: E402

APP, MODEL, COLUMN = "wallet", "transaction", "weight"
OPERATIONS: list[Operation] = [
    Patiently(AddField(MODEL, COLUMN, models.IntegerField(null=True))),
    AddIndexConcurrently(MODEL, models.Index(fields=["player", COLUMN], name="transaction_by_weight")),
    Patiently(
        AddConstraintNotValid(
            MODEL,
            models.CheckConstraint(
                name="transaction_weight", condition=Q(weight__isnull=True) | Q(weight__gte=0)
            ),
        )
    ),
    ValidateConstraint(MODEL, "transaction_weight"),
]


def clear() -> None:
    """What a run has left that was cut off."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX CONCURRENTLY IF EXISTS transaction_by_weight")
        cursor.execute(
            "SELECT 1 FROM pg_attribute WHERE attrelid = 'wallet_transaction'::regclass "
            "AND attname = 'weight' AND NOT attisdropped"
        )
        if cursor.fetchone():
            cursor.execute("ALTER TABLE wallet_transaction DROP COLUMN weight")


def migrate() -> None:
    """There and back."""
    clear()
    states = [MigrationLoader(connection).project_state()]
    for operation in OPERATIONS:
        state = states[-1].clone()
        operation.state_forwards(APP, state)
        states.append(state)
    with connection.schema_editor(atomic=False) as editor:
        for operation, before, after in zip(OPERATIONS, states, states[1:], strict=False):
            operation.database_forwards(APP, editor, before, after)
        steps = list(zip(OPERATIONS, states, states[1:], strict=False))
        for operation, before, after in reversed(steps):
            if not isinstance(operation, ValidateConstraint):
                operation.database_backwards(APP, editor, after, before)


if __name__ == "__main__":
    migrate()
