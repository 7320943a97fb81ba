"""The load generator of the benchmarks believes nothing that is not a success for its own request."""

import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import Exchange, Load
from benchmarks.traffic import Login, pairs, withdrawals

LOGIN = Login("bench", "pass:word")
MM_ID = re.compile(rb'"mmTransactionId":"(\w+)"')


def answer(body: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        status,
        extra,
        len(body),
        body,
    )


def yes(request: bytes) -> bytes:
    return answer(b'{"mmTransactionId":"%b"}' % echoed(request))


def echoed(request: bytes) -> bytes:
    found = MM_ID.search(request)
    assert found
    return found[1]


@contextmanager
def server(
    reply: Callable[[bytes], bytes], *, closes: bool = False, asked: list[int] | None = None
) -> Iterator[tuple[str, int]]:
    """A tiny server; each request of ours is one packet. `asked` counts those of each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener, reply, closes, asked), daemon=True).start()
        yield listener.getsockname()


def accept(
    listener: socket.socket, reply: Callable[[bytes], bytes], closes: bool, asked: list[int] | None
) -> None:
    for number in itertools.count():
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(peer, reply, closes, asked, number), daemon=True).start()


def serve(
    peer: socket.socket,
    reply: Callable[[bytes], bytes],
    closes: bool,
    asked: list[int] | None,
    number: int,
) -> None:
    with peer:
        while request := peer.recv(65536):
            if asked:
                asked[number] += 1
            peer.sendall(reply(request))
            if closes:
                return


def test_load__counts_every_answer_of_a_second_once() -> None:
    seen: list[bytes] = []

    def reply(request: bytes) -> bytes:
        seen.append(echoed(request))
        return yes(request)

    with server(reply) as address:
        result = Load(address, 4, lambda: withdrawals(LOGIN)).run(0.8, warm_up=0.2)
    assert result.errors == 0
    assert 0 < result.answers < len(seen)
    assert len(set(seen)) == len(seen)
    assert len(result.latencies_ns) == result.answers
    assert result.answers < result.all_answers <= len(seen)
    assert 0 < result.latency_ms(0.5) <= result.latency_ms(0.99) < 1000


def test_load__a_pair_confirms_what_it_withdrew() -> None:
    seen: list[tuple[bytes, bytes]] = []

    def reply(request: bytes) -> bytes:
        seen.append((request.split()[1], echoed(request)))
        return yes(request)

    with server(reply) as address:
        result = Load(address, 1, lambda: pairs(LOGIN)).run(0.2)
    assert result.errors == 0
    assert [path for path, _ in seen[:4]] == [b"/wallet/withdraw", b"/wallet/confirmWithdrawal"] * 2
    assert seen[0][1] == seen[1][1] != seen[2][1]


def test_load__reconnects_if_server_closes_after_each_answer() -> None:
    def reply(request: bytes) -> bytes:
        return answer(b'{"mmTransactionId":"%b"}' % echoed(request), extra=b"Connection: close\r\n")

    with server(reply, closes=True) as address:
        result = Load(address, 2, lambda: withdrawals(LOGIN)).run(0.3)
    assert result.errors == 0
    assert result.answers > 2


def test_load__connections_take_turns_if_fewer_may_wait() -> None:
    """All are open from the beginning, at most two wait for an answer at a time, and each has its turn."""
    waiting, most, asked = 0, 0, [0] * 6
    lock = threading.Lock()

    def reply(request: bytes) -> bytes:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)
        time.sleep(0.005)
        with lock:
            waiting -= 1
        return yes(request)

    with server(reply, asked=asked) as address:
        result = Load(address, 6, lambda: withdrawals(LOGIN), under_way=2).run(0.4)
    assert result.errors == 0
    assert 0 < most <= 2
    assert min(asked) > 0
    assert max(asked) - min(asked) <= 3


def test_load__reads_an_answer_in_pieces_to_its_end() -> None:
    def pieces(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            while request := peer.recv(65536):
                body = yes(request)
                peer.sendall(body[:30])
                peer.sendall(body[30:-5])
                peer.sendall(body[-5:])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=pieces, args=(listener,), daemon=True).start()
        result = Load(listener.getsockname(), 1, lambda: withdrawals(LOGIN)).run(0.2)
    assert result.errors == 0
    assert result.answers > 0


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            lambda request: answer(b'{"errorCode":104,"mmTransactionId":"%b"}' % echoed(request)),
            id="refused",
        ),
        pytest.param(
            lambda request: answer(
                b'{"mmTransactionId":"%b"}' % echoed(request), b"500 Internal Server Error"
            ),
            id="failed",
        ),
        pytest.param(
            lambda request: answer(b'{"mmTransactionId":"another"}'), id="answer to another request"
        ),
        pytest.param(lambda request: yes(request)[:-1], id="cut off"),
    ],
)
def test_load__counts_every_non_success_as_an_error(reply: Callable[[bytes], bytes]) -> None:
    with server(reply, closes=True) as address:
        result = Load(address, 2, lambda: withdrawals(LOGIN)).run(0.3)
    assert result.answers == 0
    assert result.errors > 0
    assert result.examples


def test_load__missing_server_is_an_error_and_no_endless_loop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    result = Load(address, 2, lambda: iter([Exchange(b"x", b"x")] * 1000)).run(5)
    assert result.answers == 0
    assert 100 <= result.errors <= 102
