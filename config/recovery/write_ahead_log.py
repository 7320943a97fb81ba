"""The write-ahead log that was received or archived: how far it leads, and how a server fetches it."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from config.recovery.programs import attempt, program

# The segment that pg_receivewal is writing is called so.
PARTIAL = ".partial"
SEGMENT = re.compile(r"[0-9A-F]{24}(\.partial)?")
COMMIT = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+), .*desc: COMMIT (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")
# Segments without a commit, from the end on, after which no more are read: nothing runs there.
MOST_EMPTY = 100


class Commit(NamedTuple):
    """The place of a commit in the log, and its time."""

    lsn: str
    at: datetime


def position(lsn: str) -> int:
    """A place in the log as a number, so that places can be compared."""
    high, _, low = lsn.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def segments(directory: Path) -> list[Path]:
    """The segments of the log, the oldest first; what is whole counts before what was being written."""
    found: dict[str, Path] = {}
    for path in sorted(directory.iterdir(), reverse=True):
        if SEGMENT.fullmatch(path.name):
            found[path.name.removesuffix(PARTIAL)] = path
    return [found[name] for name in sorted(found)]


def last_commit(directory: Path) -> Commit | None:
    """The last commit that the log in a directory has; None if it has none."""
    for segment in reversed(segments(directory)[-MOST_EMPTY:]):
        if commits := COMMIT.findall(transactions(segment)):
            lsn, at = commits[-1]
            return Commit(lsn, datetime.strptime(at, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC))
    return None


def transactions(segment: Path) -> str:
    """The ends of transactions in a segment, in pg_waldump's words, which ends badly where the log ends."""
    name = segment.name.removesuffix(PARTIAL)
    with TemporaryDirectory() as alone:
        (Path(alone) / name).symlink_to(segment.absolute())
        return attempt([program("pg_waldump"), "--path", alone, "--rmgr=Transaction", name]).stdout


def restore_command(directory: Path) -> str:
    """What a server that recovers runs for each segment: %f is its name, %p where it is wanted."""
    place = shlex.quote(str(directory.absolute())).replace("%", "%%")
    return f"cp {place}/%f %p 2>/dev/null || cp {place}/%f{PARTIAL} %p"
