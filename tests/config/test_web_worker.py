"""Clients that hold on to what they have do no harm to other callers, and end (docs/operations.md).

Said of the web server that is configured, whatever its worker.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attack.clients import (
    BIG,
    CALL,
    DRIPS,
    HEALTH,
    OTHER_SOURCE,
    SHAPES,
    Connect,
    connect_to,
    dripping,
    half_a_body,
    half_a_head,
    held,
    kept_open,
    never_closing,
    open_after,
    place_of,
    silent,
)
from tests.support.callers import PlayerSession
from tests.support.web_server import served

# Milliseconds, really; a busy machine must not fail the test. `make attack` says 1 s.
SLOWEST_SECONDS = 5.0
# Answers 200 to everything, and starts at once.
EMPTY = "tests.attack.quick_application:application"


def slowest_call(session: PlayerSession, url: str, count: int = 5) -> float:
    """Seconds of the slowest of some wallet calls, each over a connection of its own."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        answer = session.elsewhere(at=url).call("getBalance")
        assert (answer.status, answer.balance) == (200, "100.00")
        times.append(time.monotonic() - began)
    return max(times)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_clients__that_hold_on_do_not_slow_a_wallet_call(
    shape: Callable[[Connect], None], server: str, player_session: PlayerSession
) -> None:
    with held(server, shape, SHAPES[shape]):
        assert slowest_call(player_session, server) < SLOWEST_SECONDS


@pytest.mark.parametrize("drip", DRIPS)
def test_clients__that_drip_do_not_slow_a_wallet_call(
    drip: str, server: str, player_session: PlayerSession
) -> None:
    with dripping(server, DRIPS[drip]):
        assert slowest_call(player_session, server) < SLOWEST_SECONDS


@pytest.mark.long
def test_clients__that_hold_on_are_let_go(server: str) -> None:
    """Heads within 10 s, bodies within 20, what was answered for the last time within 5; twice that here."""
    with (
        held(server, silent, 5) as mute,
        held(server, half_a_head, 5) as heads,
        held(server, half_a_body, 5) as bodies,
        held(server, never_closing, 5) as closers,
        held(server, kept_open, 5) as kept,
    ):
        began = time.monotonic()
        assert open_after(mute + heads, 20) == 0
        assert open_after(bodies, 40 - (time.monotonic() - began)) == 0
        assert open_after(closers, 1) == 0
        assert open_after(kept, 0) == 5


def test_clients__one_address_has_so_many_connections(tmp_path: Path) -> None:
    limits = {"WEB_WORKERS": "1", "WEB_CONNECTIONS_PER_ADDRESS": "10"}
    with served(tmp_path / "log", EMPTY, **limits) as url:
        with held(url, kept_open, 30) as connections:
            wait_until(lambda: open_after(connections, 0) == 10)
        elsewhere = socket.create_connection(place_of(url), 5, source_address=("127.0.0.2", 0))
        with held(url, silent, 30), elsewhere:
            elsewhere.sendall(HEALTH + b"\r\n")
            assert elsewhere.recv(4096).startswith(b"HTTP/1.1 200")


def test_clients__a_new_one_takes_the_place_of_one_that_waits(tmp_path: Path) -> None:
    """The caller's own address is full of silent connections: it is answered all the same."""
    limits = {"WEB_WORKERS": "1", "WEB_CONNECTIONS_PER_ADDRESS": "10"}
    with served(tmp_path / "log", EMPTY, **limits) as url, held(url, silent, 100, "127.0.0.1"):
        for _ in range(20):
            with socket.create_connection(place_of(url), 5) as caller:
                caller.sendall(HEALTH + b"\r\n")
                assert caller.recv(4096).startswith(b"HTTP/1.1 200")


# --- Bodies that are not read ---


@pytest.mark.parametrize(
    "path", ["/pay/webhooks", "/wallet/withdraw", "/wallet/nothing", "/healthz", "/nowhere"]
)
@pytest.mark.parametrize("size", [0, 100, 65_537, 200_000, 300_000, 3_000_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_unread_body__the_connection_goes_on_or_says_close(
    path: str, size: int, is_chunked: bool, server: str
) -> None:
    body = b"x" * size
    connection = http.client.HTTPConnection(*place_of(server), timeout=20, source_address=(OTHER_SOURCE, 0))
    parts = iter([body[:1000], body[1000:]]) if is_chunked else body
    connection.request("POST", path, parts, encode_chunked=is_chunked)
    answer = connection.getresponse()
    answer.read()
    assert 400 <= answer.status < 500
    is_kept = answer.getheader("Connection") == "keep-alive"
    # What nginx lets through is read, so that its connections live on.
    assert is_kept or size > 256 * 1024
    if is_kept:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    else:
        assert connection.sock is None
    connection.close()


def test_unread_body__the_answer_arrives_before_the_end_of_the_body(server: str) -> None:
    """The client is still writing when it is refused, and reads after that."""
    with connect_to(server, OTHER_SOURCE) as connection:
        connection.sendall(CALL + b"Content-Length: 3000000\r\n\r\n")
        for _ in range(15):
            connection.sendall(BIG[:200_000])
            time.sleep(0.02)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 401")
    assert b"\r\nconnection: close" in head


def test_pipelined__answered_one_by_one_in_their_order(server: str) -> None:
    paths = ["/healthz", "/nowhere", "/wallet/withdraw", "/healthz"] * 5
    with connect_to(server, OTHER_SOURCE) as connection:
        for path in paths:
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path.encode())
        connection.sendall(HEALTH + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    statuses = [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 404, 401, 200] * 5 + [200]


@pytest.mark.parametrize(
    ("method", "path", "answers"), [("GET", "/short/", 1), ("HEAD", "/short/", 2), ("GET", "/", 2)]
)
def test_pipelined__no_answer_is_taken_for_the_end_of_a_short_one(
    method: str, path: str, answers: int, tmp_path: Path
) -> None:
    first = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with (
        served(tmp_path / "log", EMPTY, WEB_WORKERS="1") as url,
        socket.create_connection(place_of(url), 5) as caller,
    ):
        caller.sendall(first + HEALTH + b"Connection: close\r\n\r\n")
        received = b"".join(iter(lambda: caller.recv(4096), b""))
    assert received.count(b"HTTP/1.1 200") == answers


def test_expectation__is_met_when_the_body_is_to_come(server: str) -> None:
    with connect_to(server, OTHER_SOURCE) as connection:
        connection.sendall(CALL + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")
        connection.sendall(CALL + b"Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401")


def test_stop__answers_what_is_under_way(tmp_path: Path) -> None:
    answers = []

    def finish(late: socket.socket) -> None:
        time.sleep(0.5)
        late.sendall(b"\r\n")
        answers.append(b"".join(iter(lambda: late.recv(4096), b"")))
        late.close()

    with served(tmp_path / "log", EMPTY, WEB_WORKERS="1") as url:
        late = socket.create_connection(place_of(url), 20)
        late.sendall(HEALTH)
        time.sleep(0.3)
        thread = threading.Thread(target=finish, args=(late,))
        thread.start()
    thread.join()
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close" in answers[0]


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
