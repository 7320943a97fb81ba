"""Which connections a worker takes, and which it ends first (config.web_table)."""

import errno
import resource
import select
import socket
import time
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from config import web_table
from config.web_connection import Connection, State
from config.web_kinds import Kind, Kinds
from config.web_table import MOST_ACCEPTED, SECONDS, allow_files, counted_as
from config.web_worker import QUEUE_SECONDS
from tests.support.web_tables import GET, Pair, Table, enter, take_next


def test_room__of_an_address_is_made_by_its_own(table: Table) -> None:
    table.add("10.0.0.2", State.LINGERING, 1)
    kept, silent, _ = (table.add("10.0.0.1", state, 5) for state in (State.IDLE, State.HEAD, State.BUSY))
    assert table.has_room("10.0.0.3")
    assert table.closed == []
    assert table.has_room("10.0.0.1")
    assert table.closed == [silent]
    table.add("10.0.0.1", State.WRITING, 5)
    assert table.has_room("10.0.0.1")
    assert table.closed == [silent, kept]


def test_room__there_is_none_if_all_are_busy(table: Table) -> None:
    for _ in range(3):
        table.add("10.0.0.1", State.BUSY, 0)
    assert not table.has_room("10.0.0.1")
    for number in range(2):
        table.add(f"10.0.0.{2 + number}", State.BUSY, 0)
    assert not table.has_room("10.0.0.9")
    assert table.closed == []


def test_room__of_the_whole_worker_is_made_by_what_must_end_first(table: Table) -> None:
    for number in range(4):
        table.add(f"10.0.0.{number}", State.HEAD, 10 - number)
    table.add("10.0.1.1", State.BUSY, 0)
    assert table.has_room(None)
    assert [connection.address for connection in table.closed] == ["10.0.0.3"]


def test_accept__new_connection_is_left_to_others_once(table: Table) -> None:
    table.kinds = Kinds()
    table.share()
    assert not table.yields()
    table.kinds.shares[Kind.CALLS].note(1, 0)
    assert not table.yields()
    table.add("10.0.0.1", State.IDLE, 1e12)
    assert table.yields()
    assert table.yields_until > 0
    # Nobody has taken it.
    table.yields_until = 1.0
    table.share()
    assert table.yields_until == 0
    assert [table.yields(), table.yields()] == [False, True]


def test_accept__listener_is_left_alone_until_others_had_their_time(table: Table) -> None:
    table.kinds = Kinds()
    table.kinds.shares[Kind.CALLS].note(1, 0)
    table.add("10.0.0.1", State.IDLE, 1e12)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        table.poll.register(listener, select.EPOLLIN)
        table.sockets.append(listener)
        with socket.create_connection(listener.getsockname(), 10):
            ready = [(listener.fileno(), select.EPOLLIN)]
            assert table.poll.poll(10) == ready
            began = time.monotonic()
            assert table.yields() is True
            assert table.yields_until > began
            assert table.poll.poll(0) == []
            table.yields_until = time.monotonic() + 1000
            table.share()
            assert table.kinds.shares[Kind.CALLS].present() == [2, 1]
            assert table.poll.poll(0) == []
            table.yields_until = 1.0
            table.share()
            assert table.poll.poll(10) == ready


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ECONNABORTED])
def test_accept__without_files_one_that_does_least_makes_room(
    number: int, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(web_table, "time", SimpleNamespace(sleep=slept.append, monotonic=time.monotonic))
    busy, *idle = (table.add("10.0.0.1", state, 1) for state in (State.BUSY, State.HEAD, State.IDLE))

    def accept() -> None:
        raise OSError(number, "said by a test")

    listener = SimpleNamespace(accept=accept)
    for _ in range(3):
        table.accept(listener, 0)
    if number == errno.ECONNABORTED:
        assert (table.closed, slept) == ([], [])
    else:
        # Nothing is left that could be closed: the loop does not turn for nothing.
        assert (table.closed, slept) == (idle, [0.01])
    assert table.connections[busy.sock.fileno()] is busy


def test_admit__new_connection_is_waited_for(table: Table, pair: Pair) -> None:
    (ours, theirs), before = pair, time.monotonic()
    connection = table.admit(ours, ("10.0.0.1", 1), ("", 80))
    assert connection
    assert (table.connections, table.counts) == ({ours.fileno(): connection}, {"10.0.0.1": 1})
    assert connection.deadline >= before + SECONDS[State.HEAD]
    assert not ours.getblocking()
    theirs.sendall(b"x")
    # Told once: whoever has it says when it is waited for again.
    assert [table.poll.poll(wait) for wait in (10, 0)] == [[(ours.fileno(), select.EPOLLIN)], []]


def test_admit__without_room_is_closed(table: Table, pair: Pair) -> None:
    ours, theirs = pair
    table.most_connections = 0
    assert table.admit(ours, ("10.0.0.1", 1), ("", 80)) is None
    assert (table.connections, theirs.recv(1)) == ({}, b"")


def test_admit__of_a_unix_socket_counts_for_no_address(table: Table, pair: Pair) -> None:
    assert table.admit(pair[0], "", "/run/web.sock")
    assert table.counts == {}


class Crowd:
    """A listener with clients that wait to be accepted; it counts them."""

    def __init__(self, clients: int) -> None:
        self.clients = clients

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if not self.clients:
            raise BlockingIOError
        self.clients -= 1
        return socket.socket(), (f"10.0.{self.clients}.1", 1)

    def getsockname(self) -> tuple[str, int]:
        return ("", 80)


def test_accept__a_crowd_comes_in_some_at_a_time(table: Table) -> None:
    table.most_connections, crowd = 1000, Crowd(MOST_ACCEPTED + 2)
    for taken in (MOST_ACCEPTED, MOST_ACCEPTED + 2, MOST_ACCEPTED + 2):
        table.accept(crowd, 0)
        assert len(table.connections) == taken


def test_accept__a_crowd_is_shared(table: Table) -> None:
    table.kinds, crowd = Kinds(), Crowd(3)
    table.kinds.shares[Kind.CALLS].note(1, 0)
    table.accept(crowd, 0)
    assert (len(table.connections), crowd.clients, table.yields_until) == (1, 2, 0)
    table.accept(crowd, 0)
    assert (len(table.connections), crowd.clients) == (1, 2)
    assert table.yields_until > 0


def test_accept__a_worker_for_pages_leaves_it_to_those_for_calls(table: Table) -> None:
    table.kinds, table.kind, crowd = Kinds(), Kind.PAGES, Crowd(3)
    table.kinds.shares[Kind.CALLS].note(1, 900)
    table.accept(crowd, 0)
    assert not table.connections
    table.kinds.shares[Kind.CALLS].leave(1)
    table.accept(crowd, 0)
    assert len(table.connections) == 3


def test_send__rest_goes_when_the_client_reads(table: Table, pair: Pair) -> None:
    (ours, theirs), size = pair, 5_000_000
    connection = enter(table, ours, b"")
    connection.keeps = True
    connection.sendall(b"x" * size)
    table.send(connection)
    assert connection.state is State.WRITING
    taken = 0
    while taken < size:
        taken += len(theirs.recv(size))
        for descriptor, _ in table.poll.poll(0):
            table.proceed_with(descriptor)
    assert (taken, connection.state, connection.served) == (size, State.IDLE, 1)


def test_overdue__what_a_thread_has_is_left_alone(table: Table) -> None:
    ended = [table.add("10.0.0.1", state, 1) for state in State if state is not State.BUSY]
    busy = table.add("10.0.0.1", State.BUSY, 1)
    future = table.add("10.0.0.1", State.HEAD, 1e12)
    table.close_overdue()
    assert table.closed == ended
    assert {connection.sock.fileno() for connection in ended} == {-1}
    assert list(table.connections.values()) == [busy, future]


def test_waiting__for_a_thread_too_long_ends_without_an_answer(
    table: Table, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    answered: list[Connection] = []
    monkeypatch.setattr(table, "answer", lambda asked, _: answered.append(asked))
    connection = enter(table, ours, GET)
    connection.keeps = True
    table.look(connection)
    take_next(table)
    assert answered == [connection]
    connection.received += GET
    table.look(connection)
    connection.deadline -= QUEUE_SECONDS + 1
    take_next(table)
    assert answered == [connection]
    assert theirs.recv(10) == b""
    assert connection.state is State.LINGERING


def test_descriptor__that_is_another_connections_is_left_alone(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread goes on with a connection that the loop has just closed to make room."""
    changed: list[int] = []
    monkeypatch.setattr(
        table, "poll", SimpleNamespace(modify=lambda descriptor, _: changed.append(descriptor))
    )
    old = table.add("10.0.0.1", State.WRITING, 1)
    descriptor = old.sock.fileno()
    table.wait(old, State.IDLE)
    assert changed == [descriptor]
    table.connections[descriptor] = Connection(old.sock, ("10.0.0.1", 1), ("", 80), Config(), "10.0.0.1")
    table.wait(old, State.IDLE)
    assert changed == [descriptor]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.1", None),
        ("::ffff:192.0.2.77", None),
        ("2001:db8:9::1", None),
    ],
)
def test_address__is_counted_as(address: str, counted: str | None) -> None:
    assert counted_as(address, ("192.0.2.0/24", "2001:db8:9::/48")) == counted


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "connections"),
    [
        (1024, 4096, 1256, 1000),
        (1024, resource.RLIM_INFINITY, 1256, 1000),
        (1024, 1100, 1100, 844),
        (200, 256, 256, 16),
        (1256, 4096, None, 1000),
        (2000, 4096, None, 1000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1000),
    ],
)
def test_files__are_allowed_for_all_connections(
    soft: int, hard: int, allowed: int | None, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for 256 others; where that is not allowed, there are fewer connections."""
    changed: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changed.append(limits))
    assert allow_files(1000) == connections
    assert changed == ([(allowed, hard)] if allowed else [])
