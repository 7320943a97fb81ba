"""Shows how much room an archived month makes, and how long that takes: `make bench-archive`."""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, connect, database, require_durable
from benchmarks.servers import VAR, patient, platform, run
from config.launcher.supervisor import ROOT

TRANSACTIONS = 500_000
# They begin so many days back, all in the journal's first part; it is archived so many days later.
DAYS, LATER = 70, 135
CLOCK = """
    CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT clock_timestamp() + interval '{days} days' $$
"""
ENDED = "SELECT to_char(min(ended) AT TIME ZONE 'UTC', 'YYYY-MM') FROM journal_parts()"
SIZES = """
    SELECT (SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
            FROM pg_partition_tree('wallet_entry') WHERE isleaf),
        pg_total_relation_size('wallet_transaction'), pg_database_size(current_database()),
        (SELECT count(*) FROM wallet_entry)
"""
VERDICT = re.compile(r"(\d+) wallets, (\d+) entries.* in ([\d.]+) s: no difference")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"how many are loaded, two lines each (default: {TRANSACTIONS})",
    )
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-archive.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Loads, archives, brings back; returns the figures."""
    with ExitStack() as stack:
        name = stack.enter_context(database("bench_archive"))
        server = require_durable(name)
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = {
            "ARCHIVE_DIRECTORY": str(directory / "archive"),
            "CHECKPOINT_DIRECTORY": str(directory / "checkpoints"),
        }
        fill(name, options.transactions)
        sound(name, places)
        figures = {"before": sizes(name)}
        with connect(name, owner=True) as connection:
            before = str(connection.execute(ENDED).fetchone()[0])  # type: ignore[index]
        ways = ("--before", before, "--yes")
        seconds = {"archive": timed(name, places, "archive_journal", *ways)}
        seconds["drop"] = timed(name, places, "archive_journal", *ways, "--drop")
        figures["after"] = sizes(name)
        figures["files"] = sum(
            path.stat().st_size for path in (directory / "archive").rglob("*") if path.is_file()
        )
        seconds["audit"] = audited(name, places)
        seconds["audit with archives"] = audited(name, places, "--archives")
        seconds["restore"] = timed(name, places, "archive_restore", "--yes")
        figures["restored"] = sizes(name)
        audited(name, places)
    report(figures, seconds)
    return figures | {"seconds": seconds, "errors": 0, "cores": os.cpu_count(), "server": server}


def fill(name: str, transactions: int) -> None:
    with step("Making a database for 10 000 players"):
        run("manage.py", "migrate", "--no-input", environment=platform(name, owner=True))
        with connect(name, owner=True) as connection:
            connection.execute(CLOCK.format(days=-DAYS - 1).encode())
        run("-m", "benchmarks.seed", environment=patient(name))
        with connect(name, owner=True) as connection:
            connection.execute((ROOT / "players/sql/clock.sql").read_bytes())
    with step(f"Loading {transactions} settled transactions of {DAYS} days"):
        run("-m", "benchmarks.history", name, str(transactions), str(DAYS), "0", "1", environment=os.environ)
        with connect(name, owner=True) as connection:
            # Nobody reads events here, and they have to be dropped first.
            connection.execute("DELETE FROM wallet_newevent")
            connection.execute("VACUUM (ANALYZE)")
            connection.execute(CLOCK.format(days=LATER).encode())


def sound(name: str, places: Mapping[str, str]) -> None:
    """All that has to be done before a month can be archived."""
    for words in (
        ["daily_totals"],
        ["fold_figures"],
        ["audit_ledger", "--quiet", "--workers=1"],
        ["make_checkpoint"],
    ):
        with step(" ".join(words)):
            run("manage.py", *words, environment=patient(name) | places)


def sizes(name: str) -> dict[str, int]:
    with connect(name, owner=True) as connection:
        row = connection.execute(SIZES).fetchone()
    assert row is not None
    return dict(zip(("journal", "transactions", "database", "entries"), row, strict=True))


def timed(name: str, places: Mapping[str, str], *words: str) -> float:
    """How long a command of the owner takes, in seconds."""
    began = time.monotonic()
    with step(" ".join(words)):
        run("manage.py", *words, environment=patient(name, owner=True) | places)
    return time.monotonic() - began


def audited(name: str, places: Mapping[str, str], *words: str) -> float:
    """How long the audit takes by its own word; it must find no difference."""
    said = run("manage.py", "audit_ledger", "--quiet", *words, environment=patient(name) | places)
    found = VERDICT.search(said)
    if not found:
        raise CannotMeasure(f"The audit said something else:\n{said[-2000:]}")
    say(f"audit {' '.join(words)}: {found[2]} lines in {found[3]} s")
    return float(found[3])


def report(figures: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    say(f"\n{'':<12}{'lines':>12}{'journal':>12}{'transactions':>14}{'database':>12}")
    for when in ("before", "after", "restored"):
        row = figures[when]
        say(
            f"{when:<12}{row['entries']:>12}{row['journal'] / 1e6:>9.1f} MB"
            f"{row['transactions'] / 1e6:>11.1f} MB{row['database'] / 1e6:>9.1f} MB"
        )
    say(f"files       {figures['files'] / 1e6:.1f} MB")
    for what, took in seconds.items():
        say(f"{what:<24}{took:8.1f} s")


if __name__ == "__main__":
    sys.exit(main())
