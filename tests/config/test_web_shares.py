"""Connections are shared among the workers, evenly but for an eighth."""

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.web_shares import MOST_WORKERS, Shares
from tests.config.test_metrics import master
from tests.config.test_web_worker import wait_until
from tests.support.web_server import served


@pytest.mark.parametrize(
    ("own", "others", "is_ahead"),
    [
        (0, [0], False),
        (1, [0], True),
        (1, [1], False),
        (3, [3, 2], True),
        (80, [70], False),
        (80, [69], True),
        (80, [], False),
    ],
)
def test_share__worker_is_ahead_of_others(own: int, others: list[int], is_ahead: bool) -> None:
    shares = Shares()
    for place, connections in enumerate([own, *others]):
        shares.note(place, connections)
    assert shares.is_ahead(own) is is_ahead


def test_share__worker_that_has_left_counts_no_more() -> None:
    shares = Shares()
    shares.note(1, 0)
    assert shares.is_ahead(5)
    shares.leave(1)
    assert not shares.is_ahead(5)


def test_share__worker_beyond_the_places_takes_no_part() -> None:
    shares = Shares()
    shares.note(MOST_WORKERS, 0)
    shares.leave(MOST_WORKERS)
    assert not shares.is_ahead(5)


def sockets(process: int) -> int:
    return sum(os.readlink(file).startswith("socket:") for file in Path(f"/proc/{process}/fd").iterdir())


def test_share__connections_of_two_workers(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with served(log, "benchmarks.empty:application", WEB_WORKERS="2") as url, ExitStack() as stack:
        parent = master(log)
        workers = [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        before = [sockets(worker) for worker in workers]
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        for _ in range(40):
            stack.enter_context(socket.create_connection(address))

        def counts() -> list[int]:
            return [sockets(worker) - there for worker, there in zip(workers, before, strict=True)]

        wait_until(lambda: sum(counts()) == 40)
        # An eighth more than the other, and what comes while each says how many it has.
        assert min(counts()) >= 15, counts()
