"""What a backup says of itself: the file `manifest.json` beside the base backup. It holds no secret."""

import json
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Literal

import msgspec

from config.recovery.programs import CannotRecover

NAME, BASE, HEADS = "manifest.json", "base", "heads.jsonl.gz"
# PostgreSQL's own list of the files of a base backup, with their sums.
POSTGRES_MANIFEST = "backup_manifest"


class Heads(msgspec.Struct, frozen=True, rename="camel"):
    """What every wallet's chain had come to before the backup; a file of its own has the leaves."""

    wallets: int
    entries: int
    # As of a checkpoint (docs/checkpoints.md).
    root: str


class NewestCheckpoint(msgspec.Struct, frozen=True, rename="camel"):
    """The newest checkpoint before the backup began. `file` is a copy beside the manifest, or empty."""

    number: int
    made_at: datetime
    hash: str
    file: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """Times are the database's; versions, names and ids only."""

    kind: Literal["quantum-wallet backup"]
    format: Literal[1]
    began_at: datetime
    # From then on everything can be restored; to no earlier moment.
    ended_at: datetime
    platform_version: str
    postgresql_version: str
    # The cluster's own number, which every copy of it has.
    system_identifier: str
    database: str
    timeline: int
    start_lsn: str
    end_lsn: str
    migrations: list[str]
    # Names of settings that were set, never values.
    settings: list[str]
    # Ids of those ENCRYPTION_KEYS that something in the database is sealed with, and of CREDENTIAL_KEY.
    encryption_keys: list[str]
    credential_key: str
    heads: Heads
    checkpoint: NewestCheckpoint | None
    # SHA-256 of what lies in the directory: PostgreSQL's list of its files, heads, checkpoint.
    files: dict[str, str]

    @property
    def postgresql_major(self) -> int:
        return int(self.postgresql_version.partition(".")[0])


def write_manifest(directory: Path, manifest: Manifest) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (directory / NAME).write_bytes(text + b"\n")


def read_manifest(directory: Path) -> Manifest:
    """Raises `CannotRecover` if the directory has none."""
    try:
        return msgspec.json.decode((directory / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise CannotRecover(f"{directory} is no backup: it has no {NAME}.") from None
    except (OSError, msgspec.DecodeError) as problem:
        raise CannotRecover(f"{directory / NAME} cannot be read: {problem}") from None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def verify_files(base: Path) -> None:
    """Compares a base backup's files with PostgreSQL's list of them, as pg_verifybackup does.

    The log has no sums, and is read by who calls this. Raises `CannotRecover`.
    """
    files = json.loads((base / POSTGRES_MANIFEST).read_bytes())["Files"]
    listed = {file["Path"]: file["Checksum"] for file in files}
    found = {str(path.relative_to(base)) for path in base.rglob("*") if not path.is_dir()}
    log = {name for name in found if name.startswith("pg_wal/")}
    for name in sorted(listed.keys() - found):
        raise CannotRecover(f"{base / name} is missing.")
    for name in sorted(found - listed.keys() - log - {POSTGRES_MANIFEST}):
        raise CannotRecover(f"{base / name} is no file of the backup.")
    for name, checksum in listed.items():
        if sha256(base / name) != checksum:
            raise CannotRecover(f"{base / name} is not the file that was backed up.")
