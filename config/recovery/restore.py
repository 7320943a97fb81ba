"""A restore: planned and shown first, then done, verified, and only then opened."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from config.recovery.base_backup import verify_backup
from config.recovery.data_directory import aside, fill, is_filled, objection, owner_of
from config.recovery.key_ids import credential_key_id, present_key_ids
from config.recovery.manifest import BASE, Manifest
from config.recovery.private_server import PrivateServer, Told, app_role, at_server, private_server
from config.recovery.programs import CannotRecover, User, attempt, major_version
from config.recovery.verification import Verification, verify_database
from config.recovery.write_ahead_log import Commit, last_commit, position, restore_command, segments
from lib.clock import in_words

# Ids of sequences that were given out after the restored moment are not given out again.
LEAP = 1_000_000
OWNER = "SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'wallet_entry'"
LEAP_AHEAD = """
    SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass,
        least(coalesce(last_value, start_value) + %s, max_value))
    FROM pg_sequences WHERE schemaname = 'public'
"""
LAST_REPLAYED = "SELECT pg_last_xact_replay_timestamp()"


@dataclass(frozen=True)
class Plan:
    """What a restore would do. `problems` forbid it, `notes` should be known."""

    backup: Path
    manifest: Manifest
    destination: Path
    log: Path | None
    until: datetime | None
    newest: Commit | None
    moved_to: Path | None
    user: User | None
    problems: list[str]
    notes: list[str]

    @property
    def moment(self) -> datetime:
        """To which it goes."""
        newest = self.newest.at if self.newest else self.manifest.ended_at
        return min(self.until, newest) if self.until else newest


@dataclass(frozen=True)
class Restored:
    """What came of it: the last commit that is there, and how long each part took, in seconds."""

    last_commit: datetime | None
    verification: Verification
    seconds: dict[str, float]


class NotVerified(Exception):
    """The restored database is not what it should be, and stays closed."""

    def __init__(self, verification: Verification) -> None:
        super().__init__("; ".join(verification.findings))
        self.verification = verification


def plan_restore(
    backup: Path, *, destination: Path, log: Path | None, until: datetime | None, replace: bool
) -> Plan:
    """Looks at everything and changes nothing. Raises `CannotRecover` if the backup is not whole."""
    manifest = verify_backup(backup)
    user = owner_of(destination)
    newest = last_commit(log or backup / BASE / "pg_wal")
    if newest and position(newest.lsn) < position(manifest.end_lsn):
        newest = None
    moved_to = aside(destination, timezone.now()) if is_filled(destination) else None
    problems = [
        *destination_problems(destination, manifest, replace=replace),
        *version_problems(manifest),
        *key_problems(manifest),
        *log_problems(log, user),
        *moment_problems(manifest, until),
        *room_problems(backup, destination),
    ]
    notes = list(notes_on(manifest, until, newest))
    return Plan(backup, manifest, destination, log, until, newest, moved_to, user, problems, notes)


def destination_problems(destination: Path, manifest: Manifest, *, replace: bool) -> Iterator[str]:
    if not is_filled(destination):
        return
    if problem := objection(destination, manifest.system_identifier):
        yield problem
    elif not replace:
        yield (
            f"{destination} holds the data of this server, which is stopped: --replace moves them aside, and "
            "deletes nothing."
        )


def version_problems(manifest: Manifest) -> Iterator[str]:
    if (ours := major_version("postgres")) != manifest.postgresql_major:
        yield (
            f"The backup is of PostgreSQL {manifest.postgresql_version}, and the programs here of {ours}: "
            "set POSTGRES_PROGRAMS to the directory of the right ones."
        )


def key_problems(manifest: Manifest) -> Iterator[str]:
    if missing := sorted(set(manifest.encryption_keys) - present_key_ids()):
        yield f"ENCRYPTION_KEYS lacks {', '.join(missing)}: what these keys sealed could not be opened."
    if manifest.credential_key != credential_key_id():
        yield (
            f"CREDENTIAL_KEY is not the one of the backup ({manifest.credential_key}): no caller's password "
            "would be right."
        )


def log_problems(log: Path | None, user: User | None) -> Iterator[str]:
    """The server must be able to read the log that it is to replay."""
    if log is None:
        return
    if not (found := segments(log)):
        yield f"{log} has no segment of a write-ahead log."
    elif attempt(["test", "-r", str(found[-1])], user=user).returncode != 0:
        yield f"The user that PostgreSQL runs as cannot read {found[-1]}."


def moment_problems(manifest: Manifest, until: datetime | None) -> Iterator[str]:
    if until and until < manifest.ended_at:
        yield (
            f"The backup leads to no moment before {in_words(manifest.ended_at)}, when it was complete: take "
            "an older one."
        )


def room_problems(backup: Path, destination: Path) -> Iterator[str]:
    needed = sum(path.stat().st_size for path in (backup / BASE).rglob("*") if path.is_file())
    free = shutil.disk_usage(destination.parent).free
    if free < needed:
        yield f"{destination.parent} has room for {free >> 20} MiB, and the data need {needed >> 20}."


def notes_on(manifest: Manifest, until: datetime | None, newest: Commit | None) -> Iterator[str]:
    if manifest.platform_version != settings.VERSION:
        yield f"It is of version {manifest.platform_version} of the platform; this is {settings.VERSION}."
    if until and (newest is None or until >= newest.at):
        yield "Nothing was committed between the end of the log and the moment that you name."
    yield "Not restored: what was answered after that moment, settings, and files of checkpoints."


def recovery_settings(plan: Plan) -> dict[str, str]:
    """Where the server stops: always at a point that the log has, so that it never opens by itself."""
    given = {"restore_command": restore_command(plan.log)} if plan.log else {"restore_command": ""}
    if plan.newest is None:
        return given | {"recovery_target": "immediate"}
    if plan.until and plan.until < plan.newest.at:
        return given | {"recovery_target_time": plan.until.isoformat(sep=" ")}
    return given | {"recovery_target_lsn": plan.newest.lsn}


def carry_out(plan: Plan, tell: Told) -> Restored:
    """Restores, verifies, and opens what is right. Raises `NotVerified`, or `CannotRecover`."""
    if plan.problems:
        raise CannotRecover(plan.problems[0])
    watch = StopWatch()
    if plan.moved_to:
        plan.destination.rename(plan.moved_to)
    fill(plan.destination, plan.backup / BASE, plan.user)
    watch.lap("copy")
    tell(f"{plan.destination} is filled. The log is replayed.")
    database, recovery = plan.manifest.database, recovery_settings(plan)
    with private_server(plan.destination, user=plan.user, database=database, recovery=recovery) as server:
        server.wait_for_target(tell)
        watch.lap("replay")
        with server.connect(app_role()) as reader:
            [last] = reader.execute(LAST_REPLAYED).fetchone() or (None,)
        tell("The ledger is verified.")
        with at_server(server):
            verification = verify_database(plan.manifest, plan.backup)
        watch.lap("verification")
        if verification.findings:
            raise NotVerified(verification)
        open_for_all(server)
    watch.lap("opening")
    return Restored(last, verification, watch.laps)


def open_for_all(server: PrivateServer) -> None:
    """It takes writes from now on; nobody but us reaches it until it is started as its files say."""
    server.control("promote")
    with server.connect(app_role()) as reader:
        [owner] = reader.execute(OWNER).fetchone() or ("",)
    with server.connect(owner) as writer:
        writer.execute(LEAP_AHEAD, [LEAP])


class StopWatch:
    """How long each part took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.began = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name], self.began = now - self.began, now
