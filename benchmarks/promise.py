"""The one-second promise: an hour at half load beside all that operators do: `make promise`."""

import argparse
import base64
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import callbacks, cpu
from benchmarks.capacity import CALLS, bearable, kept
from benchmarks.chores import Chores
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, address, checkpoint, connect, database, require_durable
from benchmarks.open_load import MOST_CONNECTIONS, OpenLoad, Outcome
from benchmarks.paced import Paced
from benchmarks.past import load
from benchmarks.servers import (
    ENDINGS,
    VAR,
    Address,
    patient,
    pid_of,
    platform,
    run,
    seed_platform,
    shipped_server,
)
from benchmarks.settle import open_due
from benchmarks.silent_partner import silent_partner
from benchmarks.traffic import Login
from config.launcher.placement import unprivileged_user
from config.launcher.processes import start, stop
from config.launcher.programs import postgres_programs
from config.launcher.supervisor import PROGRAMS, ROOT

MOST_MS, MOST_P999_MS = 1000.0, 250.0
TRANSACTIONS = 1_000_000
SHARE = 0.5
# What the partner that hangs is asked about, and told of.
DUE, ORDERS = 2_000, 400
PROCESSES = ("worker", "caller", "checker", "beat")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long (default: 60)")
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"how many settled ones are there before (default: {TRANSACTIONS})",
    )
    parser.add_argument("--share", type=float, default=SHARE, help=f"of what is borne (default: {SHARE})")
    options = parser.parse_args()
    return measuring(lambda: promise(options), VAR / "promise.json")


def promise(options: argparse.Namespace) -> dict[str, Any]:
    """Prepares, plays, and checks; returns the figures."""
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_promise"))
            server = require_durable(name)
            seeded = seed_platform(name)
        load(name, options.transactions)
        login = Login(seeded["username"], seeded["password"])
        where = stack.enter_context(shipped_server("promise", name, connections=MOST_CONNECTIONS))
        say("What is borne")
        borne = bearable(where, login, 10.0)
        held = prepare_partner(stack, name, seeded, where)
        chores = start_chores(stack, name, where)
        offered = borne * options.share
        say(f"{options.minutes:g} minutes at {offered:.0f} calls per second, of {borne:.0f} that are borne")
        play = OpenLoad(where, login, offered / CALLS, options.minutes * 60)
        seen, used = play_on(name, where, play, chores)
        ledger = kept(name, play)
        with step("Auditing the whole ledger"):
            said = run("manage.py", "audit_ledger", "--quiet", environment=patient(name))
        say(said.strip())
        figures = figures_of(seen, used, chores) | {
            "borne": borne,
            "offered": offered,
            "silent_connections": len(held),
            "ledger": ledger._asdict(),
            "audit": said.strip(),
            "server": server,
            "cores": os.cpu_count(),
            "transactions_before": options.transactions,
        }
    broken = broken_promises(figures, is_whole=ledger.is_right)
    report(figures, seen, chores, broken)
    return figures | {"broken": broken, "errors": len(broken)}


def prepare_partner(stack: ExitStack, name: str, seeded: dict[str, str], where: Address) -> list[Any]:
    """A partner that never answers, whom the platform has to ask about withdrawals and to tell of orders.

    Returns the connections that it was given.
    """
    url, held = stack.enter_context(silent_partner())
    with step(f"Leading {DUE} status queries and {ORDERS // 4} deliveries to a partner that hangs"):
        made = json.loads(run("-m", "benchmarks.orders", str(ORDERS), environment=patient(name)))
        run("-m", "benchmarks.silent_partner", url, environment=patient(name))
        paid = Paced(where, callbacks.successes(made["slug"], made["secret"], made["orders"]), 50.0).run()
        if paid.errors:
            raise CannotMeasure(f"Callbacks were not taken: {paid.examples}")
    open_due(name, seeded, "due", DUE)
    return held


def start_chores(stack: ExitStack, name: str, where: Address) -> Chores:
    """The workers and beat, and what operators do; nothing of it has begun."""
    keys = {
        "CHECKPOINT_KEY": base64.b64encode(os.urandom(32)).decode(),
        "CHECKPOINT_DIRECTORY": stack.enter_context(TemporaryDirectory(prefix="promise-checkpoints-")),
        "DATABASE_BACKUP_URL": address(name, owner=True),
        "POSTGRES_PROGRAMS": str(postgres_programs(unprivileged_user(Path("/nowhere")))),
        "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    environment = platform(name) | keys
    for old in (VAR / "promise").glob("beat-schedule*"):
        old.unlink()
    for program in PROCESSES:
        log = stack.enter_context((VAR / f"bench-promise-{program}.log").open("wb"))
        words = [word.replace("{home}", str(VAR / "promise")) for word in PROGRAMS[program]]
        child = start(
            program,
            [sys.executable, *words],
            environment=environment,
            endings=ENDINGS,
            log=log,
            directory=ROOT,
        )
        stack.callback(stop, child)
    return Chores(environment, address(name, owner=True), lambda: pid_of(where) or 0)


def play_on(name: str, where: Address, play: OpenLoad, chores: Chores) -> tuple[Outcome, cpu.Usage]:
    with connect(name) as connection:
        postmaster = cpu.postmaster_of(connection.info.backend_pid)
    checkpoint()
    first = cpu.read(pid_of(where), postmaster)
    with chores.going_on(longest_pause=play.seconds / 4):
        seen = play.run()
    return seen, cpu.usage(first, cpu.read(pid_of(where), postmaster))


def figures_of(seen: Outcome, used: cpu.Usage, chores: Chores) -> dict[str, Any]:
    answered = seen.all_answered
    return {
        "seconds": seen.seconds,
        "answered": seen.answered,
        "openings": seen.openings.answered.count,
        "settlings": seen.settlings.answered.count,
        "refused": seen.refused,
        "call_errors": seen.errors,
        "examples": seen.examples,
        "reconnected": seen.reconnected,
        "p50_ms": answered.ms(0.5),
        "p99_ms": answered.ms(0.99),
        "p999_ms": answered.ms(0.999),
        "p9999_ms": answered.ms(0.9999),
        "longest_ms": answered.longest_ms,
        "over_a_second": len(seen.slow),
        "web_cores": used.web / seen.seconds,
        "postgresql_cores": used.postgresql / seen.seconds,
        "generator_cores": seen.cpu_seconds / seen.seconds,
        "chores": {
            chore.name: {
                "times": len(chore.done),
                "longest_seconds": max((took for _, took in chore.done), default=0.0),
                "failures": len(chore.failures),
            }
            for chore in chores.chores
        },
    }


def broken_promises(figures: dict[str, Any], *, is_whole: bool) -> list[str]:
    """What did not hold, as sentences."""
    failed = {name: told["failures"] for name, told in figures["chores"].items() if told["failures"]}
    never = [name for name, told in figures["chores"].items() if not told["times"]]
    claims = {
        f"{figures['call_errors']} calls failed": figures["call_errors"] == 0,
        f"{figures['refused']} calls were refused": figures["refused"] == 0,
        f"an answer took {figures['longest_ms']:.0f} ms": figures["longest_ms"] <= MOST_MS,
        f"p99.9 is {figures['p999_ms']:.0f} ms": figures["p999_ms"] <= MOST_P999_MS,
        "the ledger has not what was answered": is_whole,
        f"what operators do failed: {failed}": not failed,
        f"not once done: {', '.join(never)}": not never,
        "nobody called the partner that hangs": figures["silent_connections"] > 0,
        "the audit found a difference": figures["audit"].endswith("no difference"),
    }
    return [claim for claim, holds in claims.items() if not holds]


def report(figures: dict[str, Any], seen: Outcome, chores: Chores, broken: list[str]) -> None:
    say(
        f"\n{figures['answered']} calls answered in {figures['seconds']:.0f} s, "
        f"{figures['refused']} refused, {figures['call_errors']} errors {figures['examples']}, "
        f"{figures['reconnected']} sent again over a new connection"
    )
    say(
        f"from the intended time: p50 {figures['p50_ms']:.1f}  p99 {figures['p99_ms']:.1f}  "
        f"p99.9 {figures['p999_ms']:.1f}  p99.99 {figures['p9999_ms']:.1f}  "
        f"longest {figures['longest_ms']:.0f} ms; over a second: {figures['over_a_second']}"
    )
    for at, took in seen.slow[:20]:
        beside = ", ".join(chores.at_work(at + took / 2))
        say(f"  {took:.2f} s, due {at:.0f} s after the beginning, beside: {beside}")
    say("\n| beside it | times | longest, s | failed |\n|---|---|---|---|")
    for name, told in figures["chores"].items():
        say(f"| {name} | {told['times']} | {told['longest_seconds']:.1f} | {told['failures']} |")
    say(f"| calls to the partner that hangs | {figures['silent_connections']} | | |")
    say(
        f"\ncores in use: web {figures['web_cores']:.2f}, PostgreSQL {figures['postgresql_cores']:.2f}, "
        f"generator {figures['generator_cores']:.2f}"
    )
    say("The promise holds." if not broken else "BROKEN: " + "; ".join(broken))


if __name__ == "__main__":
    sys.exit(main())
