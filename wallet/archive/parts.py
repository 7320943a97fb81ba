"""The journal's parts: those in the database, those in files, and how one goes from here to there."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import OperationalError

from wallet.archive.files import ArchiveFiles
from wallet.models import ArchivedPart
from wallet.proof.header import Unusable

PREFIX = "wallet_entry_"
PARTS = "SELECT part, nullif(began, '-infinity'), ended FROM journal_parts() ORDER BY ended"
IS_OWNER = """
    SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'public.wallet_entry'::regclass
"""
IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"
# Waits no longer than this for whoever reads the journal, since all calls wait behind it, and tries again.
PATIENCE, TRIES, PAUSE = "200ms", 300, 1.0
KEPT_SO = (
    "CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON {name} "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
)


class Part(NamedTuple):
    """A part of the journal; `began` is None for the first."""

    name: str
    began: datetime | None
    ended: datetime

    @property
    def label(self) -> str:
        """As people and files name it: first, or its month."""
        rest = self.name.removeprefix(PREFIX)
        return f"{rest[:4]}-{rest[4:]}" if rest.isdigit() else rest

    @property
    def directory(self) -> Path:
        return directory_of(self.label)


def directory_of(label: str) -> Path:
    """Where the files of a part are."""
    return Path(settings.ARCHIVE_DIRECTORY) / f"journal-{label}"


def of_row(row: ArchivedPart) -> Part:
    return Part(row.part, row.began_at, row.ended_at)


def files_of(row: ArchivedPart) -> ArchiveFiles:
    """The files of an archived part, which must be those that were made of it. Raises `Unusable`."""
    files = ArchiveFiles(of_row(row).directory)
    files.expect(row.manifest_hash)
    return files


def parts_before(month: date) -> list[Part]:
    """The parts in the database that end with the beginning of this month, or before."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS)
        found = [Part(*row) for row in cursor.fetchall()]
    end = datetime(month.year, month.month, 1, tzinfo=UTC)
    return [part for part in found if part.ended <= end]


def is_owner() -> bool:
    """Whether this connection may take tables out of the journal."""
    return bool(asked(IS_OWNER))


def is_there(name: str) -> bool:
    """Whether the table is there."""
    return bool(asked(IS_THERE, name))


def asked(question: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchone()[0]


def detach(part: Part) -> None:
    """Takes a part out of the journal, within an atomic block; its table stays, as unchangeable as before."""
    execute_patiently(f"ALTER TABLE wallet_entry DETACH PARTITION {part.name}")
    execute(KEPT_SO.format(name=part.name))


def attach(part: Part) -> None:
    """Puts a part back into the journal, within an atomic block."""
    execute(f"DROP TRIGGER IF EXISTS entry_is_append_only ON {part.name}")
    began = f"'{part.began.isoformat()}'" if part.began else "MINVALUE"
    execute_patiently(
        f"ALTER TABLE wallet_entry ATTACH PARTITION {part.name} "
        f"FOR VALUES FROM ({began}) TO ('{part.ended.isoformat()}')"
    )


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def execute_patiently(statement: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Does it in a moment in which nobody reads the journal for long. Raises `Unusable` if there is none."""
    execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    for _ in range(TRIES):
        if was_done(statement):
            return
        sleep(PAUSE)
    raise Unusable("somebody reads the journal for long, as an audit does: run it again later")


def was_done(statement: str) -> bool:
    """Whether it was done; if not, nothing is changed."""
    try:
        with transaction.atomic():
            execute(statement)
    except OperationalError:
        return False
    return True
