"""Replays the entries of an archived part from its files, by all rules of the audit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, NamedTuple

import psycopg

from wallet.archive.files import ArchivedEntry, ArchivedWallet, ArchiveFiles
from wallet.audit.archived import MARK_COLUMNS, ask, mark_of, transactions_of
from wallet.audit.daily_totals import Moved, add_movement
from wallet.audit.hash_chain import START, EntryRow, TransactionRow
from wallet.audit.problems import Problem
from wallet.audit.replay import Mark, Replay, WalletRow
from wallet.proof.header import Unusable
from wallet.proof.journal import EntryLine, covered

AT_ONCE = 5_000
# Of wallets: how they stood before this entry.
BEFORE = f"""
    SELECT {MARK_COLUMNS} FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS k (player_id, wallet_id, seq)
    JOIN wallet_archivemark m ON m.player_id = k.player_id AND m.wallet_id = k.wallet_id
        AND m.entry_count = k.seq - 1
"""  # noqa: S608 (our own constants)


@dataclass(slots=True)
class Sums:
    """What all entries of a part moved, and how many of them opened a transaction."""

    moved: Moved = field(default_factory=dict)
    openings: int = 0


class Replayed(NamedTuple):
    """A wallet's entries in a part: how it stands after them, and what is wrong with them."""

    mark: Mark
    problems: list[Problem]
    problem_count: int
    entries: int


def replay_files(raw: psycopg.Connection[Any], files: ArchiveFiles, sums: Sums) -> Iterator[Replayed]:
    """Each wallet of an archived part. Adds to `sums` what its entries did. Raises `Unusable`."""
    under_way: tuple[ArchivedWallet, Replay] | None = None
    wallets = entries = 0
    for block in files.entries():
        named = found_transactions(raw, block)
        known = marks_before(raw, block)
        for wallet, lines in groupby(block, key=lambda found: found[0]):
            rest = [line for _, line in lines]
            if under_way is None or under_way[0].key != wallet.key:
                if under_way is not None:
                    if under_way[0].key > wallet.key:
                        raise Unusable(f"{files.directory}: wallet {wallet.id} is out of order")
                    yield ended(*under_way)
                under_way = wallet, begun(wallet, rest[0], known.get(wallet.id))
                wallets += 1
            apply(under_way[1], wallet, rest, named, sums)
            entries += len(rest)
    if under_way is not None:
        yield ended(*under_way)
    if (wallets, entries) != (files.manifest.wallets, files.manifest.entries):
        raise Unusable(
            f"{files.directory} has {wallets} wallets with {entries} entries, its manifest says other"
        )


def batches(found: Iterator[Replayed]) -> Iterator[list[Replayed]]:
    """So many wallets as are written or compared by one statement."""
    while batch := list(islice(found, AT_ONCE)):
        yield batch


def found_transactions(
    raw: psycopg.Connection[Any], block: Iterable[ArchivedEntry]
) -> dict[str, TransactionRow]:
    keys = {(wallet.player, line.transaction) for wallet, line in block if line.transaction is not None}
    return {t.id: t for t in transactions_of(raw, keys)}


def marks_before(raw: psycopg.Connection[Any], block: Iterable[ArchivedEntry]) -> dict[str, Mark]:
    """How wallets that begin in a block stood before their first entry in it; nothing of those that begin
    with their first one.
    """
    firsts = [(whose, next(lines)[1]) for whose, lines in groupby(block, key=lambda found: found[0])]
    keys = [(wallet.player, wallet.id, line.seq) for wallet, line in firsts if line.seq > 1]
    if not keys:
        return {}
    marks = map(mark_of, ask(raw, BEFORE, [list(column) for column in zip(*keys, strict=True)]))
    return {mark.wallet.wallet_id: mark for mark in marks}


def begun(wallet: ArchivedWallet, first: EntryLine, before: Mark | None) -> Replay:
    start = WalletRow(
        wallet.player, wallet.id, wallet.currency, 0, 0, 0, 0, 0, START, None, None, wallet.opened_at
    )
    replay = Replay(start)
    if before is not None:
        replay.resume(before, [])
    return replay


def apply(
    replay: Replay,
    wallet: ArchivedWallet,
    lines: list[EntryLine],
    named: dict[str, TransactionRow],
    sums: Sums,
) -> None:
    for line in lines:
        entry: EntryRow = covered(line, wallet)[0]
        transaction = named.get(line.transaction or "")
        replay.apply(entry, transaction)
        add_movement(sums.moved, entry, wallet.currency)
        sums.openings += transaction is not None and transaction.opened_seq == line.seq


def ended(wallet: ArchivedWallet, replay: Replay) -> Replayed:
    if replay.owed:
        replay.note(f"{replay.owed} minor units of debt were not repaid")
    held = replay.balances
    state = WalletRow(
        player_id=wallet.player,
        wallet_id=wallet.id,
        currency=wallet.currency,
        spendable=held["spendable"],
        reserved=held["reserved"],
        announced=held["announced"],
        debt=held["debt"],
        entry_count=replay.seq,
        head=replay.head,
        frozen_at=replay.frozen_at,
        withdrawal_limit=replay.withdrawal_limit,
        opened_at=wallet.opened_at,
    )
    pending = sorted(replay.pending | replay.unended.keys())
    return Replayed(Mark(state, pending, is_base=True), replay.problems, replay.problem_count, replay.applied)
