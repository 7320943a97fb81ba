"""One part of an audit: a range of players, or a question to the whole database.

What it found, the marks of what was right, and that it is done, are written together, or not at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction

from lib.clock import now
from wallet.audit.archived import Archived, begin_replay, with_archived
from wallet.audit.daily_totals import Moved, add_movement
from wallet.audit.hash_chain import TransactionRow
from wallet.audit.ledger import questions, report_missing
from wallet.audit.marks import (
    CHANGED_WALLETS,
    KNOWN_WALLETS,
    Settled,
    add_moved,
    covered,
    known_wallets,
    no_longer_pending,
    save_marks,
)
from wallet.audit.replay import Mark, Replay, WalletRow
from wallet.audit.report import Report, add_sums
from wallet.audit.rows import ENTRIES_BETWEEN, ENTRIES_SINCE, Row, divided, read, side_by_side, snapshot
from wallet.models import AuditPart, AuditPass

# Wallets whose new entries are asked for at once.
WALLETS_AT_ONCE = 1_000
FROM_THE_BEGINNING = -(2**63)


@dataclass
class Outcome:
    """What became of a part. `report.moved` is of the entries that get no mark."""

    report: Report = field(default_factory=Report)
    marks: list[Mark] = field(default_factory=list)
    moved: Moved = field(default_factory=dict)
    # By currency, less what marks have: spendable, reserved, and less their debt, in minor units.
    unmarked: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))

    def take(self, replay: Replay, since: Mark | None, moved: Moved) -> None:
        """A wallet has been replayed; `moved` is by its entries after the mark on which that builds."""
        wallet, is_right = replay.wallet, not replay.problem_count
        self.report.add_wallet(wallet.wallet_id, replay.problems, replay.problem_count)
        into = self.moved if is_right else self.report.moved
        for key, (amount, entries) in moved.items():
            add_sums(into, key, amount, entries)
        if is_right:
            self.marks.append(Mark(wallet, sorted(replay.pending), is_base=True))
            return
        before = holding(since.wallet) if since else (0, 0, 0)
        held = self.unmarked[wallet.currency]
        for place, (has, had) in enumerate(zip(holding(wallet), before, strict=True)):
            held[place] += has - had


def holding(wallet: WalletRow) -> tuple[int, int, int]:
    return wallet.spendable, wallet.reserved, -wallet.debt


def do_part(audit: AuditPass, part: AuditPart) -> None:
    """Does what is to be done, and writes it down, unless somebody else has meanwhile."""
    outcome = Outcome()
    with snapshot() as raw:
        if part.question:
            # One that this version no longer asks finds nothing.
            if ask := questions().get(part.question):
                ask(raw, outcome.report)
        elif audit.is_full:
            audit_whole(raw, audit, part, outcome)
        else:
            audit_further(raw, audit, part, outcome)
    save(audit, part, outcome)


def save(audit: AuditPass, part: AuditPart, outcome: Outcome) -> None:
    report, found = outcome.report, outcome.report.as_json()
    with transaction.atomic():
        is_ours = AuditPart.objects.filter(pk=part.pk, ended_at=None).update(
            ended_at=now(),
            wallets=report.wallets,
            entries=report.entries,
            entries_read=report.entries_read,
            found=found | {"held": dict(outcome.unmarked)},
        )
        if is_ours:
            save_marks(connection.connection, audit.base, outcome.marks)
            add_moved(connection.connection, audit.base, outcome.moved)


def players_of(part: AuditPart) -> tuple[UUID, UUID]:
    """The first and the last player of a part that is no question."""
    assert part.first_player is not None
    assert part.last_player is not None
    return part.first_player, part.last_player


# --- Every line ---------------------------------------------------------------------------------------


def audit_whole(raw: psycopg.Connection, audit: AuditPass, part: AuditPart, outcome: Outcome) -> None:
    """Replays the wallets of a range of players from their first lines."""
    first, last = players_of(part)
    known = with_archived(raw, known_wallets(raw, KNOWN_WALLETS, first, last, audit.base))
    with read(raw, "audit_entries", ENTRIES_BETWEEN, [first, last]) as entries:
        for found, rows in side_by_side(known, entries):
            if found is None:
                report_missing(rows, outcome.report)
                continue
            outcome.report.wallets += 1
            wallet, (mark, since) = found
            replay, moved = replayed(wallet, mark, since, rows, outcome.report)
            outcome.report.entries += replay.applied
            outcome.take(replay, None, moved)


def replayed(
    wallet: WalletRow, mark: Mark | None, since: Archived | None, rows: Iterable[Row], report: Report
) -> tuple[Replay, Moved]:
    """A wallet from its first line, or its first that is not archived, and what it moved. Its lines must lead
    to what was marked before.
    """
    replay = begin_replay(wallet, mark, since)
    moved: Moved = {}
    apply_all(replay, rows, moved, report)
    return replay, moved


def apply_all(replay: Replay, rows: Iterable[Row], moved: Moved, report: Report) -> None:
    currency, before = replay.wallet.currency, replay.applied
    for row in rows:
        entry, named = divided(row)
        replay.apply(entry, named)
        add_movement(moved, entry, currency)
    replay.finish()
    report.entries_read += replay.applied - before


# --- New lines ----------------------------------------------------------------------------------------


def audit_further(raw: psycopg.Connection, audit: AuditPass, part: AuditPart, outcome: Outcome) -> None:
    """Replays what was added to the wallets of a range of players since they were marked."""
    first, last = players_of(part)
    report, settled = outcome.report, no_longer_pending(raw, first, last, audit.base)
    report.wallets, report.entries = covered(raw, first, last)
    changed = known_wallets(raw, CHANGED_WALLETS, first, last, audit.base, settled)
    while batch := list(islice(changed, WALLETS_AT_ONCE)):
        with read(raw, "audit_entries", ENTRIES_SINCE, keys(batch)) as entries:
            for found, rows in side_by_side(with_archived(raw, batch), entries):
                assert found is not None
                wallet, (mark, since) = found
                audit_wallet(raw, wallet, mark, since, settled, rows, outcome)


def keys(wallets: Iterable[tuple[WalletRow, Mark | None]]) -> list[Any]:
    """Which entries are to be read: from the one that was marked on, or all."""
    named = [
        (
            wallet.player_id,
            wallet.wallet_id,
            mark.wallet.entry_count if mark and mark.is_base else FROM_THE_BEGINNING,
        )
        for wallet, mark in wallets
    ]
    return [list(column) for column in zip(*named, strict=True)]


def audit_wallet(
    raw: psycopg.Connection,
    wallet: WalletRow,
    mark: Mark | None,
    since: Archived | None,
    settled: Settled,
    rows: Iterator[Row],
    outcome: Outcome,
) -> None:
    """A wallet from its mark on. Whatever is wrong: from its first line, as every other audit tells it."""
    if mark is None or not mark.is_base:
        replay, moved = replayed(wallet, mark, since, rows, outcome.report)
        outcome.take(replay, None, moved)
        return
    replay, moved = Replay(wallet), {}
    is_marked = resume(replay, mark, since, settled.get(wallet.wallet_id, []), rows)
    apply_all(replay, rows, moved, outcome.report)
    if is_marked and not replay.problem_count:
        outcome.take(replay, mark, moved)
        return
    with read(raw, "audit_again", ENTRIES_SINCE, keys([(wallet, None)])) as entries:
        whole, _ = replayed(wallet, mark, since, entries, outcome.report)
    if not whole.problem_count:
        # Its journal is sound in itself, and not the one that was found right.
        if not replay.problem_count:
            replay.note(f"entry {mark.wallet.entry_count} is not what was audited before")
        whole = replay
    outcome.take(whole, mark, moved)


def resume(
    replay: Replay,
    mark: Mark,
    since: Archived | None,
    settled: list[TransactionRow | None],
    rows: Iterator[Row],
) -> bool:
    """Goes on after the mark, whose own entry is the first of the rows. Returns whether it is the same."""
    was = mark.wallet
    replay.resume(mark, [t for t in settled if t is not None])
    opening = (replay.wallet.currency, replay.wallet.opened_at)
    if since is not None and since.mark.wallet.entry_count == was.entry_count:
        # Its own entry is archived, and so is all before it.
        return None not in settled and opening == (was.currency, was.opened_at) and since.mark.wallet == was
    row = next(rows, None)
    if row is None or None in settled or opening != (was.currency, was.opened_at):
        return False
    entry, _ = divided(row)
    says = (entry.seq, entry.hash, entry.spendable, entry.reserved, entry.announced, entry.debt)
    return says == (was.entry_count, was.head, was.spendable, was.reserved, was.announced, was.debt)
