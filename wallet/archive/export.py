"""Writes a part of the journal into files, which are there all at once or not at all."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from wallet.archive.files import (
    CALLS,
    ENCODER,
    ENTRIES,
    INDEX,
    MANIFEST,
    ArchivedWallet,
    EntryWriter,
    HashedFile,
    write_lines,
)
from wallet.archive.manifest import Manifest, signed
from wallet.archive.parts import Part
from wallet.audit.replay import WalletRow
from wallet.audit.rows import WALLETS, divided, entries_where, read, side_by_side
from wallet.checkpoints.keys import configured_keys
from wallet.proof.header import Unusable, shown
from wallet.proof.journal import entry_line

# As they lie in the call log, whichever of its days are still there.
CALL_ROWS = """
    SELECT row_to_json(c)::text FROM wallet_apicall c
    WHERE c.at >= %s AND c.at < %s ORDER BY c.at, c.id
"""
Tell = Callable[[int], object]


class NoRoom(Exception):
    """The archive's directory cannot be written; the text says why."""


def export_part(part: Part, tell: Tell = lambda entries: None) -> None:
    """Writes a part's files, unless they are there already.

    Raises `NoRoom`, and leaves nothing behind then.
    """
    if part.directory.exists():
        return
    unfinished = part.directory.with_name(part.directory.name + ".unfinished")
    try:
        # Of a run that was killed.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o750)
        write_files(part, unfinished, tell)
        sync(unfinished)
        unfinished.rename(part.directory)
        sync(part.directory.parent)
    except OSError as problem:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise NoRoom(refusal(part, problem)) from problem


def refusal(part: Part, problem: OSError) -> str:
    place = part.directory.parent
    if problem.errno == errno.ENOSPC:
        return f"The disk of ARCHIVE_DIRECTORY ({place}) is full: make room, and run it again."
    if isinstance(problem, PermissionError):
        return f"ARCHIVE_DIRECTORY ({place}) cannot be written by this user: {problem.strerror}."
    return f"ARCHIVE_DIRECTORY ({place}) cannot be written: {problem}."


def sync(directory: Path) -> None:
    """Waits until the directory's names are on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_files(part: Part, directory: Path, tell: Tell) -> None:
    with ExitStack() as stack:
        entries, index, calls, last = (
            stack.enter_context(HashedFile(directory / name)) for name in (ENTRIES, INDEX, CALLS, MANIFEST)
        )
        writer = EntryWriter(entries)
        with transaction.atomic():
            connection.ensure_connection()
            write_entries(connection.connection, part, writer, tell)
            write_lines(index, map(ENCODER.encode, writer.blocks))
            count = write_lines(calls, call_rows(connection.connection, part))
        manifest = Manifest(
            kind="quantum-wallet archive",
            format=1,
            part=part.name,
            began=shown(part.began) if part.began else "",
            ended=shown(part.ended),
            wallets=writer.wallets,
            entries=writer.entries,
            calls=count,
            files=[file.finish() for file in (entries, index, calls)],
        )
        last.write(signed(manifest, signing_key()))
        last.finish()


def signing_key() -> Ed25519PrivateKey | None:
    """The key that signs checkpoints, if there is one."""
    return next(iter(configured_keys()), None)


def write_entries(raw: psycopg.Connection[Any], part: Part, writer: EntryWriter, tell: Tell) -> None:
    question = entries_where(journal=connection.ops.quote_name(part.name))
    with read(raw, "archive_wallets", WALLETS) as wallets, read(raw, "archive_entries", question) as entries:
        known = ((WalletRow(*columns), None) for columns in wallets)
        for found, lines in side_by_side(known, entries):
            if found is None:
                raise Unusable("there are entries of a wallet that is not there: the audit names them")
            wallet = found[0]
            head = ArchivedWallet(wallet.wallet_id, wallet.player_id, wallet.currency, wallet.opened_at)
            for row in lines:
                writer.add(head, entry_line(*divided(row)))
            tell(writer.entries)
    writer.end_block()


def call_rows(raw: psycopg.Connection[Any], part: Part) -> Iterator[bytes]:
    since = part.began or "-infinity"
    with read(raw, "archive_calls", CALL_ROWS, [since, part.ended]) as found:
        for (line,) in found:
            yield line.encode()
