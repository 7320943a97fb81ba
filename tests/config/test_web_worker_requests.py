"""How a connection goes on with what comes of it, and how its requests are answered (config.web_worker)."""

import logging
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from config.web_connection import Connection, State
from config.web_table import SECONDS
from config.web_worker import QUEUE_SECONDS
from tests.support.web_tables import GET, Pair, Table, enter

POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
# Its chunk has no size.
WRONG_CHUNK = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n"
# Longer than what is read.
LONG = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nhello"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"o", b"k"]


def answering(table: Table, wsgi: Application = application) -> Table:
    table.wsgi, table.alive = wsgi, True
    return table


def answered(table: Table, connection: Connection, theirs: socket.socket) -> bytes:
    """What the client of a whole request reads."""
    assert connection.has_request()
    connection.state = State.BUSY
    connection.deadline = time.monotonic() + 60
    table.take(connection)
    return theirs.recv(65536)


def is_set(deadline: float, before: float, seconds: float) -> bool:
    """Whether a deadline was set since `before`, to so many seconds from then."""
    return before + seconds <= deadline <= time.monotonic() + seconds


def state_of(connection: Connection) -> State:
    return connection.state


# --- What the loop does with what has come ---


def test_look__waits_for_the_rest_of_a_request(table: Table, pair: Pair) -> None:
    connection, before = enter(table, pair[0], b"PO"), time.monotonic()
    table.look(connection)
    assert state_of(connection) is State.HEAD
    head, body = POST[:-5], POST[-5:]
    connection.received += head[2:]
    table.look(connection)
    assert state_of(connection) is State.BODY
    assert is_set(connection.deadline, before, SECONDS[State.BODY])
    # Who drips is given no more time.
    first = connection.deadline
    connection.received += body[:4]
    table.look(connection)
    assert (state_of(connection), connection.deadline) == (State.BODY, first)
    connection.received += body[4:]
    before = time.monotonic()
    table.look(connection)
    assert state_of(connection) is State.BUSY
    assert is_set(connection.deadline, before, QUEUE_SECONDS)
    assert table.waiting.take() is connection


def test_look__a_connection_that_was_served_is_idle_until_something_comes(table: Table, pair: Pair) -> None:
    connection = enter(table, pair[0], b"")
    table.look(connection)
    assert state_of(connection) is State.HEAD
    connection.served = 1
    table.look(connection)
    assert state_of(connection) is State.IDLE
    connection.received += b"G"
    table.look(connection)
    assert state_of(connection) is State.HEAD


def test_look__calls_are_answered_in_the_loop(
    table: Table, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.loop_paths = ("/healthz",)
    taken: list[Connection] = []
    monkeypatch.setattr(table, "take", taken.append)
    connection = enter(table, pair[0], GET)
    table.look(connection)
    assert taken == [connection]
    assert not table.waiting


def test_look__a_malformed_request_is_refused_and_the_connection_ends(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(table, ours, b"nonsense\r\n\r\n")
    connection.keeps = True
    table.look(connection)
    assert theirs.recv(65536).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert theirs.recv(1) == b""
    assert state_of(connection) is State.LINGERING


def test_proceed__reads_what_has_come(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(table, ours, b"")
    theirs.sendall(GET)
    table.proceed_with(ours.fileno())
    assert table.waiting.take() is connection
    # A thread has it now.
    theirs.sendall(GET)
    table.proceed_with(ours.fileno())
    assert not connection.received
    assert not table.waiting
    # Of what has been closed, the loop may still be told.
    table.proceed_with(99_999)


def test_proceed__a_client_that_has_gone_is_closed(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(table, ours, b"")
    theirs.close()
    table.proceed_with(ours.fileno())
    assert table.closed == [connection]


@pytest.mark.parametrize("received", [b"", POST[:-9] + b"\r\nExpect: 100-continue\r\n\r\n"])
def test_proceed__a_connection_that_was_reset_is_closed(received: bytes, table: Table) -> None:
    """Seen while it is read, or while a client is told to go on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), 5)
        ours, _ = listener.accept()
    connection = enter(table, ours, received)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    if received:
        table.look_again(connection)
        # The first one to write is told.
        assert table.closed == [connection]
    else:
        table.proceed_with(ours.fileno())
        assert table.closed == [connection]


def test_proceed__what_comes_after_the_last_answer_is_dropped(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(table, ours, b"")
    table.wait(connection, State.LINGERING)
    for _ in range(2):
        theirs.sendall(GET)
        assert table.poll.poll(10) == [(ours.fileno(), select.EPOLLIN)]
        table.proceed_with(ours.fileno())
        assert (state_of(connection), bytes(connection.received), table.closed) == (State.LINGERING, b"", [])
    theirs.close()
    table.proceed_with(ours.fileno())
    assert table.closed == [connection]


# --- Answers ---


def test_answer__the_connection_goes_on(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(answering(table), ours, GET)
    answer = answered(table, connection, theirs)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")
    assert b"\r\nConnection: keep-alive\r\n" in answer
    assert (connection.state, connection.served, connection.request) == (State.IDLE, 1, None)


def test_answer__what_came_along_is_looked_at_in_the_loop(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    connection = enter(answering(table), ours, GET + GET)
    answered(table, connection, theirs)
    assert (connection.state, len(table.waiting)) == (State.BUSY, 0)
    table.loop.turn(0)
    assert table.waiting.take() is connection


@pytest.mark.parametrize(
    ("line", "length", "keeps"),
    [("GET", "2", True), ("GET", "20", False), ("HEAD", "20", True), ("GET", None, False)],
)
def test_answer__the_connection_goes_on_if_the_client_sees_its_end(
    line: str, length: str | None, keeps: bool, table: Table, pair: Pair
) -> None:
    """Not after less than was announced; nor to HTTP/1.0, if no length was."""

    def wsgi(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", length)] if length else [])
        return [] if line == "HEAD" else [b"ok"]

    version = "1.1" if length else "1.0"
    request = f"{line} / HTTP/{version}\r\nHost: a\r\n{'' if length else 'Connection: close'}"
    connection = enter(answering(table, wsgi), pair[0], f"{request.strip()}\r\n\r\n".encode())
    answered(table, connection, pair[1])
    assert state_of(connection) is (State.IDLE if keeps else State.LINGERING)
    if not keeps:
        assert pair[1].recv(1) == b""


def test_answer__of_a_worker_that_ends_says_close(table: Table, pair: Pair) -> None:
    connection = enter(answering(table), pair[0], GET)
    table.alive = False
    assert b"\r\nConnection: close\r\n" in answered(table, connection, pair[1])
    assert state_of(connection) is State.LINGERING


@pytest.mark.parametrize("fails", [False, True])
def test_answer__the_applications_answer_is_closed(fails: bool, table: Table, pair: Pair) -> None:
    closed = []

    class Parts:
        def __iter__(self) -> "Parts":
            return self

        def __next__(self) -> bytes:
            if fails:
                raise ValueError("said by a test")
            raise StopIteration

        def close(self) -> None:
            closed.append(self)

    def wsgi(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "0")])
        return Parts()

    connection = enter(answering(table, wsgi), pair[0], GET)
    status = b"500 Internal Server Error" if fails else b"200 OK"
    assert answered(table, connection, pair[1]).startswith(b"HTTP/1.1 " + status)
    assert len(closed) == 1
    assert state_of(connection) is (State.LINGERING if fails else State.IDLE)


def test_answer__failure_after_its_beginning_ends_it(
    table: Table, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is written into the body that was begun."""

    def wsgi(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "20")])
        yield b"ok"
        raise ValueError("said by a test")

    connection = enter(answering(table, wsgi), pair[0], GET)
    answer = answered(table, connection, pair[1])
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")
    assert pair[1].recv(1) == b""
    assert "Error after the beginning of an answer" in caplog.text


def test_answer__before_anything_was_called_is_500(table: Table, pair: Pair) -> None:
    def wsgi(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise ValueError("said by a test")

    connection = enter(answering(table, wsgi), pair[0], GET)
    assert answered(table, connection, pair[1]).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert state_of(connection) is State.LINGERING


def test_answer__of_a_body_that_is_too_long_is_413(table: Table, pair: Pair) -> None:
    """Also if the application had begun another one."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "20")])
        yield b"ok"
        environ["wsgi.input"].read()

    connection = enter(answering(table, wsgi), pair[0], LONG)
    assert answered(table, connection, pair[1]).startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert state_of(connection) is State.LINGERING


def test_answer__that_is_not_due_is_no_byte(table: Table, pair: Pair) -> None:
    def wsgi(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "20")])
        yield b"ok"
        raise ConnectionResetError("said by a test")

    connection = enter(answering(table, wsgi), pair[0], GET)
    assert answered(table, connection, pair[1]) == b""
    assert state_of(connection) is State.LINGERING


def test_answer__of_a_wrong_body_ends_a_connection_that_was_kept(table: Table, pair: Pair) -> None:
    connection = enter(answering(table), pair[0], WRONG_CHUNK)
    connection.keeps = True
    assert answered(table, connection, pair[1]).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert pair[1].recv(1) == b""
    assert state_of(connection) is State.LINGERING


def test_take__what_fails_is_logged_and_ends_in_the_loop(
    table: Table, pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connection = enter(answering(table), pair[0], GET)
    for problem, is_logged in ((BrokenPipeError(), False), (ValueError("said by a test"), True)):
        connection.state, connection.deadline = State.BUSY, time.monotonic() + 60

        def fail(*_: Any, problem: Exception = problem) -> None:
            raise problem

        monkeypatch.setattr(table, "answer", fail)
        table.in_threads.add(connection)
        table.take(connection)
        # Nor is it counted as under way for ever.
        assert not table.in_threads
        assert state_of(connection) is State.LINGERING
        assert ("Error on a connection" in caplog.text) == is_logged


def test_take__a_request_that_waited_too_long_is_told_of(
    table: Table, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    connection = enter(answering(table), pair[0], GET)
    connection.state, connection.deadline = State.BUSY, time.monotonic() - 1
    with caplog.at_level(logging.ERROR):
        table.take(connection)
    assert "A request waited more than 20 s for a thread, and is not carried out" in caplog.text
    assert pair[1].recv(1) == b""
    assert state_of(connection) is State.LINGERING
