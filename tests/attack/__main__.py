"""`make attack`: plays hostile clients, requests and addresses; fails if one of them does harm."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.attack import clients, forwarded, http_shapes, outgoing
from tests.support.callers import PlayerSession
from tests.support.nginx import installed, nginx_before
from tests.support.own_database import own_ledger
from tests.support.web_server import served

SLOWEST_SECONDS = 1.0
CALLS = 50
Row = tuple[str, str, bool]


def main() -> int:
    """The exit code: 1 if one of them does harm."""
    with own_ledger("attack") as ledger, tempfile.TemporaryDirectory() as home:
        player = ledger.callers.player_session()
        environment = {"DATABASE_URL": ledger.url}
        is_well = table("outgoing addresses", attack_others())
        with served(Path(home) / "log", **environment) as url:
            is_well &= table("hostile clients", attack_with_clients(url, player))
            is_well &= table("requests", attack_with_requests(url))
        if installed():
            proxied = {**environment, "TRUSTED_PROXIES": "127.0.0.1"}
            with served(Path(home) / "log", **proxied) as url, nginx_before(url, Path(home)) as proxy:
                is_well &= table("hostile clients of nginx", attack_with_clients(proxy, player))
        with served(Path(home) / "log", **environment, **forwarded.SETTINGS) as url:
            is_well &= table("forwarded addresses", attack_with_addresses(url))
    return 0 if is_well else 1


def table(title: str, rows: Iterator[Row]) -> bool:
    """Prints each row as it comes; whether all are right."""
    print(f"\n{title}", flush=True)
    results = []
    for name, seen, is_right in rows:
        print(f"  {name:<48} {seen:<32} {'' if is_right else 'WRONG'}", flush=True)
        results.append(is_right)
    print(f"  {sum(results)} of {len(results)} are right", flush=True)
    return all(results)


def attack_with_clients(url: str, player: PlayerSession) -> Iterator[Row]:
    shapes: list[tuple[str, Callable[[], AbstractContextManager[Any]]]] = [
        *(
            (shape.__name__, partial(clients.held, url, shape, count))
            for shape, count in clients.SHAPES.items()
        ),
        *((name, partial(clients.dripping, url, first)) for name, first in clients.DRIPS.items()),
    ]
    for name, hold in shapes:
        with hold() as connections:
            times = [call_seconds(player.elsewhere(at=url)) for _ in range(CALLS)]
        seen = f"slowest call {max(times) * 1000:.0f} ms"
        yield f"{len(connections)} times {name.replace('_', ' ')}", seen, max(times) <= SLOWEST_SECONDS


def call_seconds(player: PlayerSession) -> float:
    began = time.monotonic()
    player.done("getBalance")
    return time.monotonic() - began


def attack_with_requests(url: str) -> Iterator[Row]:
    for shape in http_shapes.SHAPES:
        seen, goes_on = http_shapes.statuses(url, shape)
        text = f"{' '.join(map(str, seen))}, {'goes on' if goes_on else 'closed'}"
        yield shape.name, text, (seen, goes_on) == (shape.statuses, shape.goes_on)


def attack_with_addresses(url: str) -> Iterator[Row]:
    for shape in forwarded.SHAPES:
        answered = forwarded.is_answered(url, shape)
        yield shape.name, "an answer" if answered else "not one byte", answered == shape.is_answered


def attack_others() -> Iterator[Row]:
    settings.OUTGOING_ALLOWED_NETWORKS = []
    for url in outgoing.URLS:
        kind = outgoing.outcome(url)
        yield url, kind, kind in outgoing.REFUSED


if __name__ == "__main__":
    sys.exit(main())
