"""Measures the platform's speed on durable settings, beside what it stands on and beside a textbook:
`make bench`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import ledger
from benchmarks.aims import Aim
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, database, let_app_create, require_durable
from benchmarks.measured import Measured, Work
from benchmarks.servers import (
    VAR,
    Address,
    bare_server,
    empty_server,
    run,
    seed_platform,
    shipped_server,
    textbook,
    textbook_server,
)
from benchmarks.traffic import PLAYERS, Login, nothing, one_wallet, pairs
from config import gunicorn

# One address may have 256 connections to a worker (WEB_CONNECTIONS_PER_ADDRESS), and here all come from one.
MOST_CONNECTIONS = 1024
MOST_WAIT_MS = 60_000
BARE = Work("bare responder", nothing, share=0.5)
EMPTY = Work("empty view", nothing, share=0.5)
WITHDRAW_16 = Work("withdraw, 16")
WITHDRAW_64 = Work("withdraw, 64", connections=64)
WITHDRAW_256 = Work("withdraw, 256", connections=256, share=0.5)
WITHDRAW_1024 = Work("withdraw, 1024", connections=MOST_CONNECTIONS, share=0.5)
TURNS_1024 = Work("withdraw, 64 of 1024 in turn", connections=MOST_CONNECTIONS, under_way=64, share=0.5)
ONE_WALLET = Work("one wallet, 64", one_wallet, connections=64, share=0.75)
PAIRS = Work("pairs (requests), 16", pairs, share=0.75)
TEXTBOOK_16 = Work("textbook, 16")
TEXTBOOK_64 = Work("textbook, 64", connections=64, share=0.5)
BEFORE_16 = Work("the other: withdraw, 16")
BEFORE_PAIRS = Work("the other: pairs, 16", pairs, share=0.75)
OPENING, SIMPLE_UPDATE = "pgbench, ledger_open, 16", "pgbench, simple-update, 16"


class Target(NamedTuple):
    """A server, and who may call it."""

    where: Address
    login: Login


@dataclass(frozen=True)
class Databases:
    """What is measured, what the seed told of it, and how the server is set."""

    wallet: str
    textbook: str
    simple: str
    seeded: dict[str, str]
    textbook_login: Login
    server: dict[str, str]

    @property
    def login(self) -> Login:
        return login_of(self.seeded)


@dataclass(frozen=True)
class Plan:
    """How often each thing is measured, how many seconds a round lasts, and with which other checkout."""

    rounds: int
    seconds: int
    against: Path | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument(
        "--seconds", type=int, default=8, help="how long a round of the longest lasts (default: 8)"
    )
    parser.add_argument(
        "--against", type=Path, help="another checkout of this project, to measure beside this one"
    )
    options = parser.parse_args()
    against = options.against and options.against.resolve()
    return measuring(lambda: bench(Plan(options.rounds, options.seconds, against)), VAR / "bench.json")


def bench(plan: Plan) -> dict[str, Any]:
    """All measurements; returns the figures."""
    began = time.monotonic()
    measured = Measured()
    with ExitStack() as stack:
        made = stack.enter_context(opened_databases())
        measured.watch(made.wallet)
        measure_ceilings(measured, made.login, plan)
        say(
            f"One address may have {MOST_CONNECTIONS} connections to a worker here "
            f"(WEB_CONNECTIONS_PER_ADDRESS), not {gunicorn.connections_per_address}: all come from one."
        )
        # All that wait at a time are answered, however long that takes: nothing is refused (WEB_WAIT_MS).
        shipped = shipped_server("platform", made.wallet, connections=MOST_CONNECTIONS, wait_ms=MOST_WAIT_MS)
        platform = Target(stack.enter_context(shipped), made.login)
        other = Target(stack.enter_context(textbook_server(made.textbook)), made.textbook_login)
        before = start_other(stack, plan.against) if plan.against else None
        raw = raw_measurements(measured, made, max(1, plan.seconds // 2))
        http = http_measurements(measured, platform, other, before, plan)
        in_turns([*raw, *http], plan.rounds)
        # Once is enough to know which of the two is the textbook's best.
        measured.run(TEXTBOOK_64, *other, plan.seconds)
    figures = figures_of(measured) | {
        "errors": measured.errors,
        "cores": os.cpu_count(),
        "players": PLAYERS,
        "web_workers": gunicorn.workers,
        "web_threads": gunicorn.threads,
        "server": made.server,
        "took_seconds": time.monotonic() - began,
    }
    measured.show()
    for aim in aims(figures):
        say(str(aim))
    say(f"{'CPU of a textbook withdrawal to ours, 16':<44}{figures['textbook_cpu_to_withdraw']:8.2f} times")
    return figures


@contextmanager
def opened_databases() -> Iterator[Databases]:
    """The platform's, the textbook's and pgbench's, until the block ends."""
    with ExitStack() as stack:
        with step("Making databases for 10 000 players"):
            wallet, book, simple = (
                stack.enter_context(database(f"bench_{name}")) for name in ("wallet", "textbook", "simple")
            )
            server = require_durable(wallet)
            seeded = seed_platform(wallet)
            let_app_create(book)
            book_login = json.loads(run("-m", "benchmarks.textbook.seed", environment=textbook(book)))
            let_app_create(simple)
            ledger.prepare_simple_update(simple)
            checkpoint()
        yield Databases(wallet, book, simple, seeded, Login(**book_login), server)


def login_of(seeded: dict[str, str]) -> Login:
    return Login(seeded["username"], seeded["password"])


def start_other(stack: ExitStack, checkout: Path) -> Target:
    """The web server of another checkout, on a database made by its own migrations and seed."""
    if not (checkout / "benchmarks/seed.py").exists():
        raise CannotMeasure(f"{checkout} is no checkout of this project.")
    with step(f"Making a database for {checkout}"):
        name = stack.enter_context(database("bench_against"))
        login = login_of(seed_platform(name, checkout))
        checkpoint()
    return Target(stack.enter_context(shipped_server("against", name, checkout=checkout)), login)


def measure_ceilings(measured: Measured, login: Login, plan: Plan) -> None:
    say("What the load generator and the shipped server can do: a bare responder, an empty Django view")
    with bare_server() as where:
        measured.run(BARE, where, login, plan.seconds)
    with empty_server() as where:
        measured.run(EMPTY, where, login, plan.seconds)


def raw_measurements(measured: Measured, made: Databases, seconds: int) -> list[Callable[[], None]]:
    """What measures pgbench once, after a first time that does not count."""
    identity = {"game": made.seeded["game_id"], "credential": made.seeded["credential_id"]}
    ledger.measure_opening(made.wallet, 1, **identity)
    ledger.measure_simple_update(made.simple, 1)
    opening = partial(ledger.measure_opening, made.wallet, seconds, **identity)
    update = partial(ledger.measure_simple_update, made.simple, seconds)
    return [
        partial(measured.run_pgbench, OPENING, opening),
        partial(measured.run_pgbench, SIMPLE_UPDATE, update),
    ]


def http_measurements(
    measured: Measured, platform: Target, other: Target, before: Target | None, plan: Plan
) -> list[Callable[[], None]]:
    """What measures each kind of work once; servers that are not asked cost nothing."""
    work = [
        (TEXTBOOK_16, other),
        (WITHDRAW_16, platform),
        *([(BEFORE_16, before), (BEFORE_PAIRS, before)] if before else []),
        (PAIRS, platform),
        (WITHDRAW_64, platform),
        (ONE_WALLET, platform),
        (TURNS_1024, platform),
        (WITHDRAW_256, platform),
        (WITHDRAW_1024, platform),
    ]
    return [partial(measured.run, kind, *target, plan.seconds) for kind, target in work]


def figures_of(measured: Measured) -> dict[str, Any]:
    """The medians, and what they are of each other."""
    rate = measured.rate
    p99_64, of_1024 = measured.median(WITHDRAW_64.name).p99_ms, measured.median(WITHDRAW_1024.name)
    best = max(rate(TEXTBOOK_16.name), rate(TEXTBOOK_64.name))
    ratios = {
        "pgbench_to_simple_update": rate(OPENING) / rate(SIMPLE_UPDATE),
        "withdraw_to_textbook": rate(WITHDRAW_16.name) / rate(TEXTBOOK_16.name),
        "textbook_cpu_to_withdraw": (
            measured.median(TEXTBOOK_16.name).cpu_us / measured.median(WITHDRAW_16.name).cpu_us
        ),
        "withdraw_64_to_best_textbook": rate(WITHDRAW_64.name) / best,
        "one_wallet_to_withdraw_64": rate(ONE_WALLET.name) / rate(WITHDRAW_64.name),
        "withdraw_to_pgbench": rate(WITHDRAW_16.name) / rate(OPENING),
        "p99_256_to_64": measured.median(WITHDRAW_256.name).p99_ms / p99_64,
        "p99_1024_to_64": of_1024.p99_ms / p99_64,
        "p99_1024_to_p50": of_1024.p99_ms / of_1024.p50_ms,
        "p99_64_of_1024_to_64": measured.median(TURNS_1024.name).p99_ms / p99_64,
    }
    if BEFORE_PAIRS.name in measured.rounds:
        ratios["withdraw_to_other"] = rate(WITHDRAW_16.name) / rate(BEFORE_16.name)
        ratios["pairs_to_other"] = rate(PAIRS.name) / rate(BEFORE_PAIRS.name)
    return {"work": measured.figures(), **ratios, "withdraw_p99_ms": measured.median(WITHDRAW_16.name).p99_ms}


def aims(figures: dict[str, Any]) -> list[Aim]:
    """What the figures should show. With all connections waiting for an answer at a time, 1 024 cannot be
    quicker than the rate allows: at the same rate the mean is 16 times that of 64.
    """
    found = [
        Aim("withdrawals to the textbook's, 16", figures["withdraw_to_textbook"], 8, 12),
        Aim("p99 of withdrawals, 16", figures["withdraw_p99_ms"], 15, 10, "ms", at_most=True),
        Aim("withdrawals, 64, to the textbook's best", figures["withdraw_64_to_best_textbook"], 12, 20),
        Aim("one wallet to many, 64", figures["one_wallet_to_withdraw_64"], 0.6),
        Aim("withdrawals, 16, to pgbench on ledger_open", figures["withdraw_to_pgbench"], 0.7),
        Aim("ledger_open to simple-update, pgbench", figures["pgbench_to_simple_update"], 0.7),
        Aim("p99 of 256 to that of 64", figures["p99_256_to_64"], 4, at_most=True),
        Aim("p99 of 1024 to that of 64", figures["p99_1024_to_64"], 4, at_most=True),
        Aim("p99 of 1024 to their p50", figures["p99_1024_to_p50"], 2, at_most=True),
        Aim("p99 of 64 of 1024 in turn to that of 64", figures["p99_64_of_1024_to_64"], 4, at_most=True),
    ]
    if "pairs_to_other" in figures:
        found.append(Aim("pairs to the other checkout's", figures["pairs_to_other"], 2.5))
    return found


if __name__ == "__main__":
    sys.exit(main())
