"""Finds what load the platform bears, and offers twice as much: `make overload`."""

import argparse
import os
import sys
import time
from typing import Any

from benchmarks import cpu
from benchmarks.aims import judge
from benchmarks.capacity import CALLS, Kept, bearable, kept
from benchmarks.command import measuring, say, step
from benchmarks.databases import checkpoint, connect, database, require_durable
from benchmarks.open_load import MOST_CONNECTIONS, Kind, OpenLoad, Outcome
from benchmarks.servers import VAR, Address, pid_of, seed_platform, shipped_server
from benchmarks.traffic import Login

TIMES = 2.0
LEAST_GOODPUT = 0.9
MOST_P99_MS = 1000.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=20, help="how long twice the load lasts (default: 20)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    options = parser.parse_args()
    return measuring(lambda: overload(options.seconds, options.rounds), VAR / "overload.json")


def overload(seconds: float, rounds: int) -> dict[str, Any]:
    """Measures; returns the figures of the round with the median goodput."""
    began = time.monotonic()
    with database("bench_overload") as name:
        with step("Making a database for 10 000 players"):
            server = require_durable(name)
            seeded = seed_platform(name)
            checkpoint()
        login = Login(seeded["username"], seeded["password"])
        with shipped_server("overload", name, connections=MOST_CONNECTIONS) as where:
            found = []
            for number in range(rounds):
                say(f"Round {number + 1} of {rounds}: what is borne")
                borne = bearable(where, login, 5.0)
                say(f"  {borne:.0f} calls per second are borne; {TIMES * borne:.0f} are offered")
                found.append(offer(name, where, login, borne, seconds))
    figures = sorted(found, key=lambda each: each["goodput"])[len(found) // 2]
    report(figures)
    wrong = sum(not each["is_whole"] for each in found)
    return figures | {
        "all_goodputs": [each["goodput"] for each in found],
        "errors": sum(each["errors"] for each in found) + wrong,
        "cores": os.cpu_count(),
        "server": server,
        "took_seconds": time.monotonic() - began,
    }


def offer(name: str, where: Address, login: Login, borne: float, seconds: float) -> dict[str, Any]:
    """Twice what is borne: as many openings as would be, with their settlings, twice as many calls."""
    with connect(name) as connection:
        postmaster = cpu.postmaster_of(connection.info.backend_pid)
    load = OpenLoad(where, login, TIMES * borne / CALLS, seconds)
    before = cpu.read(pid_of(where), postmaster)
    seen = load.run()
    used = cpu.usage(before, cpu.read(pid_of(where), postmaster))
    ledger = kept(name, load)
    figures = figures_of(seen, ledger, borne, used)
    say(f"  goodput {figures['goodput']:.2f}, {seen.refused} refused, {seen.errors} errors {seen.examples}")
    say(f"  {ledger}")
    return figures


def figures_of(seen: Outcome, ledger: Kept, borne: float, used: cpu.Usage) -> dict[str, Any]:
    calls = seen.answered + seen.refused
    return {
        "borne": borne,
        "offered": TIMES * borne,
        "sent_per_second": calls / seen.seconds,
        "answered_per_second": seen.rate,
        "goodput": seen.rate / borne,
        "openings": kind_figures(seen.openings, seen.seconds),
        "settlings": kind_figures(seen.settlings, seen.seconds),
        "errors": seen.errors,
        "is_whole": ledger.is_right,
        "web_us": used.web / calls * 1e6,
        "postgresql_us": used.postgresql / calls * 1e6,
        "generator_us": seen.cpu_seconds / calls * 1e6,
        "generator_share_of_cores": seen.cpu_seconds / seen.seconds / cpu.CORES,
        "others": used.others,
    }


def kind_figures(kind: Kind, seconds: float) -> dict[str, float]:
    return {
        "sent_per_second": kind.sent / seconds,
        "answered_per_second": kind.answered.count / seconds,
        "refused": kind.refused.count,
        "p50_ms": kind.answered.ms(0.5),
        "p99_ms": kind.answered.ms(0.99),
        "longest_ms": kind.answered.longest_ms,
        "refusal_p50_ms": kind.refused.ms(0.5),
        "refusal_p99_ms": kind.refused.ms(0.99),
        "refusal_longest_ms": kind.refused.longest_ms,
    }


def report(figures: dict[str, Any]) -> None:
    say(
        f"\n{figures['borne']:.0f} calls per second are borne; of twice as many "
        f"{figures['sent_per_second']:.0f} per second were sent (what is not opened is not settled), "
        f"and {figures['answered_per_second']:.0f} answered with success"
    )
    for name in ("openings", "settlings"):
        told = figures[name]
        say(
            f"{name:<10} {told['answered_per_second']:6.0f} /s  p50 {told['p50_ms']:4.0f}  "
            f"p99 {told['p99_ms']:4.0f}  longest {told['longest_ms']:4.0f} ms   "
            f"{told['refused']:6.0f} refused: "
            f"p50 {told['refusal_p50_ms']:3.0f}  p99 {told['refusal_p99_ms']:4.0f}  "
            f"longest {told['refusal_longest_ms']:4.0f} ms"
        )
    say(
        f"CPU µs for each: web {figures['web_us']:.0f}  PostgreSQL {figures['postgresql_us']:.0f}  generator "
        f"{figures['generator_us']:.0f} ({figures['generator_share_of_cores']:.0%} of the cores)  "
        f"others {figures['others']:.0%}"
    )
    say(f"goodput {figures['goodput']:.2f}   aim {judge(figures['goodput'], LEAST_GOODPUT)}")
    p99 = max(figures[name]["p99_ms"] for name in ("openings", "settlings"))
    say(f"p99 of what was answered {p99:.0f} ms   aim {judge(p99, MOST_P99_MS, at_most=True)}")
    say(f"the ledger has what was told: {'yes' if figures['is_whole'] else 'NO'}")


if __name__ == "__main__":
    sys.exit(main())
