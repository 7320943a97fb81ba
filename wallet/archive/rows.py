"""Rows about archived parts: marks of wallets, movements, and entries that come back."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from wallet.archive.files import ArchiveFiles
from wallet.archive.parts import Part
from wallet.archive.replay import Replayed
from wallet.audit.daily_totals import EPOCH, Moved
from wallet.audit.hash_chain import EntryRow
from wallet.audit.marks import CONTENT, MARKED_WIDTH, TIME
from wallet.models import ArchivedMovement, ArchivedPart
from wallet.proof.header import Unusable
from wallet.proof.journal import covered

SAVE = f"""
    INSERT INTO wallet_archivemark (player_id, wallet_id, part_id, {", ".join(CONTENT)}, pending)
    SELECT player_id, wallet_id, %s, currency_id, spendable, reserved, announced, debt, entry_count, head,
        {TIME.format("frozen_at")}, withdrawal_limit, {TIME.format("opened_at")}, pending
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[])
        AS n (player_id, wallet_id, currency_id, spendable, reserved, announced, debt, entry_count, head,
            frozen_at, withdrawal_limit, opened_at, pending)
"""  # noqa: S608 (our own constants)
ADD_MOVED = """
    INSERT INTO wallet_archivedmovement (part_id, day, currency_id, debit, credit, amount, entries)
    SELECT %s, n.* FROM unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::bigint[]) n
"""
# What an audit in parts has found right of the journal goes away with it: an audit adds up what is archived
# besides.
TAKE_FROM_AUDITED = """
    UPDATE wallet_auditedmovement audited
    SET amount = audited.amount - gone.amount, entries = audited.entries - gone.entries
    FROM wallet_archivedmovement gone
    WHERE gone.part_id = %s AND audited.base = %s AND audited.day = gone.day
        AND audited.currency_id = gone.currency_id AND audited.debit IS NOT DISTINCT FROM gone.debit
        AND audited.credit IS NOT DISTINCT FROM gone.credit
"""
# Wallets whose last entry in the table is not the one after which they are marked; and all of them, if the
# numbers of entries differ.
DIFFERING = """
    SELECT count(*) FILTER (WHERE e.hash IS DISTINCT FROM m.head)
        + abs(coalesce(sum(mine.entries), 0)::bigint - %s)
    FROM (SELECT player_id, wallet_id, max(seq) AS seq, count(*) AS entries FROM {part}
          GROUP BY player_id, wallet_id) mine
    JOIN {part} e USING (player_id, wallet_id, seq)
    LEFT JOIN wallet_archivemark m ON m.player_id = mine.player_id AND m.wallet_id = mine.wallet_id
        AND m.entry_count = mine.seq AND m.part_id = %s
"""
NEW_TABLE = (
    (
        "CREATE TABLE {part} (LIKE wallet_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS, "
        "PRIMARY KEY (player_id, wallet_id, seq))"
    ),
    (
        "CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON {part} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ),
)
COPY = f"COPY {{part}} ({', '.join(EntryRow._fields)}) FROM STDIN"
YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def save_marks(raw: psycopg.Connection[Any], row: ArchivedPart, found: Sequence[Replayed]) -> None:
    marked = (one.mark.wallet[:MARKED_WIDTH] for one in found)
    columns = [list(column) for column in zip(*marked, strict=True)]
    raw.execute(SAVE, [row.pk, *columns, [json.dumps(one.mark.pending) for one in found]])


def add_movements(raw: psycopg.Connection[Any], row: ArchivedPart, moved: Moved) -> None:
    if moved:
        rows = [(EPOCH + timedelta(days=day), *rest, *sums) for (day, *rest), sums in moved.items()]
        raw.execute(ADD_MOVED, [row.pk, *(list(column) for column in zip(*rows, strict=True))])


def take_from_audited(raw: psycopg.Connection[Any], row: ArchivedPart, base: UUID) -> None:
    """Raises `Unusable` if the audit knows nothing of it."""
    taken = raw.execute(TAKE_FROM_AUDITED, [row.pk, base]).rowcount
    if taken != row.movements.count():
        raise Unusable(f"the last audit in parts has not summed up {row}: run it again")


def movements(rows: Iterable[ArchivedMovement]) -> Moved:
    return {
        ((row.day - EPOCH).days, row.currency_id, row.debit, row.credit): [int(row.amount), row.entries]
        for row in rows
    }


def differing(part: Part, row: ArchivedPart) -> int:
    """In how many wallets, or entries, the table is not what was replayed."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(part.name)
        cursor.execute(DIFFERING.format(part=name), [row.entries, row.pk])
        [found] = cursor.fetchone()
        return int(found)


def copy_entries(raw: psycopg.Connection[Any], part: Part, files: ArchiveFiles) -> None:
    """Makes the table of a part from its files."""
    name = connection.ops.quote_name(part.name)
    for statement in NEW_TABLE:
        raw.execute(statement.format(part=name))
    with raw.cursor() as cursor, cursor.copy(COPY.format(part=name)) as copy:
        for block in files.entries():
            for wallet, line in block:
                entry = covered(line, wallet)[0]
                copy.write_row(entry._replace(at=YEAR_1970 + timedelta(microseconds=entry.at)))  # type: ignore[arg-type]
