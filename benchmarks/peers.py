"""Measures the platform's withdrawals in turns with those of others, on the same PostgreSQL:
`make bench-peers`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import pgledger
from benchmarks.bench import (
    TEXTBOOK_16,
    WITHDRAW_16,
    WITHDRAW_64,
    Databases,
    opened_databases,
    raw_measurements,
)
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import checkpoint, connect, database, let_app_create
from benchmarks.load import Exchange
from benchmarks.measured import Measured, Work
from benchmarks.servers import VAR, Address, pgledger_server, shipped_server, textbook_server
from benchmarks.traffic import Login, withdrawals

NOT_BUILT_IN = ("TigerBeetle", "Formance Ledger", "Blnk")


def transfers(login: Login) -> Iterator[Exchange]:
    """The same bytes as a withdrawal, for pgledger's view."""
    return withdrawals(login, path="/withdraw")


PGLEDGER_16 = Work("pgledger, 16", transfers)
PGLEDGER_64 = Work("pgledger, 64", transfers, connections=64)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument("--seconds", type=int, default=6, help="how long a round lasts (default: 6)")
    parser.add_argument(
        "--pgledger",
        type=Path,
        default=VAR / "pgledger",
        help="a checkout of pgr0ss/pgledger, tag v0.7.0 (default: var/pgledger)",
    )
    options = parser.parse_args()
    return measuring(lambda: compare(options), VAR / "bench-peers.json")


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """All rounds; returns the figures."""
    began = time.monotonic()
    measured = Measured()
    skipped = dict.fromkeys(NOT_BUILT_IN, "it is a server of its own, and no comparison is built in")
    if reason := pgledger.why_not(options.pgledger):
        skipped["pgledger"] = reason
    for name, reason in skipped.items():
        say(f"SKIPPED: {name}: {reason}")
    with ExitStack() as stack, opened_databases() as made:
        measured.watch(made.wallet)
        measurements = measurements_of(stack, measured, made, options.seconds)
        if "pgledger" not in skipped:
            where = stack.enter_context(pgledger_served(options.pgledger))
            measurements += [
                partial(measured.run, work, where, made.login, options.seconds)
                for work in (PGLEDGER_16, PGLEDGER_64)
            ]
        in_turns(measurements, options.rounds)
    measured.show()
    ours = measured.rate(WITHDRAW_16.name)
    return {
        "work": measured.figures(),
        "to_withdraw_16": {name: measured.rate(name) / ours for name in measured.rounds},
        "skipped": skipped,
        "errors": measured.errors,
        "cores": os.cpu_count(),
        "server": made.server,
        "took_seconds": time.monotonic() - began,
    }


def measurements_of(
    stack: ExitStack, measured: Measured, made: Databases, seconds: int
) -> list[Callable[[], None]]:
    """What is always there: pgbench, the textbook, and ours."""
    ours = stack.enter_context(shipped_server("platform", made.wallet))
    other = stack.enter_context(textbook_server(made.textbook))
    return [
        *raw_measurements(measured, made, seconds),
        partial(measured.run, TEXTBOOK_16, other, made.textbook_login, seconds),
        partial(measured.run, WITHDRAW_16, ours, made.login, seconds),
        partial(measured.run, WITHDRAW_64, ours, made.login, seconds),
    ]


@contextmanager
def pgledger_served(checkout: Path) -> Iterator[Address]:
    """pgledger in a database of its own, behind its view."""
    with database("bench_pgledger") as name:
        with step("Making a database for pgledger"):
            let_app_create(name)
            with connect(name) as connection:
                pgledger.install(connection, checkout)
            checkpoint()
        with pgledger_server(name) as where:
            yield where


if __name__ == "__main__":
    sys.exit(main())
