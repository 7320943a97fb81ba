"""Shows how many lines of the journal an audit reads in a second, in one snapshot and in parts, and beside it
another checkout of this project if one is given: `make bench-audit`.
"""

import argparse
import os
import re
import statistics
import sys
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.aims import judge
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import CannotMeasure, database, require_durable
from benchmarks.past import load
from benchmarks.servers import VAR, platform, run, seed_platform
from config.launcher.supervisor import ROOT

TRANSACTIONS = 500_000
PER_CORE = 50_000
VERDICT = re.compile(r"(\d+) wallets, (\d+) entries(?: \((\d+) read\))? in ([\d.]+) s: no difference")
SNAPSHOT, OTHER = "one snapshot", "the other checkout"
ONE, ALL, NEW = "in parts, 1 process", "in parts, all cores", "nothing new"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"how many are loaded, two lines each (default: {TRANSACTIONS})",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument(
        "--other", type=Path, help="another checkout, whose audit reads the same database in turns"
    )
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-audit.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Loads, then audits in turns; returns the figures."""
    cores, seconds = os.cpu_count() or 1, defaultdict[str, list[float]](list)
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_audit"))
            server = require_durable(name)
            seed_platform(name)
        load(name, options.transactions)
        ways = [
            (SNAPSHOT, [], ROOT),
            (ONE, ["--workers=1"], ROOT),
            (ALL, [f"--workers={cores}"], ROOT),
            (NEW, ["--new"], ROOT),
        ]
        if options.other:
            ways.append((OTHER, [], options.other.resolve()))
        entries = 0

        def measure(way: str, words: list[str], checkout: Path) -> None:
            nonlocal entries
            entries, took = audit(name, words, checkout)
            seconds[way].append(took)
            say(f"  {way:<20}{entries / took:10.0f} lines/s")

        # What is new can only be asked once all was read.
        audit(name, ["--workers=1"], ROOT)
        in_turns([partial(measure, *way) for way in ways], options.rounds)
    rates = {way: entries / statistics.median(took) for way, took in seconds.items()}
    figures = {
        "entries": entries,
        "lines_per_second": rates,
        "per_core_in_parts": rates[ALL] / cores,
        "to_the_other": rates[SNAPSHOT] / rates[OTHER] if options.other else None,
        "errors": 0,
        "cores": cores,
        "server": server,
    }
    report(figures)
    return figures


def audit(name: str, words: list[str], checkout: Path) -> tuple[int, float]:
    """How many lines the audit covered, and in how many seconds by its own word."""
    said = run("manage.py", "audit_ledger", "--quiet", *words, environment=platform(name), checkout=checkout)
    found = VERDICT.search(said)
    if not found:
        raise CannotMeasure(f"The audit said something else:\n{said[-2000:]}")
    return int(found[2]), float(found[4])


def report(figures: dict[str, Any]) -> None:
    """The figures and the aim; a missed aim is said, and is no failure."""
    say(f"\n{figures['entries']} lines of the journal, {figures['cores']} cores")
    for way, rate in figures["lines_per_second"].items():
        say(f"{way:<24}{rate:10.0f} lines/s")
    say(f"{'in parts, each core':<24}{figures['per_core_in_parts']:10.0f} lines/s")
    say(f"{'in parts, 1 process':<24}aim {judge(figures['lines_per_second'][ONE], PER_CORE)}")
    if figures["to_the_other"]:
        say(f"{'of the other checkout':<24}{figures['to_the_other']:10.2f} times, in one snapshot each")


if __name__ == "__main__":
    sys.exit(main())
