"""Shows how fast callbacks are answered at a fixed pace, beside answers that need no database:
`make bench-callbacks`.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import cpu
from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, connect, database, require_durable
from benchmarks.load import Exchange, Result
from benchmarks.paced import Paced
from benchmarks.servers import VAR, Address, pid_of, platform, run, seed_platform, shipped_server
from config.launcher.supervisor import ROOT
from payments.providers.signatures import standard_webhooks

PER_SECOND = 200.0
MOST_P99_MS = 50.0
# Noise of the machine is within this.
MOST_TIMES = 1.1
WARM_UP = 1500
# One in so many callbacks comes a second time.
AGAIN_EVERY = 20
OK = b'{"status":"ok"}'
UNKNOWN = b"There is no such provider."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--per-second",
        type=float,
        default=PER_SECOND,
        help=f"callbacks in a second (default: {PER_SECOND:.0f})",
    )
    parser.add_argument("--seconds", type=int, default=20, help="how long a round lasts (default: 20)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="how many rounds, each beside one that needs no database (default: 3)",
    )
    parser.add_argument(
        "--against", type=Path, help="another checkout of this project, to measure beside this one"
    )
    options = parser.parse_args()
    options.against = options.against and options.against.resolve()
    return measuring(lambda: bench(options), VAR / "bench-callbacks.json")


# Callbacks that pay, and those of no provider.
Round = tuple[Result, Result]


class Target(NamedTuple):
    """A platform with orders that wait for their payment."""

    label: str
    where: Address
    paying: Iterator[Exchange]
    postmaster: int | None


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """All rounds; returns the figures."""
    a_round = int(options.per_second * options.seconds)
    orders = options.rounds * a_round + WARM_UP
    with ExitStack() as stack:
        target = started(stack, "callbacks", orders)
        before = started(stack, "before", orders, options.against) if options.against else None
        rounds: list[Round] = []
        others: list[Round] = []
        for number in range(options.rounds):
            for one in (target, before) if number % 2 else (before, target):
                if one:
                    (others if one is before else rounds).append(
                        measure(one, a_round, options.per_second, is_first=number == 0)
                    )
        server = require_durable("bench_callbacks")
        require_booked("bench_callbacks", orders)
    figures = figures_of(rounds) | {
        "per_second": options.per_second,
        "cores": os.cpu_count(),
        "server": server,
    }
    say(
        f"\np99 of callbacks {figures['callback_p99_ms']:10.1f} ms     aim "
        f"{judge(figures['callback_p99_ms'], MOST_P99_MS, at_most=True)}"
    )
    if others:
        figures["before"] = figures_of(others)
        times = figures["callback_p99_ms"] / figures["before"]["callback_p99_ms"]
        say(f"p99 to that before {times:9.2f} times  aim {judge(times, MOST_TIMES, at_most=True)}")
    return figures


def started(stack: ExitStack, label: str, orders: int, checkout: Path = ROOT) -> Target:
    """A platform of the code in `checkout`, with a database of its own."""
    name = f"bench_{label}"
    with step(f"Making a database with orders for {label}"):
        stack.enter_context(database(name))
        require_durable(name)
        seed_platform(name, checkout)
        words = ("-m", "benchmarks.orders", str(orders))
        made = json.loads(run(*words, environment=platform(name), checkout=checkout))
        checkpoint()
    where = stack.enter_context(shipped_server(label, name, checkout=checkout))
    with connect(name) as connection:
        postmaster = cpu.postmaster_of(connection.info.backend_pid)
    return Target(label, where, successes(made["slug"], made["secret"], made["orders"]), postmaster)


def figures_of(rounds: list[Round]) -> dict[str, Any]:
    """The medians of all rounds."""
    acted, empty = zip(*rounds, strict=True)
    figures: dict[str, Any] = {
        "callback_p50_ms": statistics.median(result.latency_ms(0.5) for result in acted),
        "callback_p99_ms": statistics.median(result.latency_ms(0.99) for result in acted),
        "callback_worst_ms": max(result.latency_ms(1.0) for result in acted),
        "unknown_provider_p99_ms": statistics.median(result.latency_ms(0.99) for result in empty),
        "errors": sum(result.errors for result in (*acted, *empty)),
    }
    figures["callback_to_unknown_provider_p99"] = (
        figures["callback_p99_ms"] / figures["unknown_provider_p99_ms"]
    )
    return figures


def measure(target: Target, count: int, per_second: float, *, is_first: bool) -> Round:
    """One round of callbacks that pay, and one that the server answers without a database."""
    warm_up = WARM_UP if is_first else 0
    work = [next(target.paying) for _ in range(count + warm_up)]
    first = cpu.read(pid_of(target.where), target.postmaster)
    result = Paced(target.where, work, per_second).run(warm_up=warm_up)
    used = cpu.usage(first, cpu.read(pid_of(target.where), target.postmaster))
    acted = shown(target.label, result)
    say(
        f"    CPU of one: web {used.web / len(work) * 1e3:.1f} ms, "
        f"PostgreSQL {used.postgresql / len(work) * 1e3:.1f} ms; others {used.others:.0%}"
    )
    nobody = [
        callback("nobody", standard_webhooks.PUBLISHED_SECRET, f"{number}", b"{}", UNKNOWN)
        for number in range(count // 4)
    ]
    return acted, shown("no such provider", Paced(target.where, nobody, per_second, right_status=404).run())


def shown(label: str, result: Result) -> Result:
    say(
        f"  {label:<18}p50 {result.latency_ms(0.5):6.1f} ms   p99 {result.latency_ms(0.99):6.1f} ms   worst "
        f"{result.latency_ms(1.0):6.1f} ms   "
        f"{result.errors} errors   load generator {result.cpu_seconds / result.seconds:4.0%} of a core"
    )
    for example in result.examples:
        say(f"    error: {example}")
    return result


def successes(slug: str, secret: str, orders: list[str]) -> Iterator[Exchange]:
    """A payment of each order; one in `AGAIN_EVERY` is told again, and is another request then."""
    for number, order in enumerate(orders):
        data = {"orderId": order, "providerReference": f"pay-{order}", "amount": 4.99, "currencyCode": "EUR"}
        body = json.dumps({"type": "payment.succeeded", "data": data}).encode()
        yield callback(slug, secret, f"msg-{order}", body, OK)
        if number % AGAIN_EVERY == AGAIN_EVERY - 1:
            yield callback(slug, secret, f"msg-{order}", body, OK)


def callback(slug: str, secret: str, id: str, body: bytes, expected: bytes) -> Exchange:
    at = int(time.time())
    signature = standard_webhooks.sign(id, at, body, secret)
    head = (
        f"POST /pay/{slug} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"webhook-id: {id}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Exchange(head.encode() + body, expected)


def require_booked(name: str, most: int) -> None:
    """What was answered has happened: every payment is in the ledger. Raises `CannotMeasure`."""
    with connect(name) as connection:
        row = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE paid_at IS NOT NULL), "
            "(SELECT count(*) FROM wallet_transaction WHERE type IN ('payment', 'sale')) "
            "FROM payments_order"
        ).fetchone()
    if row is None or row[1] != row[2] or not row[1] or row[0] != most:
        raise CannotMeasure(f"The orders are not booked as they were answered: {row}.")


if __name__ == "__main__":
    sys.exit(main())
