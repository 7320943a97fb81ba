"""Replays archived parts from their files, and compares what they come to with what the database knows."""

from collections.abc import Callable
from typing import Any

import psycopg

from wallet.archive.parts import files_of, of_row
from wallet.archive.replay import Replayed, Sums, batches, replay_files
from wallet.archive.rows import movements
from wallet.audit.archived import MARK_COLUMNS, ask, mark_of
from wallet.audit.replay import Mark
from wallet.audit.report import Report
from wallet.audit.rows import snapshot
from wallet.models import ArchivedPart
from wallet.proof.header import Unusable

MARKS = f"""
    SELECT {MARK_COLUMNS} FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS k (player_id, wallet_id, seq)
    JOIN wallet_archivemark m ON m.player_id = k.player_id AND m.wallet_id = k.wallet_id
        AND m.entry_count = k.seq AND m.part_id = %s
"""  # noqa: S608 (our own constants)
# Transactions that say to have been opened in a part.
OPENED = """
    SELECT count(*) FROM wallet_archivemark m JOIN wallet_transaction t
        ON t.player_id = m.player_id AND t.wallet_id = m.wallet_id AND t.opened_seq <= m.entry_count
    WHERE m.part_id = %s AND t.opened_seq > (
        SELECT coalesce(max(before.entry_count), 0) FROM wallet_archivemark before
        WHERE before.player_id = m.player_id AND before.wallet_id = m.wallet_id
          AND before.entry_count < m.entry_count)
"""
MARKED = "SELECT count(*) FROM wallet_archivemark WHERE part_id = %s"


def audit_archives(report: Report, progress: Callable[[Report], None] = lambda report: None) -> None:
    """Adds to the report what is wrong with the archived parts."""
    for row in ArchivedPart.objects.order_by("ended_at"):
        label = f"archive {of_row(row).label}"
        with snapshot() as raw:
            try:
                audit_part(raw, row, label, report, progress)
            except Unusable as problem:
                report.add_ledger(label, [str(problem)])


def audit_part(
    raw: "psycopg.Connection[Any]",
    row: ArchivedPart,
    label: str,
    report: Report,
    progress: Callable[[Report], None],
) -> None:
    files, sums, wallets = files_of(row), Sums(), 0
    files.verify_hashes()
    for batch in batches(replay_files(raw, files, sums)):
        known = marks_of(raw, row, batch)
        for one in batch:
            id = one.mark.wallet.wallet_id
            report.add_wallet(id, one.problems, one.problem_count)
            if known.get(id) != one.mark:
                report.add_ledger(label, [f"wallet {id} did not stand so after it as the database says"])
        wallets += len(batch)
        report.entries += sum(one.entries for one in batch)
        progress(report)
    ((marked,),) = raw.execute(MARKED, [row.pk]).fetchall()
    if marked != wallets:
        report.add_ledger(label, [f"it has {wallets} wallets, the database knows {marked}"])
    ((opened,),) = raw.execute(OPENED, [row.pk]).fetchall()
    if opened != sums.openings:
        report.add_ledger(label, [f"it opened {sums.openings} transactions, the database has {opened}"])
    if sums.moved != movements(row.movements.all()):
        report.add_ledger(label, ["what it moved by day is not what the database says"])


def marks_of(raw: "psycopg.Connection[Any]", row: ArchivedPart, batch: list[Replayed]) -> dict[str, Mark]:
    """What the database knows of some wallets after a part."""
    keys = [(w.player_id, w.wallet_id, w.entry_count) for w in (one.mark.wallet for one in batch)]
    found = ask(raw, MARKS, [*(list(column) for column in zip(*keys, strict=True)), row.pk])
    return {mark.wallet.wallet_id: mark for mark in map(mark_of, found)}
