"""What of a connection's bytes is a request (config.web_connection)."""

import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidChunkSize, LimitRequestHeaders

from config.web_connection import HEAD_LIMIT, ChunkScan, Connection, Incomplete, State

# nginx lets it through (deploy/nginx.conf).
BODY_LIMIT = 256 * 1024
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


def test_connection__begins_with_nothing(peer: socket.socket) -> None:
    connection = peers[peer]
    assert (connection.state, connection.served, connection.drained) == (State.HEAD, 0, 0)
    # Nothing has come, and the client is still there.
    assert connection.receive()
    assert not connection.has_request()


def test_request__the_next_one_begins_where_it_ends(peer: socket.socket) -> None:
    connection = given(peer, POST + CHUNKED + GET + POST[:-1])
    for expected in (("POST", b"hello"), ("POST", b"hello"), ("GET", b"")):
        assert connection.has_request()
        assert taken(connection) == expected
    assert connection.served == 3
    assert not connection.has_request()
    assert given(peer, b"!").has_request()
    assert taken(connection) == ("POST", b"hell!")


def test_request__chunks_of_the_next_one_are_looked_through_from_their_first(peer: socket.socket) -> None:
    assert given(peer, CHUNKED).has_request()
    assert taken(peers[peer]) == ("POST", b"hello")
    short = CHUNKED.partition(b"3;")[0] + b"1\r\n!\r\n0\r\n\r\n"
    assert not given(peer, short[:-1]).has_request()
    assert given(peer, short[-1:]).has_request()
    assert taken(peers[peer]) == ("POST", b"!")


def test_request__a_long_body_is_not_waited_for(peer: socket.socket) -> None:
    connection = given(peer, POST.replace(b"5\r\n", b"%d\r\n" % (BODY_LIMIT + 1)))
    assert connection.has_request()
    request = connection.take_request()
    assert request.should_close()
    with pytest.raises(Incomplete):
        request.body.read(1)


def test_request__what_it_has_of_a_long_body_is_held_once(peer: socket.socket) -> None:
    connection = given(peer, POST.replace(b"5\r\n", b"%d\r\n" % (BODY_LIMIT + 1)))
    assert connection.has_request()
    assert connection.take_request().unreader.take_buffered() == b"hello"
    assert not connection.received


def test_request__a_body_at_the_limit_is_whole(peer: socket.socket) -> None:
    head = POST[:-5].replace(b"5\r\n", b"%d\r\n" % BODY_LIMIT)
    assert not given(peer, head + b"x" * (BODY_LIMIT - 1)).has_request()
    assert given(peer, b"x").has_request()
    assert taken(peers[peer]) == ("POST", b"x" * BODY_LIMIT)


def test_request__chunks_may_hold_what_ends_them(peer: socket.socket) -> None:
    body = b"0\r\n\r\n" + b"x" * 11
    sent = CHUNKED.partition(b"3;")[0] + b"10\r\n" + body + b"\r\n0\r\n\r\n"
    for at, byte in enumerate(sent, start=1):
        assert given(peer, bytes([byte])).has_request() == (at == len(sent))
    assert taken(peers[peer]) == ("POST", body)


def test_request__a_long_chunk_is_waited_for(peer: socket.socket) -> None:
    sent = CHUNKED.partition(b"3;")[0] + b"4e20\r\n" + b"x" * 20_000
    assert not given(peer, sent).has_request()
    assert given(peer, b"\r\n0\r\n\r\n").has_request()
    assert taken(peers[peer]) == ("POST", b"x" * 20_000)


def test_chunks__a_line_that_may_go_on_is_waited_for() -> None:
    """As long as gunicorn's parser reads."""
    assert not ChunkScan().finds_end(bytearray(b"5" * 8190))
    assert ChunkScan().finds_end(bytearray(b"5" * 8191))


def test_request__chunks_without_end_are_not_waited_for(peer: socket.socket) -> None:
    head, _, _ = CHUNKED.partition(b"\r\n\r\n")
    connection = given(peer, head + b"\r\n\r\n" + b"1\r\na\r\n" * (BODY_LIMIT // 6 + 1))
    assert connection.has_request()
    assert connection.take_request().should_close()


def test_request__a_head_has_an_end(peer: socket.socket) -> None:
    connection = given(peer, GET[:-2] + b"X: a\r\n" * 99 + b"Y: " + b"y" * HEAD_LIMIT)
    with pytest.raises(LimitRequestHeaders):
        connection.has_request()


def test_request__a_head_of_64_kib_is_waited_for(peer: socket.socket) -> None:
    head = GET[:-2] + b"".join(b"X%02d: %s\r\n" % (number, b"a" * 993) for number in range(66))
    connection = given(peer, head[: 64 * 1024])
    assert connection.has_request() is False
    with pytest.raises(LimitRequestHeaders):
        given(peer, head[64 * 1024 :][:1]).has_request()


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


def test_expectation__that_is_met_already_is_not_answered(peer: socket.socket) -> None:
    connection = given(peer, POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert connection.has_request()
    _, environ = connection.open_answer(connection.take_request())
    assert connection.unsent == b""
    assert environ["wsgi.multithread"] is True


def test_drain__ends_with_the_client_or_at_its_limit(peer: socket.socket) -> None:
    connection = peers[peer]
    assert connection.drain()
    peer.sendall(b"x")
    assert connection.drain()
    connection.drained = 8 * 1024 * 1024 - 2
    peer.sendall(b"x")
    assert connection.drain()
    peer.sendall(b"x")
    assert not connection.drain()
    connection.drained = 0
    peer.shutdown(socket.SHUT_WR)
    assert not connection.drain()


def test_answer__what_the_client_does_not_take_is_kept(peer: socket.socket) -> None:
    connection = peers[peer]
    connection.sendall(b"x" * 10_000_000)
    assert not connection.flush()
    taken = 0
    while not connection.flush():
        taken += len(peer.recv(1_000_000))
    assert taken + len(peer.recv(10_000_000, socket.MSG_WAITALL)) == 10_000_000
