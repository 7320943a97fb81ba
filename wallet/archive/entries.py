"""Archived entries as pages and statements read them: like those in the database, out of files."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from lib.backoffice.languages import _
from wallet.archive.files import ArchiveFiles
from wallet.archive.parts import of_row
from wallet.models import ArchivedPart, ArchiveMark, Entry, Transaction, Wallet
from wallet.proof.header import Unusable
from wallet.proof.journal import EntryLine

logger = logging.getLogger(__name__)
YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
# Indexes of parts that a process remembers.
REMEMBERED = 24


AWAY = _("Older entries are archived ({part}), and the files of the archive cannot be read here.")


class ArchiveAway(Exception):
    """Entries are archived, and their files cannot be read now; the text names their part."""

    @property
    def words(self) -> str:
        return AWAY.format(part=self)


class Stretch(NamedTuple):
    """A wallet's entries in one part: from after one number up to another."""

    part: str
    after: int
    up_to: int


@lru_cache(REMEMBERED)
def opened(directory: Path, manifest_hash: str) -> ArchiveFiles:
    """The files of a part, with what was read of their index before."""
    files = ArchiveFiles(directory)
    files.expect(manifest_hash)
    return files


def archived_up_to(player_id: UUID, wallet_ids: Iterable[UUID]) -> dict[UUID, int]:
    """By wallet, the number of its last archived entry; nothing of those that have none."""
    marks = ArchiveMark.objects.filter(player_id=player_id, wallet_id__in=list(wallet_ids))
    return dict(marks.values_list("wallet_id").annotate(Max("entry_count")))


def stretches(wallet: Wallet) -> list[Stretch]:
    """Where a wallet's archived entries are, the newest first."""
    marks = ArchiveMark.objects.filter(player_id=wallet.player_id, wallet_id=wallet.pk)
    ends = list(marks.order_by("entry_count").values_list("part_id", "entry_count"))
    afters = [0, *(end for _, end in ends)]
    return [Stretch(part, after, end) for (part, end), after in zip(ends, afters, strict=False)][::-1]


def newest_archived(wallet: Wallet, below: int | None = None) -> Iterator[Entry]:
    """A wallet's archived entries with numbers below this one, the newest first; without their
    transactions, which `with_transactions` adds.

    Raises `ArchiveAway`.
    """
    found = stretches(wallet)
    parts = ArchivedPart.objects.in_bulk() if found else {}
    for stretch in found:
        if below is None or stretch.after + 1 < below:
            row = parts[stretch.part]
            top = stretch.up_to + 1 if below is None else min(below, stretch.up_to + 1)
            yield from (entry_of(wallet, line) for line in lines_of(row, wallet, top))


def archived_between(wallet: Wallet, first: int, last: int) -> list[Entry]:
    """A wallet's archived entries with numbers from one to another, in their order. Raises `ArchiveAway`."""
    found = takewhile(lambda entry: entry.seq >= first, newest_archived(wallet, last + 1))
    return list(with_transactions(list(found)))[::-1]


def lines_of(row: ArchivedPart, wallet: Wallet, below: int) -> Iterator[EntryLine]:
    part = of_row(row)
    try:
        files = opened(part.directory, row.manifest_hash)
        yield from files.newest(str(wallet.player_id), str(wallet.pk), below)
    except Unusable as problem:
        logger.warning("the archive %s cannot be read: %s", part.label, problem)
        raise ArchiveAway(part.label) from problem


def archived_lines(player_id: UUID, wallet_id: UUID) -> Iterator[EntryLine]:
    """All archived entries of a wallet in their order, as they lie in the files. Raises `ArchiveAway`."""
    marks = ArchiveMark.objects.filter(player_id=player_id, wallet_id=wallet_id).order_by("entry_count")
    for mark in marks.select_related("part"):
        try:
            files = opened(of_row(mark.part).directory, mark.part.manifest_hash)
            yield from files.oldest(str(player_id), str(wallet_id))
        except Unusable as problem:
            raise ArchiveAway(of_row(mark.part).label) from problem


def entry_of(wallet: Wallet, line: EntryLine) -> Entry:
    return Entry(
        player_id=wallet.player_id,
        wallet_id=wallet.pk,
        seq=line.seq,
        transaction_id=UUID(line.transaction) if line.transaction else None,
        event=line.event,
        debit=line.debit,
        credit=line.credit,
        amount=line.amount,
        spendable=line.spendable,
        reserved=line.reserved,
        announced=line.announced,
        debt=line.debt,
        actor=line.actor,
        note=line.note,
        at=YEAR_1970 + timedelta(microseconds=line.at),
        version=line.version,
        hash=bytes.fromhex(line.hash),
    )


def with_transactions(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The same entries with their transactions and games, by one query."""
    missing = {entry.transaction_id for entry in entries if entry.transaction_id}
    if missing:
        players = {entry.player_id for entry in entries}
        found = (
            Transaction.objects.filter(player_id__in=players).select_related("game").in_bulk(list(missing))
        )
        for entry in entries:
            if entry.transaction_id:
                entry.transaction = found.get(entry.transaction_id)
    return entries
