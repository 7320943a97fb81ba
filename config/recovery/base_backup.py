"""Makes a backup of the whole database server, and verifies one."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.environment import given_settings
from config.recovery.key_ids import credential_key_id, present_key_ids, used_key_ids
from config.recovery.manifest import (
    BASE,
    HEADS,
    POSTGRES_MANIFEST,
    Heads,
    Manifest,
    NewestCheckpoint,
    read_manifest,
    sha256,
    verify_files,
    write_manifest,
)
from config.recovery.programs import (
    CannotRecover,
    major_version,
    program,
    run,
    server_words,
)
from lib.clock import now
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import read_leaves
from wallet.checkpoints.stored import fetched
from wallet.models import Checkpoint
from wallet.proof.file import LeafWriter
from wallet.proof.header import Unusable
from wallet.proof.tree import Tree

logger = logging.getLogger(__name__)


def make_backup(directory: Path) -> Manifest:
    """Writes a base backup of the database's server, with all that is needed to start from it alone.

    `directory` gets its name when all is there and verified. Raises `CannotRecover`.
    """
    if settings.DATABASE_DISTRIBUTED:
        raise CannotRecover(
            "A distributed database lies on several servers, and this copies one: back up all of them "
            "from one restore point of Citus's (docs/scaling.md)."
        )
    with drafted(directory) as draft:
        version = server_version()
        if version.partition(".")[0] != str(major_version("pg_basebackup")):
            raise CannotRecover(
                f"The database is PostgreSQL {version}, and pg_basebackup is of "
                f"{major_version('pg_basebackup')}: set POSTGRES_PROGRAMS to the programs of that version."
            )
        # Before the copy begins: whatever moment is restored, it knows at least this.
        began_at = now()
        checkpoint = copy_checkpoint(draft)
        heads = write_heads(draft / HEADS)
        words, secret = server_words()
        copy = [program("pg_basebackup"), *words, "--pgdata", str(draft / BASE), "--wal-method=stream"]
        run([*copy, "--checkpoint=fast", "--manifest-checksums=SHA256"], environment=secret)
        manifest = describe(draft, began_at, version, heads, checkpoint)
        write_manifest(draft, manifest)
        return verify_backup(draft)


@contextmanager
def drafted(directory: Path) -> Iterator[Path]:
    """A new directory beside `directory`, which gets its name if all went well; otherwise it is removed."""
    if directory.exists():
        raise CannotRecover(f"{directory} exists already: a backup never overwrites anything.")
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f"{directory.name}.unfinished-", dir=directory.parent))
    try:
        yield draft
        draft.rename(directory)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_heads(path: Path) -> Heads:
    """Writes what every wallet's chain has come to."""
    tree = Tree()
    with path.open("wb") as target, snapshot() as raw:
        writer = LeafWriter(target, tree)
        for leaf in read_leaves(raw):
            writer.add(leaf)
        writer.finish()
    return Heads(tree.size, tree.entries, tree.root().hex())


def copy_checkpoint(directory: Path) -> NewestCheckpoint | None:
    """Copies the newest checkpoint's file; None if there is no checkpoint.

    One whose file cannot be read is no reason to have no backup: its `file` is then empty.
    """
    newest = Checkpoint.objects.order_by("-number").first()
    if newest is None:
        return None
    file = newest.file
    try:
        with fetched(file) as source, (directory / file).open("wb") as target:
            shutil.copyfileobj(source, target)
    except Unusable:
        logger.exception("the newest checkpoint is not part of the backup")
        file = ""
    return NewestCheckpoint(newest.number, newest.made_at, bytes(newest.hash).hex(), file)


def describe(
    directory: Path, began_at: datetime, version: str, heads: Heads, checkpoint: NewestCheckpoint | None
) -> Manifest:
    copied = json.loads((directory / BASE / POSTGRES_MANIFEST).read_bytes())
    log = copied["WAL-Ranges"][0]
    applied = sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
    names = [
        f"{BASE}/{POSTGRES_MANIFEST}",
        HEADS,
        *([checkpoint.file] if checkpoint and checkpoint.file else []),
    ]
    return Manifest(
        kind="quantum-wallet backup",
        format=1,
        began_at=began_at,
        ended_at=now(),
        platform_version=settings.VERSION,
        postgresql_version=version,
        system_identifier=system_identifier(copied),
        database=settings.DATABASES["default"]["NAME"],
        timeline=log["Timeline"],
        start_lsn=log["Start-LSN"],
        end_lsn=log["End-LSN"],
        migrations=applied,
        settings=given_settings(),
        # What no key of ours opens now, no restore has to open.
        encryption_keys=sorted(used_key_ids() & present_key_ids()),
        credential_key=credential_key_id(),
        heads=heads,
        checkpoint=checkpoint,
        files={name: sha256(directory / name) for name in filter(None, names)},
    )


def server_version() -> str:
    [version] = ask("SHOW server_version")
    return str(version).split()[0]


def system_identifier(copied: dict[str, Any]) -> str:
    """Of the cluster; from version 17 on PostgreSQL's list of files has it, too."""
    [identifier] = ask("SELECT system_identifier::text FROM pg_control_system()")
    if copied.get("System-Identifier", int(identifier)) != int(identifier):
        raise CannotRecover(
            "The backup is of another server than DATABASE_URL names: give the address of the same one."
        )
    return str(identifier)


def ask(statement: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def verify_backup(directory: Path) -> Manifest:
    """Compares every file with the sums that were written down. Raises `CannotRecover` on any difference."""
    manifest = read_manifest(directory)
    for name, expected in manifest.files.items():
        if not (directory / name).is_file() or sha256(directory / name) != expected:
            raise CannotRecover(f"{directory / name} is not the file that was backed up.")
    verify_files(directory / BASE)
    log = ["--path", str(directory / BASE / "pg_wal"), "--timeline", str(manifest.timeline)]
    run([program("pg_waldump"), "--quiet", *log, "--start", manifest.start_lsn, "--end", manifest.end_lsn])
    return manifest
