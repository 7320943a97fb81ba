"""Shows that cost does not grow with the work:
an empty and a loaded database in turns, and the admin's pages: `make bench-growth`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, connect, database, require_durable
from benchmarks.measured import CONNECTIONS, Measured, Work
from benchmarks.servers import ENDINGS, VAR, patient, platform, run, seed_platform, shipped_server
from benchmarks.traffic import Login
from config.launcher.processes import start, stop, wait_until
from config.launcher.supervisor import ROOT

TRANSACTIONS = 5_000_000
# They reach so many days back, evenly; each day has its part of the call log.
DAYS = 30
PAGE_MS = 300
# Of the slowest pages, as many as this are told, and all that miss the aim.
SHOWN = 12
# So many orders are there besides, none of them paid.
ORDERS = 100_000
# Of alerts, requests, acts and what else operators work through, so many of each.
DESK = 20_000
LEAST_SHARE = 0.9
LOADED = ("wallet_transaction", "wallet_entry", "wallet_apicall")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"how many settled ones are loaded (default: {TRANSACTIONS})",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each database is measured, in turns (default: 3)"
    )
    parser.add_argument("--seconds", type=float, default=8, help="how long a round lasts (default: 8)")
    parser.add_argument(
        "--audit",
        action="store_true",
        help="let audit_ledger read the loaded database in the end, which takes minutes",
    )
    options = parser.parse_args()
    return measuring(lambda: growth(options), VAR / "bench-growth.json")


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """Loads, measures, looks at the pages; returns the figures."""
    began = time.monotonic()
    with ExitStack() as stack:
        with step("Making databases for 10 000 players"):
            empty = stack.enter_context(database("bench_empty"))
            server = require_durable(empty)
            seeded = seed_platform(empty)
            loaded = stack.enter_context(database("bench_loaded", empty))
            run("manage.py", "collectstatic", "--no-input", "--verbosity=0", environment=platform(loaded))
        load_began = time.monotonic()
        load(loaded, options.transactions)
        load_seconds = time.monotonic() - load_began
        complete(loaded, options.transactions)
        size = describe(loaded)
        measured = measure(empty, loaded, seeded, options)
        with step("Opening the operators' pages"):
            pages = look_at_pages(loaded)
        if options.audit:
            with step("Auditing the ledger"):
                said = run("manage.py", "audit_ledger", "--quiet", environment=platform(loaded))
            say(said.strip())
    figures = {
        "withdraw_rps_empty": measured.rate("empty"),
        "withdraw_rps_loaded": measured.rate("loaded"),
        "withdraw_p99_ms_empty": measured.median("empty").p99_ms,
        "withdraw_p99_ms_loaded": measured.median("loaded").p99_ms,
        "loaded_to_empty": measured.rate("loaded") / measured.rate("empty"),
        "pages": pages,
        "slowest_page_ms": max(page["ms"] for page in pages),
        "most_queries": max(page["queries"] for page in pages),
        "errors": measured.errors,
        "cores": os.cpu_count(),
        "load_seconds": load_seconds,
        **size,
        "server": server,
        "took_seconds": time.monotonic() - began,
    }
    report(figures)
    return figures


def load(name: str, transactions: int) -> None:
    """Fills the database, without its indexes while rows come, and leaves it as a database in use is:
    vacuumed and analysed.
    """
    parts = min(4, os.cpu_count() or 1)
    with connect(name, owner=True) as connection:
        for days in range(-DAYS - 1, 2):
            connection.execute("SELECT call_log_prepare_day(current_date + %s)", [days])
        with indexes_put_aside(connection):
            say(f"Loading {transactions} settled transactions with {parts} processes …")
            with step(" "):
                write_history(name, transactions, parts)
            print("Building the indexes … ", end="", flush=True)
            index_began = time.monotonic()
        say(f"{time.monotonic() - index_began:.1f} s")
        with step("Vacuuming and analysing"):
            connection.execute("VACUUM (ANALYZE)")
    checkpoint()


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


def write_history(name: str, transactions: int, parts: int) -> None:
    """All processes at once; one that fails ends the others."""
    with ExitStack() as stack:
        children = []
        for part in range(parts):
            command = [
                sys.executable,
                "-m",
                "benchmarks.history",
                name,
                str(transactions),
                str(DAYS),
                str(part),
                str(parts),
            ]
            child = start(f"history {part}", command, environment=os.environ, endings=ENDINGS, directory=ROOT)
            stack.callback(stop, child)
            children.append(child)
        wait_until(
            lambda: all(child.ended for child in children) or any(child.process.poll() for child in children)
        )
        if any(child.process.poll() != 0 for child in children):
            raise CannotMeasure("The history could not be loaded.")


@contextmanager
def indexes_put_aside(connection: psycopg.Connection) -> Iterator[None]:
    """Takes the tables' indexes and unique keys away, as far as nothing depends on them,
    and makes the same ones again.
    """
    again: list[str] = []
    keys = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u')",
        [list(LOADED)],
    ).fetchall()
    for table, key, definition in keys:
        if removed(connection, f"ALTER TABLE {table} DROP CONSTRAINT {key}"):
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {key} {definition}")
    rest = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i "
        "WHERE indrelid = ANY(%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        [list(LOADED)],
    ).fetchall()
    for index, definition in rest:
        if removed(connection, f"DROP INDEX {index}"):
            # PostgreSQL tells of the parent alone, whose parts would be left without.
            again.append(definition.replace(" ON ONLY ", " ON ", 1))
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for statement in again:
        connection.execute(statement.encode())


def removed(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.DependentObjectsStillExist:
        return False
    return True


def describe(name: str) -> dict[str, int]:
    """How much there is now."""
    with connect(name, owner=True) as connection:
        counts: dict[str, int] = {}
        for key, table in zip(("transactions", "entries", "calls"), LOADED, strict=True):
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
            assert row is not None
            counts[key] = row[0]
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
    say(
        f"  {counts['transactions']} transactions, {counts['entries']} entries, {counts['calls']} calls, "
        f"{row[0] / 1e9:.1f} GB"
    )
    return counts | {"database_bytes": row[0]}


def measure(empty: str, loaded: str, seeded: dict[str, str], options: argparse.Namespace) -> Measured:
    """(b) on both databases in turns, through a shipped server each;
    the one that is not asked costs nothing.
    """
    say(f"(b) withdrawals over {CONNECTIONS} connections")
    measured = Measured()
    measured.watch(empty)
    with shipped_server("empty", empty) as empty_server, shipped_server("loaded", loaded) as loaded_server:
        both = [("empty", empty_server), ("loaded", loaded_server)]
        for number in range(options.rounds):
            for kind, where in both if number % 2 == 0 else reversed(both):
                measured.run(
                    Work(kind), where, Login(seeded["username"], seeded["password"]), options.seconds
                )
    return measured


def look_at_pages(name: str) -> list[dict[str, Any]]:
    """Every page of operators, for somebody with all roles: milliseconds at the server, and queries."""
    seen: list[dict[str, Any]] = json.loads(run("-m", "benchmarks.admin_pages", environment=platform(name)))
    return seen


def report(figures: dict[str, Any]) -> None:
    """The figures and the aims; a missed aim is said, and is no failure."""
    say(
        f"\nwithdrawals, empty database   {figures['withdraw_rps_empty']:8.0f} /s   p99 "
        f"{figures['withdraw_p99_ms_empty']:.1f} ms"
    )
    say(
        f"withdrawals, loaded database  {figures['withdraw_rps_loaded']:8.0f} /s   p99 "
        f"{figures['withdraw_p99_ms_loaded']:.1f} ms"
    )
    say(
        f"loaded of empty               {figures['loaded_to_empty']:8.2f}      aim "
        f"{judge(figures['loaded_to_empty'], LEAST_SHARE)}"
    )
    slow = [page for page in figures["pages"] if page["ms"] > PAGE_MS]
    by_time = sorted(figures["pages"], key=lambda page: -page["ms"])
    say(f"\nOperators' pages, the slowest of several tries each: {len(by_time)} pages")
    for page in by_time[: max(SHOWN, len(slow))]:
        aim = judge(page["ms"], PAGE_MS, at_most=True)
        say(f"{page['name']:<62}{page['ms']:6.0f} ms {page['queries']:4} queries   aim {aim}")
    say(f"pages within {PAGE_MS} ms: {len(by_time) - len(slow)} of {len(by_time)}")


if __name__ == "__main__":
    sys.exit(main())
