"""Shows what many lines of the journal, one hot player or game, and many connections cost a withdrawal:
`make bench-scale`.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks import workers, written
from benchmarks.aims import Aim
from benchmarks.command import in_turns, measuring, say, step
from benchmarks.databases import checkpoint, connect, create, database, drop, require_durable
from benchmarks.measured import CONNECTIONS, Measured, Work
from benchmarks.past import describe, load
from benchmarks.servers import VAR, Address, patient, platform, run, seed_platform, shipped_server
from benchmarks.traffic import (
    LIMITED_TOKENS,
    Login,
    deposits,
    many_games,
    one_wallet,
    pairs,
    returned_pairs,
)

LINES = 10_000_000
LEAST_SHARE = 0.95
# After a checkpoint nearly every withdrawal writes whole pages to the log; so long until most are in it.
BETWEEN_SECONDS = 20.0
SEED, EMPTY, LARGE, HOT = (f"bench_scale_{name}" for name in ("seed", "empty", "large", "hot"))
STRAIGHT, LATER = "straight after a checkpoint", "later"
NUMBERS = (1, 16, 64, 256, 1024)
GAMES = 16
KEPT = VAR / "bench-scale-kept.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lines", type=int, default=LINES, help=f"of the journal in the large database (default: {LINES})"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)"
    )
    parser.add_argument("--seconds", type=float, default=8, help="how long a round lasts (default: 8)")
    parser.add_argument(
        "--between",
        type=float,
        default=BETWEEN_SECONDS,
        help=f"seconds of work before what is measured later (default: {BETWEEN_SECONDS:g})",
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="what is measured (default: all)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the large database, and take a kept one")
    parser.add_argument("--audit", action="store_true", help="let audit_ledger read the large database")
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-scale.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, one part after the other; returns the figures."""
    began = time.monotonic()
    with databases(options) as (seeded, load_seconds):
        figures: dict[str, Any] = {
            "errors": 0,
            "cores": os.cpu_count(),
            "server": require_durable(SEED),
            "load_seconds": load_seconds,
        }
        run("manage.py", "collectstatic", "--no-input", "--verbosity=0", environment=platform(SEED))
        for name in options.only:
            figures[name] = PARTS[name](Login(seeded["username"], seeded["password"]), options)
            figures["errors"] += figures[name].pop("errors")
    return figures | {"took_seconds": time.monotonic() - began}


@contextmanager
def databases(options: argparse.Namespace) -> Iterator[tuple[dict[str, str], float | None]]:
    """A seeded database and a large one: what a benchmark must know of them, and how long the loading took
    if they are new.
    """
    kept = json.loads(KEPT.read_text()) if options.keep and KEPT.exists() else {}
    with ExitStack() as stack:
        if not options.keep:
            stack.callback(forget)
        if kept.get("lines") == options.lines:
            with step("Migrating the databases that were kept"):
                for name in (SEED, LARGE):
                    run("manage.py", "migrate", "--no-input", environment=patient(name, owner=True))
            yield kept["seeded"], None
            return
        KEPT.unlink(missing_ok=True)
        with step("Making databases for 10 000 players"):
            create(SEED)
            seeded = seed_platform(SEED)
            with connect(SEED, owner=True) as connection:
                for days in (-1, 0, 1):
                    connection.execute("SELECT call_log_prepare_day(current_date + %s)", [days])
            create(LARGE, SEED)
        began = time.monotonic()
        load(LARGE, options.lines // 2)
        seconds = time.monotonic() - began
        KEPT.write_text(json.dumps({"lines": options.lines, "seeded": seeded}))
        yield seeded, seconds


def forget() -> None:
    KEPT.unlink(missing_ok=True)
    with connect("postgres", owner=True) as connection:
        for name in (LARGE, SEED):
            drop(connection, name)


def large(login: Login, options: argparse.Namespace) -> dict[str, Any]:
    """Withdrawals on an empty and the large database in turns, each straight after a checkpoint and later;
    then what one writes.
    """
    with database(EMPTY, SEED):
        size = describe(LARGE)
        if options.audit:
            with step("Auditing the large database"):
                said = run("manage.py", "audit_ledger", "--quiet", environment=patient(LARGE))
            say(said.strip())
        say(f"Withdrawals over {CONNECTIONS} connections")
        measured = Measured()
        measured.watch(EMPTY)
        with shipped_server("empty", EMPTY) as empty, shipped_server("large", LARGE) as full:

            def measure(kind: str, where: Address) -> None:
                checkpoint()
                measured.run(Work(f"{kind}, {STRAIGHT}"), where, login, options.seconds)
                measured.run(Work(f"{kind}, {LATER}"), where, login, options.seconds, warm_up=options.between)

            in_turns([partial(measure, "empty", empty), partial(measure, "large", full)], options.rounds)
            bytes_ = {
                kind: bytes_of(kind, name, where, login, options, measured)
                for kind, name, where in (("empty", EMPTY, empty), ("large", LARGE, full))
            }
    measured.show()
    shares = {
        when: measured.rate(f"large, {when}") / measured.rate(f"empty, {when}") for when in (STRAIGHT, LATER)
    }
    for when, share in shares.items():
        say(str(Aim(f"withdrawals on {options.lines} lines, {when}", share, LEAST_SHARE)))
    return size | {
        "work": measured.figures(),
        "large_to_empty": shares,
        "bytes": bytes_,
        "errors": measured.errors,
    }


def bytes_of(
    kind: str, name: str, where: Address, login: Login, options: argparse.Namespace, measured: Measured
) -> dict[str, Any]:
    """What a withdrawal writes to the log and lets grow, some time after a checkpoint."""
    checkpoint()
    measured.count_errors(Work(kind).load(where, login).run(options.between))
    first = written.mark(name)
    result = Work(kind).load(where, login).run(options.seconds)
    measured.count_errors(result)
    found = written.since(first, name, result.all_answers)
    written.show(f"{kind} database", found)
    return found._asdict()


def hot(login: Login, options: argparse.Namespace) -> dict[str, Any]:
    """One player, one game and accounts of the house in every call, in turns with none of it."""
    measured = Measured()
    with database(HOT, SEED), ExitStack() as stack:
        with step("Adding games"):
            added = json.loads(run("-m", "benchmarks.games", str(GAMES), environment=patient(HOT)))
        *logins, limited = (Login(**each) for each in added)
        where = stack.enter_context(shipped_server("hot", HOT))
        measured.watch(HOT)
        works = [
            Work("one game, many players"),
            Work("one game, one player", one_wallet),
            Work(f"{GAMES} games", lambda _: many_games(logins)),
            Work("confirmed: an account of the house", pairs),
            Work("rolled back: none", returned_pairs),
            Work("deposits", deposits),
            Work("deposits, a day's limit", lambda _: deposits(limited, LIMITED_TOKENS)),
        ]
        checkpoint()
        in_turns(
            [partial(measured.run, work, where, login, options.seconds) for work in works], options.rounds
        )
    measured.show()
    return {"work": measured.figures(), "errors": measured.errors}


def connections(login: Login, options: argparse.Namespace) -> dict[str, Any]:
    """The same withdrawals over few and many connections."""
    measured = Measured()
    with database(EMPTY, SEED), shipped_server("empty", EMPTY, connections=max(NUMBERS)) as where:
        measured.watch(EMPTY)
        works = [Work(f"{number} connections", connections=number) for number in NUMBERS]
        checkpoint()
        in_turns(
            [partial(measured.run, work, where, login, options.seconds) for work in works], options.rounds
        )
    measured.show()
    return {"work": measured.figures(), "errors": measured.errors}


def divided(login: Login, options: argparse.Namespace) -> dict[str, Any]:
    """The work of a call over several servers."""
    return workers.measure(options.seconds)


PARTS = {"large": large, "hot": hot, "connections": connections, "workers": divided}

if __name__ == "__main__":
    sys.exit(main())
