"""Measures the platform's speed on durable settings, beside what it stands on and beside a textbook:
`make bench`.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import ledger
from benchmarks.databases import CannotMeasure, checkpoint, database, let_app_create, require_durable
from benchmarks.load import Exchange, Load, Result
from benchmarks.servers import (
    VAR,
    Address,
    bare_server,
    empty_server,
    platform,
    run,
    shipped_server,
    textbook,
    textbook_server,
)
from benchmarks.traffic import PLAYERS, Login, nothing, pairs, withdrawals
from config import gunicorn
from config.launcher.processes import CannotStart

CONNECTIONS = 16
WARM_UP_SECONDS = 2.0
# Whatever is not named here is withdrawals.
WORK = {"pairs": pairs, "empty view": nothing, "bare": nothing}


@dataclass
class Measured:
    """The rounds of each kind of work over HTTP."""

    rounds: dict[str, list[Result]] = field(default_factory=dict)

    def run(self, kind: str, where: Address, login: Login, seconds: float) -> None:
        """One round, shown as it ends."""
        rounds = self.rounds.setdefault(kind, [])

        def work() -> Iterator[Exchange]:
            return WORK.get(kind, withdrawals)(login)

        # A new server is warmed up over connections of their own:
        # the measured ones find all its workers ready.
        warm_up = Result() if rounds else Load(where, CONNECTIONS, work).run(WARM_UP_SECONDS)
        result = Load(where, CONNECTIONS, work).run(seconds, warm_up=0.5)
        result.errors += warm_up.errors
        result.examples += warm_up.examples
        rounds.append(result)
        say(
            f"  {kind:<11}{result.rate:9.0f} requests/s   p50 {result.latency_ms(0.5):6.1f} ms   p99 "
            f"{result.latency_ms(0.99):6.1f} ms   "
            f"{result.errors} errors   load generator {result.cpu_seconds / seconds:4.0%} of a core"
        )
        for example in result.examples:
            say(f"    error: {example}")

    def rate(self, kind: str) -> float:
        """The median of the rounds, in requests per second."""
        return statistics.median(result.rate for result in self.rounds[kind])

    def latency_ms(self, kind: str, share: float) -> float:
        return statistics.median(result.latency_ms(share) for result in self.rounds[kind])

    @property
    def errors(self) -> int:
        return sum(result.errors for rounds in self.rounds.values() for result in rounds)


@dataclass(frozen=True)
class Plan:
    """How long each thing is measured, in seconds, and how often."""

    rounds: int
    raw_seconds: int
    http_seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument("--seconds", type=int, default=8, help="how long a round lasts (default: 8)")
    options = parser.parse_args()
    return measuring(
        lambda: bench(Plan(options.rounds, options.seconds, options.seconds)), VAR / "bench.json"
    )


def measuring(work: Any, path: Path) -> int:
    """Does `work`, writes its figures to `path`, and returns the exit code.
    Ctrl-C and SIGTERM end everything in order.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    path.unlink(missing_ok=True)
    try:
        figures = work()
    except (CannotMeasure, CannotStart) as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("Interrupted; nothing was written.")
        return 130
    path.write_text(json.dumps(figures, indent=2) + "\n")
    say(f"Written to {path}.")
    if figures["errors"]:
        say(f"VOID: {figures['errors']} errors. A figure with errors in it is no figure.")
        return 1
    return 0


def bench(plan: Plan) -> dict[str, Any]:
    """All measurements, one after the other; returns the figures."""
    began = time.monotonic()
    measured = Measured()
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
        login = Login(seeded["username"], seeded["password"])
        measure_ceilings(measured, login, plan.http_seconds / 2)
        raw, simple_update = measure_raw(wallet, simple, seeded, plan)
        measure_http(measured, wallet, login, book, Login(**book_login), plan)
    figures = {
        "pgbench_tps": raw,
        "pgbench_simple_update_tps": simple_update,
        "withdraw_rps": measured.rate("withdraw"),
        "withdraw_p50_ms": measured.latency_ms("withdraw", 0.5),
        "withdraw_p99_ms": measured.latency_ms("withdraw", 0.99),
        "pairs_rps": measured.rate("pairs") / 2,
        "pairs_p99_ms": measured.latency_ms("pairs", 0.99),
        "textbook_rps": measured.rate("textbook"),
        "textbook_p50_ms": measured.latency_ms("textbook", 0.5),
        "textbook_p99_ms": measured.latency_ms("textbook", 0.99),
        "errors": measured.errors,
        "cores": os.cpu_count(),
        "load_generator_ceiling_rps": measured.rate("bare"),
        "empty_view_rps": measured.rate("empty view"),
        "load_generator_cpu_share": statistics.median(
            result.cpu_seconds / result.seconds for result in measured.rounds["withdraw"]
        ),
        "pgbench_to_simple_update": raw / simple_update,
        "withdraw_to_pgbench": measured.rate("withdraw") / raw,
        "withdraw_to_textbook": measured.rate("withdraw") / measured.rate("textbook"),
        "players": PLAYERS,
        "connections": CONNECTIONS,
        "web_workers": gunicorn.workers,
        "web_threads": gunicorn.threads,
        "server": server,
        "took_seconds": time.monotonic() - began,
    }
    report(figures)
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}


def seed_platform(name: str) -> dict[str, str]:
    """Migrates as the owner, seeds as the application; what the benchmark needs to know of it."""
    run("manage.py", "migrate", "--no-input", environment=platform(name, owner=True))
    seeded: dict[str, str] = json.loads(run("-m", "benchmarks.seed", environment=platform(name)))
    return seeded


def measure_ceilings(measured: Measured, login: Login, seconds: float) -> None:
    say(
        "What the load generator could do: against a bare responder, "
        "and an empty Django view on the shipped server"
    )
    with bare_server() as where:
        measured.run("bare", where, login, seconds)
    with empty_server() as where:
        measured.run("empty view", where, login, seconds)


def measure_raw(wallet: str, simple: str, seeded: dict[str, str], plan: Plan) -> tuple[float, float]:
    """(a): the ledger function and simple-update in turns; the medians, per second."""
    say("(a) pgbench, 16 clients, prepared statements")
    openings: list[float] = []
    updates: list[float] = []
    identity = {"game": seeded["game_id"], "credential": seeded["credential_id"]}
    ledger.measure_opening(wallet, 2, **identity)
    ledger.measure_simple_update(simple, 2)
    for _ in range(plan.rounds):
        openings.append(ledger.measure_opening(wallet, plan.raw_seconds, **identity).tps)
        updates.append(ledger.measure_simple_update(simple, plan.raw_seconds).tps)
        say(
            f"  ledger_open {openings[-1]:9.0f} /s      simple-update {updates[-1]:9.0f} /s      ratio "
            f"{openings[-1] / updates[-1]:.2f}"
        )
    return statistics.median(openings), statistics.median(updates)


def measure_http(
    measured: Measured, wallet: str, login: Login, book: str, book_login: Login, plan: Plan
) -> None:
    """(b), (c) and (d), in turns, both servers being up: the one that is not asked costs nothing."""
    say("(b) withdrawals, (c) pairs, counted in requests, (d) the textbook: 16 connections")
    with shipped_server("platform", wallet) as shipped, textbook_server(book) as other:
        for number in range(plan.rounds):
            order = ["withdraw", "textbook"] if number % 2 == 0 else ["textbook", "withdraw"]
            for kind in order:
                where, caller = (shipped, login) if kind == "withdraw" else (other, book_login)
                measured.run(kind, where, caller, plan.http_seconds)
            measured.run("pairs", shipped, login, plan.http_seconds / 2)


def report(figures: dict[str, Any]) -> None:
    """The figures and the aims; a missed aim is said, and is no failure."""
    say(
        f"\n(a) ledger_open by pgbench    {figures['pgbench_tps']:8.0f} /s   simple-update "
        f"{figures['pgbench_simple_update_tps']:.0f} /s"
    )
    say(
        f"(b) withdrawals over HTTP     {figures['withdraw_rps']:8.0f} /s   p50 "
        f"{figures['withdraw_p50_ms']:.1f} ms   p99 {figures['withdraw_p99_ms']:.1f} ms"
    )
    say(
        f"(c) withdraw + confirm pairs  {figures['pairs_rps']:8.0f} /s   p99 of a request "
        f"{figures['pairs_p99_ms']:.1f} ms"
    )
    say(
        f"(d) textbook withdrawals      {figures['textbook_rps']:8.0f} /s   p50 "
        f"{figures['textbook_p50_ms']:.1f} ms   p99 {figures['textbook_p99_ms']:.1f} ms"
    )
    say(
        f"load generator's ceiling      {figures['load_generator_ceiling_rps']:8.0f} /s   an empty view "
        f"{figures['empty_view_rps']:.0f} /s"
    )
    say(f"errors                        {figures['errors']:8d}\n")
    aims = [
        ("(a) of simple-update", figures["pgbench_to_simple_update"], 0.7, None, ""),
        ("(b) of (d)", figures["withdraw_to_textbook"], 4.0, 8.0, "times"),
        ("(b) of (a)", figures["withdraw_to_pgbench"], 0.17, 0.30, ""),
        ("p99 of (b)", figures["withdraw_p99_ms"], 45.0, 15.0, "ms"),
    ]
    for name, value, aim, wanted, unit in aims:
        less = unit == "ms"
        further = f"; wanted {judge(value, wanted, at_most=less)}" if wanted else ""
        say(f"{name:<22}{value:7.2f} {unit:<7}aim {judge(value, aim, at_most=less)}{further}")


def judge(value: float, aim: float, *, at_most: bool = False) -> str:
    """Whether an aim is met, or by how much it is missed; `at_most` is for times, where less is better."""
    missed = (value - aim) / aim if at_most else (aim - value) / aim
    return f"{aim:g}: met" if missed <= 0 else f"{aim:g}: missed by {missed:.0%}"


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    began = time.monotonic()
    print(f"{text} … ", end="", flush=True)
    yield
    say(f"{time.monotonic() - began:.1f} s")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
