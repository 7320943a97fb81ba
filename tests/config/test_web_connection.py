"""What of a connection's bytes is a request (config.web_connection), and which connections end first."""

import logging
import queue
import select
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidChunkSize, LimitRequestHeaders

from config.web_connection import BODY_LIMIT, HEAD_LIMIT, ChunkScan, Connection, Incomplete, State
from config.web_kinds import Kind, Kinds
from config.web_table import MOST_ACCEPTED, SECONDS, counted_as
from config.web_worker import QUEUE_SECONDS, Worker
from tests.config.test_web_kinds import ends

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /wallet/withdraw HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Late: 0\r\n\r\n"
)


@pytest.fixture(params=["plain", "gunicorn"])
def peer(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """The other side of a connection on which plain requests are read as such, or by gunicorn's parser."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(2)
        peers[theirs] = Connection(ours, ("10.0.0.1", 5000), ("10.0.0.2", 80), Config(), "10.0.0.1")
        peers[theirs].plain.is_possible = request.param == "plain"
        yield theirs
        del peers[theirs]


peers: dict[socket.socket, Connection] = {}


def given(peer: socket.socket, data: bytes) -> Connection:
    """The connection, after it has received `data`."""
    connection = peers[peer]
    for at in range(0, len(data), 32 * 1024):
        peer.sendall(data[at : at + 32 * 1024])
        assert connection.receive()
    return connection


def taken(connection: Connection) -> tuple[str, bytes]:
    request = connection.take_request()
    body: bytes = request.body.read()
    connection.end_request()
    return request.method, body


@pytest.mark.parametrize("request_bytes", [GET, POST, CHUNKED, b"\r\n" + GET])
def test_request__is_whole_with_its_last_byte(request_bytes: bytes, peer: socket.socket) -> None:
    for at, byte in enumerate(request_bytes, start=1):
        assert given(peer, bytes([byte])).has_request() == (at == len(request_bytes))
    method, body = taken(peers[peer])
    assert (method, body) == (("POST", b"hello") if b"POST" in request_bytes else ("GET", b""))
    assert not peers[peer].has_request()


def test_request__the_next_one_begins_where_it_ends(peer: socket.socket) -> None:
    connection = given(peer, POST + CHUNKED + GET + POST[:-1])
    for expected in (("POST", b"hello"), ("POST", b"hello"), ("GET", b"")):
        assert connection.has_request()
        assert taken(connection) == expected
    assert not connection.has_request()
    assert given(peer, b"!").has_request()
    assert taken(connection) == ("POST", b"hell!")


def test_request__a_long_body_is_not_waited_for(peer: socket.socket) -> None:
    connection = given(peer, POST.replace(b"5\r\n", b"%d\r\n" % (BODY_LIMIT + 1)))
    assert connection.has_request()
    request = connection.take_request()
    assert request.should_close()
    with pytest.raises(Incomplete):
        request.body.read(1)


def test_request__a_body_at_the_limit_is_whole(peer: socket.socket) -> None:
    head = POST[:-5].replace(b"5\r\n", b"%d\r\n" % BODY_LIMIT)
    assert not given(peer, head + b"x" * (BODY_LIMIT - 1)).has_request()
    assert given(peer, b"x").has_request()
    assert taken(peers[peer]) == ("POST", b"x" * BODY_LIMIT)


def test_request__chunks_without_end_are_not_waited_for(peer: socket.socket) -> None:
    head, _, _ = CHUNKED.partition(b"\r\n\r\n")
    connection = given(peer, head + b"\r\n\r\n" + b"1\r\na\r\n" * (BODY_LIMIT // 6 + 1))
    assert connection.has_request()
    assert connection.take_request().should_close()


def test_request__a_head_has_an_end(peer: socket.socket) -> None:
    connection = given(peer, GET[:-2] + b"X: a\r\n" * 99 + b"Y: " + b"y" * HEAD_LIMIT)
    with pytest.raises(LimitRequestHeaders):
        connection.has_request()


@pytest.mark.parametrize("chunks", [b"-5\r\n", b"0x5\r\n", b"1_0\r\n", b"\r\n", b"g\r\n", b"5" * 9000])
def test_chunks__that_are_wrong_are_not_waited_for(chunks: bytes, peer: socket.socket) -> None:
    assert ChunkScan().finds_end(bytearray(chunks))
    connection = given(peer, CHUNKED.partition(b"3;")[0] + chunks)
    assert connection.has_request()
    with pytest.raises(InvalidChunkSize):
        connection.take_request()


def test_expectation__is_met_once(peer: socket.socket) -> None:
    head = POST[:-7] + b"Expect: 100-continue\r\n\r\n"
    assert not given(peer, head).has_request()
    assert not given(peer, b"hell").has_request()
    assert given(peer, b"o").has_request()
    assert peer.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    peers[peer].sendall(b"!")
    assert peers[peer].flush()
    assert peer.recv(4096) == b"!"


def test_answer__what_the_client_does_not_take_is_kept(peer: socket.socket) -> None:
    connection = peers[peer]
    connection.sendall(b"x" * 10_000_000)
    assert not connection.flush()
    taken = 0
    while not connection.flush():
        taken += len(peer.recv(1_000_000))
    assert taken + len(peer.recv(10_000_000, socket.MSG_WAITALL)) == 10_000_000


# --- The table of connections ---


class Table(Worker):
    """A worker's connections, without its process."""

    def __init__(self) -> None:
        self.connections, self.counts = {}, Counter()
        self.closed: list[Connection] = []
        self.descriptors, self.poll, self.waiting = threading.Lock(), select.epoll(), queue.SimpleQueue()
        self.seconds = SECONDS | {State.IDLE: 75.0}
        self.log = logging.getLogger()
        self.most_connections, self.connections_per_address = 5, 3
        self.cfg, self.sockets = Config(), list[Any]()
        self.yields_until = self.takes_until = 0.0

    def close(self, connection: Any, *, goes_on: bool = False) -> None:
        super().close(connection, goes_on=goes_on)
        self.closed.append(connection)

    def add(self, address: str, state: State, deadline: float) -> Connection:
        connection = Connection(socket.socket(), (address, 1), ("", 80), Config(), address)
        connection.state, connection.deadline = state, deadline
        self.connections[connection.sock.fileno()] = connection
        self.counts[address] += 1
        return connection


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    for connection in list(table.connections.values()):
        table.close(connection)
    assert not table.counts
    for end in ends(table.kinds) if table.kinds else []:
        end.close()


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


@pytest.fixture
def kinds(table: Table) -> Kinds:
    """The table's worker is for calls, and there is one for pages."""
    table.kinds, table.call_paths, table.loop_paths = Kinds(), (b"/wallet/",), ("/wallet/",)
    table.kinds.shares[Kind.PAGES].note(1, 0)
    table.alive = True
    return table.kinds


def enter(table: Table, sock: socket.socket, received: bytes) -> Connection:
    connection = table.admit(sock, ("10.0.0.1", 1), ("", 80))
    assert connection
    connection.received += received
    return connection


def test_page__is_handed_over_with_what_has_arrived(table: Table, kinds: Kinds) -> None:
    ours, theirs = socket.socketpair()
    table.look(enter(table, ours, GET))
    assert table.connections == {}
    assert table.waiting.empty()
    given = kinds.take_over(Kind.PAGES)
    assert given
    assert given[1] == GET
    given[0].sendall(b"answer")
    assert theirs.recv(10) == b"answer"
    # The loop watches it no more.
    theirs.sendall(b"more")
    assert table.poll.poll(0) == []
    theirs.close()
    given[0].close()


def test_page__stays_where_no_other_worker_serves_or_this_one_ends(table: Table, kinds: Kinds) -> None:
    for alive, present in ((True, False), (False, True)):
        table.alive = alive
        kinds.shares[Kind.PAGES].leave(1)
        if present:
            kinds.shares[Kind.PAGES].note(1, 0)
        connection = enter(table, socket.socket(), GET)
        table.look(connection)
        assert table.waiting.get(timeout=1) is connection
    assert kinds.take_over(Kind.PAGES) is None


def test_connection__that_was_handed_over_goes_on(table: Table, kinds: Kinds) -> None:
    table.kind = Kind.PAGES
    ours, theirs = socket.socketpair()
    kinds.shares[Kind.PAGES].note(1, 0)
    assert kinds.hand_over(Kind.PAGES, ours, GET)
    table.take_over(0)
    (connection,) = table.connections.values()
    assert table.waiting.get(timeout=1) is connection
    # Nothing more has come.
    table.take_over(0)
    assert len(table.connections) == 1
    # While a thread has it, the loop is told of nothing that comes.
    theirs.sendall(b"more")
    assert table.poll.poll(0) == []
    table.wait(connection, State.IDLE)
    assert len(table.poll.poll(1)) == 1
    ours.close()
    theirs.close()


class LatePoll:
    """A poll in which a thread wants to give a connection back at the very moment when it goes."""

    def __init__(self, table: Table, connection: Connection) -> None:
        self.table, self.connection, self.poll = table, connection, table.poll
        self.problems: list[BaseException] = []
        self.thread = threading.Thread(target=self.give_back)

    def give_back(self) -> None:
        try:
            self.table.wait(self.connection, State.IDLE)
        except OSError as problem:
            self.problems.append(problem)

    def unregister(self, descriptor: int) -> None:
        self.poll.unregister(descriptor)
        self.thread.start()
        self.thread.join(0.2)

    def modify(self, *what: Any) -> None:
        self.poll.modify(*what)


def test_page__that_goes_is_given_back_by_no_thread(table: Table, kinds: Kinds) -> None:
    ours, theirs = socket.socketpair()
    connection = enter(table, ours, GET)
    late: Any = LatePoll(table, connection)
    table.poll = late
    assert table.hands_over(connection)
    late.thread.join()
    assert late.problems == []
    table.poll = late.poll
    given = kinds.take_over(Kind.PAGES)
    assert given
    given[0].close()
    theirs.close()


def test_overdue__what_a_thread_has_is_left_alone(table: Table) -> None:
    ended = [table.add("10.0.0.1", state, 1) for state in State if state is not State.BUSY]
    busy = table.add("10.0.0.1", State.BUSY, 1)
    future = table.add("10.0.0.1", State.HEAD, 1e12)
    table.close_overdue()
    assert table.closed == ended
    assert list(table.connections.values()) == [busy, future]


def test_waiting__for_a_thread_too_long_ends_without_an_answer(
    table: Table, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[Connection] = []
    monkeypatch.setattr(table, "answer", answered.append)
    connection = given(peer, GET)
    connection.keeps = True
    table.look(connection)
    table.take(table.waiting.get())
    assert answered == [connection]
    table.look(given(peer, GET))
    connection.deadline -= QUEUE_SECONDS + 1
    table.take(table.waiting.get())
    assert answered == [connection]
    assert peer.recv(10) == b""
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
