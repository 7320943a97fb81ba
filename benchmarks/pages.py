"""Shows whether operators' pages and the API's document hold up withdrawals, alone and beside them in turns:
`make bench-pages`.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any

from benchmarks.aims import Aim
from benchmarks.bench import login_of
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, database, require_durable
from benchmarks.load import Exchange, Load
from benchmarks.measured import Measured, Work
from benchmarks.servers import VAR, Address, platform, run, seed_platform, shipped_server

ALONE, BESIDE = Work("withdraw, 16, alone"), Work("withdraw, 16, beside pages")
# Each is computed for some ten to some hundred milliseconds, and each has this in it.
PAGES = {
    "/admin/wallet/transaction/": b"Quantum Wallet",
    "/admin/wallet/wallet/": b"Quantum Wallet",
    "/admin/players/player/": b"Quantum Wallet",
    "/api/schema/": b"openapi",
}
# So many operators, each of whom asks for the next page as soon as the last one is there.
OPERATORS = 2
MOST_TIMES = 2
WARM_UP_SECONDS = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="how long a round lasts (default: 5)")
    parser.add_argument("--rounds", type=int, default=4, help="how many rounds of each (default: 4)")
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-pages.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """All rounds; returns the figures."""
    measured = Measured()
    with ExitStack() as stack:
        with step("Making a database for 10 000 players"):
            name = stack.enter_context(database("bench_pages"))
            server = require_durable(name)
            seeded = seed_platform(name)
            run("manage.py", "collectstatic", "--no-input", "--verbosity=0", environment=platform(name))
            checkpoint()
        measured.watch(name)
        where = stack.enter_context(shipped_server("pages", name))
        with browsing(where, seeded["operator_session"], WARM_UP_SECONDS):
            """What is imported and read for the first page is no load that lasts."""
        pages = 0
        for _ in range(options.rounds):
            measured.run(ALONE, where, login_of(seeded), options.seconds)
            with browsing(where, seeded["operator_session"], options.seconds) as browsed:
                measured.run(BESIDE, where, login_of(seeded), options.seconds)
            pages += sum(browsed)
    measured.show()
    figures = {
        "work": measured.figures(),
        "p99_beside_pages": statistics.median(
            beside.p99_ms / alone.p99_ms
            for alone, beside in zip(measured.rounds[ALONE.name], measured.rounds[BESIDE.name], strict=True)
        ),
        "pages_per_second": pages / options.rounds / options.seconds,
        "errors": measured.errors,
        "cores": os.cpu_count(),
        "server": server,
    }
    say(f"{'pages beside withdrawals':<44}{figures['pages_per_second']:8.1f} /s")
    say(str(Aim("p99 beside pages to alone", figures["p99_beside_pages"], MOST_TIMES, at_most=True)))
    return figures


@contextmanager
def browsing(where: Address, session: str, seconds: float) -> Iterator[list[int]]:
    """Operators look at pages for so long; afterwards the list has the number of pages they have seen."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=browse, args=(where, session, seconds, theirs))
    process.start()
    browsed: list[int] = []
    yield browsed
    process.join()
    errors, examples, count = ours.recv()
    if errors:
        raise CannotMeasure(f"{errors} pages were not what they should be: {examples}")
    browsed.append(count)


def browse(where: Address, session: str, seconds: float, told: Any) -> None:
    """In a process of its own: tells how many pages there were, and what was wrong."""
    result = Load(where, OPERATORS, lambda: visits(session)).run(seconds, warm_up=0.5)
    told.send((result.errors, result.examples, result.answers))


def visits(session: str) -> Iterator[Exchange]:
    for path, has in cycle(PAGES.items()):
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n"
        yield Exchange(head.encode(), has)


if __name__ == "__main__":
    sys.exit(main())
