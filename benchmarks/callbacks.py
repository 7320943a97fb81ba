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
from typing import Any

from benchmarks.aims import judge
from benchmarks.command import measuring, say, step
from benchmarks.databases import CannotMeasure, checkpoint, connect, database, require_durable
from benchmarks.load import Exchange, Result
from benchmarks.paced import Paced
from benchmarks.servers import VAR, Address, platform, run, seed_platform, shipped_server
from payments.providers.signatures import standard_webhooks

PER_SECOND = 200.0
MOST_P99_MS = 50.0
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
    options = parser.parse_args()
    return measuring(lambda: bench(options), VAR / "bench-callbacks.json")


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """All rounds; returns the figures."""
    a_round = int(options.per_second * options.seconds)
    with ExitStack() as stack:
        with step("Making a database with orders"):
            name = stack.enter_context(database("bench_callbacks"))
            server = require_durable(name)
            seed_platform(name)
            made = json.loads(
                run(
                    "-m",
                    "benchmarks.orders",
                    str(options.rounds * a_round + WARM_UP),
                    environment=platform(name),
                )
            )
            checkpoint()
        paying = successes(made["slug"], made["secret"], made["orders"])
        with shipped_server("callbacks", name) as where:
            rounds = [
                measure(where, paying, a_round, options.per_second, is_first=number == 0)
                for number in range(options.rounds)
            ]
        require_booked(name, len(made["orders"]))
    acted, empty = zip(*rounds, strict=True)
    figures = {
        "per_second": options.per_second,
        "callback_p50_ms": statistics.median(result.latency_ms(0.5) for result in acted),
        "callback_p99_ms": statistics.median(result.latency_ms(0.99) for result in acted),
        "callback_worst_ms": max(result.latency_ms(1.0) for result in acted),
        "unknown_provider_p99_ms": statistics.median(result.latency_ms(0.99) for result in empty),
        "errors": sum(result.errors for result in (*acted, *empty)),
        "cores": os.cpu_count(),
        "server": server,
    }
    figures["callback_to_unknown_provider_p99"] = (
        figures["callback_p99_ms"] / figures["unknown_provider_p99_ms"]
    )
    say(
        f"\np99 of callbacks {figures['callback_p99_ms']:10.1f} ms     aim "
        f"{judge(figures['callback_p99_ms'], MOST_P99_MS, at_most=True)}"
    )
    return figures


def measure(
    where: Address, paying: Iterator[Exchange], count: int, per_second: float, *, is_first: bool
) -> tuple[Result, Result]:
    """One round of callbacks that pay, and one that the server answers without a database."""
    warm_up = WARM_UP if is_first else 0
    acted = shown(
        "callbacks",
        Paced(where, [next(paying) for _ in range(count + warm_up)], per_second).run(warm_up=warm_up),
    )
    nobody = [
        callback("nobody", standard_webhooks.PUBLISHED_SECRET, f"{number}", b"{}", UNKNOWN)
        for number in range(count // 4)
    ]
    return acted, shown("no such provider", Paced(where, nobody, per_second, right_status=404).run())


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
