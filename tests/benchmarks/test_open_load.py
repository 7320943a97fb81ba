"""A load that does not wait for the server counts what became of each call (benchmarks.open_load)."""

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks import open_load
from benchmarks.open_load import Latencies, OpenLoad
from benchmarks.traffic import Login

REQUEST = re.compile(rb"POST /wallet/(\w+) HTTP/1.1\r\n.*?\"mmTransactionId\":\"([^\"]+)\"[^\r]*", re.DOTALL)
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n%b"
NO = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}"
LOGIN = Login("game", "password")


class Server:
    """Answers one request after the other; `refuse` says how often of each number a call is refused."""

    def __init__(self, refuse: dict[str, set[int]], *, closes_after: int = 10**6) -> None:
        self.refuse, self.closes_after = refuse, closes_after
        self.seen: Counter[str] = Counter()
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            for _ in range(self.closes_after):
                if not (received := connection.recv(65536)):
                    return
                match = REQUEST.match(received)
                assert match, received
                call, id_ = match[1].decode(), match[2]
                self.seen[call] += 1
                connection.sendall(NO if self.seen[call] in self.refuse.get(call, ()) else YES % id_)


@contextmanager
def serving(server: Server) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server.listener.getsockname()
    server.listener.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_load, "PLAY_SECONDS", 0.05)


def test_load__opens_and_settles_what_was_opened() -> None:
    server = Server({"withdraw": {2}, "confirmDeposit": {1}})
    with serving(server) as where:
        load = OpenLoad(where, LOGIN, 40, 0.2)
        seen = load.run()
    # Of eight, the first and the fifth are deposits; one withdrawal is refused, and one settling once.
    assert server.seen == {"withdraw": 6, "deposit": 2, "confirmWithdrawal": 5, "confirmDeposit": 3}
    assert (seen.errors, seen.examples) == (0, [])
    assert (seen.openings.sent, seen.openings.answered.count, seen.openings.refused.count) == (8, 7, 1)
    assert (seen.settlings.sent, seen.settlings.answered.count, seen.settlings.refused.count) == (8, 7, 1)
    assert [id_.startswith(load.prefix + b"-1") for id_ in seen.refused_ids] == [True]
    assert (seen.answered, seen.refused, seen.all_answered.count) == (14, 2, 14)
    assert 0 < seen.all_answered.ms(0.5) <= seen.all_answered.longest_ms


def test_load__sends_again_what_met_a_closed_connection() -> None:
    with serving(Server({}, closes_after=2)) as where:
        seen = OpenLoad(where, LOGIN, 40, 0.3).run()
    assert (seen.errors, seen.examples, seen.answered, seen.refused) == (0, [], 24, 0)


def test_load__a_refusal_without_retry_after_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.NO", NO.replace(b"Retry-After: 5", b"Server: a"))
    with serving(Server({"withdraw": {1}})) as where:
        seen = OpenLoad(where, LOGIN, 40, 0.05).run()
    assert (seen.errors, seen.refused, seen.answered) == (1, 0, 2)
    assert seen.examples[0].startswith("HTTP/1.1 503 Service Unavailable")


def test_latencies__are_counted_by_tenths_of_a_millisecond() -> None:
    seen = Latencies()
    for tenths in (*[9] * 98, 499, 5000):
        seen.add(tenths * 100_000 + 1)
    assert (seen.count, seen.ms(0.5), seen.ms(0.98), seen.ms(0.99)) == (100, 1.0, 1.0, 50.0)
    assert (seen.ms(1.0), seen.longest_ms) == (500.000001, 500.000001)
    assert Latencies().ms(0.99) == 0.0
