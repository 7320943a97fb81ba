"""Measures the platform behind the shipped PgBouncer beside itself without one: `make bench-pooler`."""

import argparse
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.aims import Aim
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import CannotMeasure, address, checkpoint, database, require_durable
from benchmarks.measured import Measured, Work
from benchmarks.pgbouncer import installed, pooled, version_of
from benchmarks.servers import VAR, seed_platform, shipped_server
from benchmarks.traffic import Login

LEAST = 0.85
CONNECTIONS = (16, 64)
DIRECT = {number: Work(f"without a pooler, {number}", connections=number) for number in CONNECTIONS}
POOLED = {number: Work(f"behind the pooler, {number}", connections=number) for number in CONNECTIONS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument("--seconds", type=int, default=5, help="how long a round lasts (default: 5)")
    options = parser.parse_args()
    return measuring(lambda: bench(options.rounds, options.seconds), VAR / "bench-pooler.json")


def bench(rounds: int, seconds: int) -> dict[str, Any]:
    """Both servers on one database, in turns; returns the figures."""
    program = installed()
    if program is None:
        raise CannotMeasure("PgBouncer is not installed.")
    measured = Measured()
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_pooler"))
            server = require_durable(name)
            seeded = seed_platform(name)
            checkpoint()
        measured.watch(name)
        login = Login(seeded["username"], seeded["password"])
        home = Path(stack.enter_context(TemporaryDirectory()))
        pooler = stack.enter_context(pooled(address(name), home))
        say(f"PgBouncer {version_of(program)}, DATABASE_POOLER={pooler.kind}; its CPU is not in the figures")
        direct = stack.enter_context(shipped_server("direct", name))
        behind = stack.enter_context(shipped_server("pooled", name, pooler=pooler.environment))
        in_turns(
            [
                partial(measured.run, work, where, login, seconds)
                for number in CONNECTIONS
                for work, where in ((DIRECT[number], direct), (POOLED[number], behind))
            ],
            rounds,
        )
    measured.show()
    ratios = {
        f"pooled_to_direct_{number}": measured.rate(POOLED[number].name) / measured.rate(DIRECT[number].name)
        for number in CONNECTIONS
    }
    for number in CONNECTIONS:
        ratio = ratios[f"pooled_to_direct_{number}"]
        say(str(Aim(f"withdrawals behind the pooler, {number}", ratio, LEAST)))
    return ratios | {
        "work": measured.figures(),
        "errors": measured.errors,
        "pooler": {"version": version_of(program), "kind": pooler.kind},
        "server": server,
    }


if __name__ == "__main__":
    sys.exit(main())
