"""Which backups, and how much of the write-ahead log, nobody needs any more."""

import re
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.recovery.base_backup import verify_backup
from config.recovery.manifest import BASE, NAME, Manifest, read_manifest
from config.recovery.programs import CannotRecover, program, run
from config.recovery.write_ahead_log import PARTIAL, segments

# A backup that is being removed is called so: it is none any more, and the next run goes on.
REMOVED = ".removed"
FIRST_SEGMENT = re.compile(r"^START WAL LOCATION: .*\(file ([0-9A-F]{24})\)$", re.MULTILINE)
# Where a segment's first page has the number of its cluster, which follows 24 bytes of other things.
SYSTEM_AT = 24


@dataclass(frozen=True)
class Backup:
    """A backup that lies there, whole or not."""

    directory: Path
    manifest: Manifest


@dataclass
class Pruning:
    """What is to be done: `kept` are whole, the newest first; `damaged` are newer than the oldest of them."""

    kept: list[Backup] = field(default_factory=list)
    damaged: list[tuple[Backup, str]] = field(default_factory=list)
    removed: list[Backup] = field(default_factory=list)
    # Directories of an earlier run that was interrupted.
    begun: list[Path] = field(default_factory=list)
    segments: list[Path] = field(default_factory=list)

    @property
    def first_segment(self) -> str:
        """The first one that a backup which stays needs."""
        stay = [*self.kept, *(backup for backup, _ in self.damaged)]
        return min(map(first_segment, stay), key=place_in_log)


def plan_pruning(parent: Path, keep: int, wal: Path | None) -> Pruning:
    """Reads, and changes nothing. Backups are verified from the newest on, till `keep` of them are whole.

    Raises `CannotRecover` if there is nothing whole: then everything stays.
    """
    if keep < 1:
        raise CannotRecover("At least one backup is kept: --keep must be 1 or more.")
    plan = Pruning(begun=sorted(parent.glob(f"*{REMOVED}")))
    for backup in found_backups(parent):
        if len(plan.kept) == keep:
            plan.removed.append(backup)
        elif problem := damage(backup):
            plan.damaged.append((backup, problem))
        else:
            plan.kept.append(backup)
    if not plan.kept:
        raise CannotRecover(f"{parent} has no backup that is whole: nothing is removed.")
    if wal:
        check_same_server(wal, plan.kept[0].manifest)
        plan.segments = older_segments(wal, plan.first_segment)
    return plan


def found_backups(parent: Path) -> Sequence[Backup]:
    """All in a directory, the newest first. Raises `CannotRecover` if they are of different servers."""
    if not parent.is_dir():
        raise CannotRecover(f"{parent} is no directory.")
    homes = [path.parent for path in parent.glob(f"*/{NAME}") if not is_unfinished(path.parent)]
    found = [Backup(home, read_manifest(home)) for home in homes]
    if len({backup.manifest.system_identifier for backup in found}) > 1:
        raise CannotRecover(f"{parent} has backups of different servers: keep those of each apart.")
    return sorted(found, key=lambda backup: backup.manifest.began_at, reverse=True)


def is_unfinished(directory: Path) -> bool:
    """Whether it is being made, or removed."""
    return ".unfinished-" in directory.name or directory.name.endswith(REMOVED)


def damage(backup: Backup) -> str:
    """What is wrong with it; empty if nothing is."""
    try:
        verify_backup(backup.directory)
        first_segment(backup)
    except (CannotRecover, OSError) as problem:
        return str(problem)
    return ""


def first_segment(backup: Backup) -> str:
    """The name of the first segment of the log that a restore of it reads."""
    label = backup.directory / BASE / "backup_label"
    try:
        named = FIRST_SEGMENT.search(label.read_text())
    except OSError as problem:
        # Nobody knows what it needs, so nothing of the log may go.
        raise CannotRecover(f"{label} cannot be read: {problem}") from None
    if named is None:
        raise CannotRecover(f"{label} names no segment of the log.")
    return named[1]


def place_in_log(segment: str) -> str:
    """Segments of all timelines in their order: the first eight digits are the timeline."""
    return segment[8:]


def older_segments(wal: Path, first: str) -> list[Path]:
    """What pg_archivecleanup would remove."""
    told = run([program("pg_archivecleanup"), "-n", str(wal), first]).stdout
    return [Path(line) for line in told.splitlines()]


def check_same_server(wal: Path, manifest: Manifest) -> None:
    """Raises `CannotRecover` if the log's segments are of another server."""
    if not wal.is_dir():
        raise CannotRecover(f"{wal} is no directory.")
    for segment in segments(wal):
        if segment.name.endswith(PARTIAL):
            continue
        with segment.open("rb") as file:
            start = file.read(SYSTEM_AT + 8)
        if len(start) == SYSTEM_AT + 8 and system_of(start) == manifest.system_identifier:
            return
        raise CannotRecover(f"{segment} is of another server than the backups.")


def system_of(start: bytes) -> str:
    (number,) = struct.unpack_from("=Q", start, SYSTEM_AT)
    return str(number)


def prune(plan: Pruning, wal: Path | None) -> Iterator[str]:
    """Removes what the plan says, and tells of each before: first copies, then the log that they needed."""
    for directory in plan.begun:
        yield f"{directory} goes, as an earlier run began."
        shutil.rmtree(directory)
    for backup in plan.removed:
        yield f"{backup.directory} goes."
        gone = backup.directory.with_name(backup.directory.name + REMOVED)
        backup.directory.rename(gone)
        shutil.rmtree(gone)
    if wal and plan.segments:
        yield f"{len(plan.segments)} segments of the log go, those before {plan.first_segment}."
        run([program("pg_archivecleanup"), str(wal), plan.first_segment])
