"""Takes parts of the journal out of the database into files, and brings them back."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.db import connection, transaction

from lib.clock import now
from wallet.archive.answers import fill_answers, unanswered
from wallet.archive.export import export_part
from wallet.archive.files import ArchiveFiles
from wallet.archive.parts import (
    Part,
    attach,
    detach,
    execute,
    files_of,
    is_there,
    of_row,
)
from wallet.archive.readiness import is_next, newest_checkpoint, problems_of
from wallet.archive.replay import Replayed, Sums, batches, replay_files
from wallet.archive.rows import (
    add_movements,
    copy_entries,
    differing,
    movements,
    save_marks,
    take_from_audited,
)
from wallet.audit.daily_totals import Moved
from wallet.audit.marks import add_moved
from wallet.audit.passes import last_full
from wallet.job_runs import alone
from wallet.models import ArchivedMovement, ArchivedPart, ArchiveMark, AuditPass
from wallet.proof.header import Unusable

Tell = Callable[[str], object]


class Refused(Exception):
    """It cannot be done now; the text says why."""


def archive(part: Part, tell: Tell) -> ArchivedPart:
    """Archives a part that nothing speaks against. After a kill, the same again goes on.

    Raises `Refused`, `NoRoom` or `Unusable`; the journal is as it was then.
    """
    with alone("audit_all") as is_ours:
        if not is_ours:
            raise Refused("An audit of the whole ledger is under way.")
        if not is_next(part):
            raise Refused(f"{part.label} is not the next part: those before it come first.")
        if found := problems_of(part):
            raise Refused(f"{part.label}: {found[0]}")
        filled = fill_answers(part)
        tell(f"{part.label}: {filled} answers of old transactions are kept.")
        export_part(part, lambda entries: tell(f"{part.label}: {entries} entries exported"))
        files = ArchiveFiles(part.directory)
        files.verify_hashes()
        return take_out(part, files, tell)


def take_out(part: Part, files: ArchiveFiles, tell: Tell) -> ArchivedPart:
    """Reads the files back, by all rules of the audit, and detaches the part: both, or nothing."""
    manifest, checkpoint, base = files.manifest, newest_checkpoint(), last_full()
    assert checkpoint is not None
    assert base is not None
    if manifest.part != part.name:
        raise Unusable(f"{files.directory} is of {manifest.part}")
    with transaction.atomic():
        row = ArchivedPart.objects.create(
            part=part.name,
            began_at=part.began,
            ended_at=part.ended,
            wallets=manifest.wallets,
            entries=manifest.entries,
            calls=manifest.calls,
            manifest_hash=manifest.hash(),
            checkpoint=checkpoint.number,
            archived_at=now(),
        )
        sums = Sums()
        for batch in batches(sound(replay_files(raw(), files, sums))):
            save_marks(raw(), row, batch)
            tell(f"{part.label}: verified up to wallet {batch[-1].mark.wallet.wallet_id}")
        if found := differing(part, row) or unanswered(part):
            raise Unusable(
                f"{files.directory} is not what the journal has ({found} differences). If it is left over "
                "from another database, move it away, and run it again."
            )
        add_movements(raw(), row, sums.moved)
        take_from_audited(raw(), row, base.pk)
        detach(part)
    return row


def raw() -> "psycopg.Connection[Any]":
    """The connection within the atomic block."""
    connection.ensure_connection()
    return connection.connection  # type: ignore[no-any-return]


def sound(found: Iterator[Replayed]) -> Iterator[Replayed]:
    """The wallets, as long as nothing is wrong with them."""
    for one in found:
        if one.problem_count:
            raise Unusable(f"wallet {one.mark.wallet.wallet_id}: {one.problems[0].words}")
        yield one


def drop(row: ArchivedPart) -> None:
    """Drops the table of a part whose files are whole. Raises `Unusable`."""
    files_of(row).verify_hashes()
    with transaction.atomic():
        ArchivedPart.objects.filter(pk=row.pk).update(dropped_at=now())
        execute(f"DROP TABLE IF EXISTS {of_row(row).name}")


def restore(row: ArchivedPart, tell: Tell) -> None:
    """Brings the last archived part back into the journal. Raises `Refused` or `Unusable`."""
    if ArchivedPart.objects.filter(ended_at__gt=row.ended_at).exists():
        raise Refused(f"{of_row(row).label} is not the last archived part: those after it come first.")
    with alone("audit_all") as is_ours:
        if not is_ours or AuditPass.objects.filter(ended_at=None).exists():
            raise Refused("An audit of the whole ledger is under way: let it come to its end first.")
        with transaction.atomic():
            bring_back(row, tell)


def bring_back(row: ArchivedPart, tell: Tell) -> None:
    part = of_row(row)
    files = files_of(row)
    files.verify_hashes()
    if not is_there(part.name):
        for one in sound(replay_files(raw(), files, Sums())):
            tell(f"{part.label}: verified up to wallet {one.mark.wallet.wallet_id}")
        copy_entries(raw(), part, files)
    attach(part)
    if found := differing(part, row):
        raise Unusable(f"the entries of {found} wallets do not lead to how these stood: nothing is restored")
    if base := last_full():
        add_moved(raw(), base.pk, movements_of(row))
    ArchiveMark.objects.filter(part=row).delete()
    ArchivedMovement.objects.filter(part=row).delete()
    row.delete()


def movements_of(row: ArchivedPart) -> Moved:
    """What a part moved."""
    return movements(ArchivedMovement.objects.filter(part=row))
