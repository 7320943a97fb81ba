"""Shows how fast operators' pages are on a loaded database: `make bench-growth`."""

import argparse
import json
import os
import sys
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import checkpoint, connect, database, require_durable
from benchmarks.past import describe, load
from benchmarks.servers import VAR, patient, platform, run, seed_platform

TRANSACTIONS = 5_000_000
PAGE_MS = 300
# Of the slowest pages, as many as this are told, and all that miss the aim.
SHOWN = 12
# So many orders are there besides, none of them paid.
ORDERS = 100_000
# Of alerts, requests, acts and what else operators work through, so many of each.
DESK = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"how many settled ones are loaded (default: {TRANSACTIONS})",
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="let audit_ledger read the loaded database in the end, which takes minutes",
    )
    options = parser.parse_args()
    return measuring(lambda: growth(options), VAR / "bench-growth.json")


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """Loads, looks at the pages; returns the figures."""
    began = time.monotonic()
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            loaded = stack.enter_context(database("bench_loaded"))
            server = require_durable(loaded)
            seed_platform(loaded)
            run("manage.py", "collectstatic", "--no-input", "--verbosity=0", environment=platform(loaded))
        load_began = time.monotonic()
        load(loaded, options.transactions)
        load_seconds = time.monotonic() - load_began
        complete(loaded, options.transactions)
        size = describe(loaded)
        with step("Opening the operators' pages"):
            pages = look_at_pages(loaded)
        if options.audit:
            with step("Auditing the ledger"):
                said = run("manage.py", "audit_ledger", "--quiet", environment=platform(loaded))
            say(said.strip())
    figures = {
        "pages": pages,
        "slowest_page_ms": max(page["ms"] for page in pages),
        "most_queries": max(page["queries"] for page in pages),
        "errors": 0,
        "cores": os.cpu_count(),
        "load_seconds": load_seconds,
        **size,
        "server": server,
        "took_seconds": time.monotonic() - began,
    }
    report(figures)
    return figures


def complete(name: str, transactions: int) -> None:
    """What a platform of that age has besides: orders, operators' work, its finished days summed up."""
    with step("Adding orders"):
        count = max(1_000, ORDERS * transactions // TRANSACTIONS)
        run("-m", "benchmarks.orders", str(count), environment=patient(name))
    with step("Filling the operators' desk"):
        count = max(200, DESK * transactions // TRANSACTIONS)
        # As the owner: discrepancies are written by the ledger alone.
        run("-m", "benchmarks.desk", str(count), environment=patient(name, owner=True))
    with step("Summing up the finished days"):
        run("manage.py", "daily_totals", environment=patient(name))
    with step("Summing up what the first page shows"):
        run("manage.py", "fold_figures", environment=patient(name))
    with connect(name, owner=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
    checkpoint()


def look_at_pages(name: str) -> list[dict[str, Any]]:
    """Every page of operators, for somebody with all roles: milliseconds at the server, and queries."""
    seen: list[dict[str, Any]] = json.loads(run("-m", "benchmarks.admin_pages", environment=platform(name)))
    return seen


def report(figures: dict[str, Any]) -> None:
    """The figures and the aims; a missed aim is said, and is no failure."""
    slow = [page for page in figures["pages"] if page["ms"] > PAGE_MS]
    by_time = sorted(figures["pages"], key=lambda page: -page["ms"])
    say(f"\nOperators' pages, the slowest of several tries each: {len(by_time)} pages")
    for page in by_time[: max(SHOWN, len(slow))]:
        aim = judge(page["ms"], PAGE_MS, at_most=True)
        say(f"{page['name']:<62}{page['ms']:6.0f} ms {page['queries']:4} queries   aim {aim}")
    say(f"pages within {PAGE_MS} ms: {len(by_time) - len(slow)} of {len(by_time)}")


if __name__ == "__main__":
    sys.exit(main())
