"""Shows how fast a game's file of a million rows is compared with the ledger, in how much memory, and whether
all seeded differences are found and no others: `make bench-reconcile`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, connect, database, require_durable
from benchmarks.past import load
from benchmarks.seeded_file import COLUMNS, KINDS, OTHER_CURRENCY, Known, lines, seed
from benchmarks.servers import ENDINGS, VAR, platform, seed_platform
from benchmarks.settle import resident_mib
from config.launcher.processes import start, stop
from config.launcher.supervisor import ROOT

ROWS, EACH, SEED = 1_000_000, 25, 7
# Of ten transactions that are loaded nine are confirmed.
CONFIRMED = 0.9
MOST_SECONDS = 300.0
OURS = """
    SELECT t.mm_transaction_id, t.type, p.uid, t.amount, w.currency_id, t.settled_at
    FROM wallet_transaction t
    JOIN wallet_wallet w ON w.id = t.wallet_id JOIN players_player p ON p.id = t.player_id
    WHERE t.state = 'confirmed' AND t.game_id IS NOT NULL ORDER BY t.id
"""
SOURCE = """
    INSERT INTO payments_reconciliationsource (id, name, game_id, format, encoding, delimiter, decimal_mark,
        units, zone, time_pattern, tolerance_seconds, lists_all, columns, words, created_at)
    SELECT gen_random_uuid(), 'bench', id, 'csv', 'utf-8', ',', '.',
        'major', 'UTC', '', 300, false, %s, %s, now()
    FROM players_game
"""
FOUND = "SELECT kind, CASE WHEN kind = 'unreadable' THEN line::text ELSE key END FROM payments_difference"
WORDS = {"type": {"BET": "withdrawal", "WIN": "deposit"}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"of the file (default: {ROWS})")
    parser.add_argument("--each", type=int, default=EACH, help=f"seeded of each kind (default: {EACH})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of what differs where (default: {SEED})")
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-reconcile.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Loads, writes the file, compares it; returns the figures."""
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_reconcile"))
            server = require_durable(name)
            seed_platform(name)
        load(name, int(options.rows / CONFIRMED))
        with step("Writing the game's file"):
            place = VAR / "bench-reconcile.csv"
            expected, rows = write_file(name, place, options)
        stack.callback(place.unlink)
        add_source(name)
        seconds, memory = compare(name, place)
        found = differences(name)
        size = place.stat().st_size
    figures = {
        "rows": rows,
        "megabytes": size / 1e6,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "memory_mib_first": memory[0],
        "memory_mib_last": memory[-1],
        "memory_mib_most": max(memory),
        "seeded": len(expected),
        "not_found": sorted(expected - found)[:20],
        "invented": sorted(found - expected)[:20],
        "errors": len(expected ^ found),
        "cores": os.cpu_count(),
        "server": server,
    }
    report(figures)
    return figures


def write_file(name: str, place: Path, options: argparse.Namespace) -> tuple[set[tuple[str, str]], int]:
    """The file, and what has to be found in it."""
    with connect(name) as connection, connection.transaction(), place.open("w") as file:
        total = connection.execute(f"SELECT count(*) FROM ({OURS}) ours").fetchone()
        seeded = seed(total[0] if total else 0, options.each, options.seed)
        for line in lines(ours(connection), seeded):
            file.write(f"{line}\n")
    return seeded.expected, seeded.line - 1


def ours(connection: Any) -> Iterator[Known]:
    with connection.cursor("ours") as cursor:
        cursor.itersize = 10_000
        cursor.execute(OURS)
        for row in cursor:
            yield Known(*row)


def add_source(name: str) -> None:
    with connect(name, owner=True) as connection:
        connection.execute(
            "INSERT INTO wallet_currency (code, name, decimals) VALUES (%s, 'Euro', 2)", [OTHER_CURRENCY]
        )
        connection.execute(SOURCE, [json.dumps(COLUMNS), json.dumps(WORDS)])


def compare(name: str, place: Path) -> tuple[float, list[float]]:
    """How long the command takes, its start and the taking in of the file included, and its memory in MiB."""
    words = [
        "manage.py",
        "reconcile",
        str(place),
        "--source=bench",
        "--from=2000-01-01",
        "--until=2100-01-01",
    ]
    began = time.monotonic()
    child = start(
        "reconcile", [sys.executable, *words], environment=platform(name), endings=ENDINGS, directory=ROOT
    )
    memory: list[float] = []
    try:
        while not child.ended:
            time.sleep(0.5)
            if time.monotonic() - began > 5 and (resident := resident_mib(child.process.pid)):
                memory.append(resident)
    finally:
        stop(child)
    if child.process.returncode != 0:
        raise CannotMeasure(f"The command ended with {child.process.returncode}.")
    return time.monotonic() - began, memory or [0.0]


def differences(name: str) -> set[tuple[str, str]]:
    with connect(name) as connection:
        return {(kind, what) for kind, what in connection.execute(FOUND)}


def report(figures: dict[str, Any]) -> None:
    """The figures and the aim; a missed aim is said, and is no failure."""
    say(f"\n{figures['rows']} rows, {figures['megabytes']:.0f} MB, {figures['cores']} cores")
    aim = judge(figures["seconds"], MOST_SECONDS, at_most=True)
    say(f"{'seconds':<24}{figures['seconds']:10.1f}  aim {aim}")
    say(f"{'rows per second':<24}{figures['rows_per_second']:10.0f}")
    memory = tuple(figures[f"memory_mib_{when}"] for when in ("first", "last", "most"))
    say(f"{'memory, MiB':<24}{memory[0]:10.0f} first, {memory[1]:.0f} last, {memory[2]:.0f} most")
    say(f"{'seeded differences':<24}{figures['seeded']:10} of {len(KINDS)} kinds")
    say(f"{'not found':<24}{len(figures['not_found']):10}  {figures['not_found'][:3]}")
    say(f"{'invented':<24}{len(figures['invented']):10}  {figures['invented'][:3]}")


if __name__ == "__main__":
    sys.exit(main())
