"""The rows of a file that is under way, in the database: what an earlier row was, and which are left over."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from payments.models import ReconciliationRow
from payments.reconciliation.columns import Row

COLUMNS = ("file_id", "line", "key", "type", "player", "amount", "currency", "state", "at", "match")
COPY = f"COPY payments_reconciliationrow ({', '.join(COLUMNS)}) FROM STDIN"
MATCHED = "SELECT match FROM payments_reconciliationrow WHERE file_id = %s AND match = ANY(%s)"
KEYS = "SELECT key, type, player FROM payments_reconciliationrow WHERE file_id = %s AND key = ANY(%s)"
UNMATCHED = """
    SELECT line, key, NULL, type, player, amount, currency, state, at FROM payments_reconciliationrow
    WHERE file_id = %s AND match IS NULL AND at >= %s AND at <= %s AND amount = ANY(%s)
    ORDER BY at, line LIMIT %s
"""
NEXT = """
    SELECT line, key, NULL, type, player, amount, currency, state, at, match FROM payments_reconciliationrow
    WHERE file_id = %s ORDER BY line LIMIT %s
"""
# Rows that are compared with what is left over here at once.
MOST_UNMATCHED = 20_000
BATCH = 5_000

Name = tuple[str, str, str]


class Staged(NamedTuple):
    row: Row
    match: UUID | None


def name_of(row: Row) -> Name:
    """What must not come twice, if nothing here has it."""
    return (row.name, row.type, row.player)


def stage(file_id: UUID, rows: Iterable[Staged]) -> None:
    """Writes rows down, in the present atomic block."""
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for row, match in rows:
            copy.write_row((file_id, row.line, row.name, *row[3:], match))


def matched(file_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Those of ours that a row of the file is already."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(MATCHED, [file_id, list(ids)])
        return {id for (id,) in cursor.fetchall()}


def named_before(file_id: UUID, names: Collection[str]) -> set[Name]:
    """Those of the names that earlier rows have."""
    if not names:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(KEYS, [file_id, list(names)])
        return set(cursor.fetchall())


def unmatched(file_id: UUID, since: datetime, until: datetime, amounts: Collection[int]) -> list[Row]:
    """The rows of a time that nothing here is so far, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(UNMATCHED, [file_id, since, until, list(amounts), MOST_UNMATCHED])
        return [Row(*values) for values in cursor.fetchall()]


def match_rows(file_id: UUID, pairs: Sequence[tuple[int, UUID]]) -> None:
    """These lines are these of ours."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE payments_reconciliationrow SET match = %s WHERE file_id = %s AND line = %s",
            [(id, file_id, line) for line, id in pairs],
        )


def next_rows(file_id: UUID) -> list[Staged]:
    """The first ones that are still here."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT, [file_id, BATCH])
        return [Staged(Row(*values[:-1]), values[-1]) for values in cursor.fetchall()]


def remove_until(file_id: UUID, line: int) -> int:
    """Deletes the rows up to a line. Returns how many."""
    return ReconciliationRow.objects.filter(file_id=file_id, line__lte=line)._raw_delete("default")  # noqa: SLF001 (nothing hangs on them)


def clear(file_id: UUID) -> None:
    """Deletes all rows, some at a time."""
    while rows := next_rows(file_id):
        with transaction.atomic():
            remove_until(file_id, rows[-1].row.line)
