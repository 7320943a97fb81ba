"""Clients that hold on to what they have: half a request, an unread answer, a side they do not close.

Each shape opens its connections and returns them as they are; they are to do no harm to other callers.
"""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from urllib.parse import urlsplit

Place = tuple[str, int]
Connect = Callable[[], socket.socket]

# Failed authentications are counted by address: nobody else calls from these.
SOURCE, OTHER_SOURCE = "127.0.0.33", "127.0.0.34"

HOST = b"Host: 127.0.0.1\r\n"
JSON = b"Content-Type: application/json\r\n"
CALL = b"POST /wallet/withdraw HTTP/1.1\r\n" + HOST + JSON
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST
# A page that no socket's buffers take whole.
LONG_PAGE = b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST
BIG = json.dumps({"x": "x" * 200_000}).encode()


def silent(connect: Connect) -> None:
    connect()


def half_a_line(connect: Connect) -> None:
    connect().sendall(b"POST /wallet/wi")


def half_a_head(connect: Connect) -> None:
    connect().sendall(CALL)


def half_a_body(connect: Connect) -> None:
    connect().sendall(CALL + b'Content-Length: 500\r\n\r\n{"token"')


def half_a_chunk(connect: Connect) -> None:
    connect().sendall(CALL + b"Transfer-Encoding: chunked\r\n\r\n1f\r\nabc")


def no_last_chunk(connect: Connect) -> None:
    connect().sendall(CALL + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")


def waiting_to_be_asked(connect: Connect) -> None:
    connect().sendall(CALL + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n")


def half_a_second_call(connect: Connect) -> None:
    connect().sendall(HEALTH + b"\r\n" + CALL)


def never_closing(connect: Connect) -> None:
    connect().sendall(HEALTH + b"Connection: close\r\n\r\n")


def never_closing_after_an_error(connect: Connect) -> None:
    connect().sendall(b"GET / HTTP/9.9\r\n\r\n")


def kept_open(connect: Connect) -> None:
    connect().sendall(HEALTH + b"\r\n")


def half_closed(connect: Connect) -> None:
    connection = connect()
    connection.sendall(CALL)
    connection.shutdown(socket.SHUT_WR)


def never_reading(connect: Connect) -> None:
    connect().sendall(LONG_PAGE + b"\r\n")


def never_reading_many(connect: Connect) -> None:
    """Pipelined requests; none of their answers is read."""
    connect().sendall((HEALTH + b"\r\n") * 100)


def big_body(connect: Connect) -> None:
    """A body over every limit, of which only a part comes."""
    connect().sendall(CALL + b"Content-Length: 20000000\r\n\r\n" + BIG)


def whole_big_body(connect: Connect) -> None:
    connect().sendall(CALL + b"Content-Length: %d\r\n\r\n" % len(BIG) + BIG)


def gone(connect: Connect) -> None:
    """Asks, and resets the connection before the answer."""
    connection = connect()
    connection.sendall(HEALTH + b"\r\n")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@cache
def hello() -> bytes:
    """The first bytes of a TLS client."""
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def tls_hello(connect: Connect) -> None:
    """Speaks TLS to a port that does not."""
    connect().sendall(hello())


# How many connections of each shape, and whether they come from the address of the calls beside them.
SHAPES: dict[Callable[[Connect], None], int] = {
    silent: 2000,
    half_a_line: 100,
    half_a_head: 100,
    half_a_body: 100,
    half_a_chunk: 100,
    no_last_chunk: 100,
    waiting_to_be_asked: 100,
    half_a_second_call: 100,
    never_closing: 100,
    never_closing_after_an_error: 100,
    kept_open: 500,
    half_closed: 100,
    never_reading: 100,
    never_reading_many: 100,
    big_body: 50,
    whole_big_body: 50,
    gone: 200,
    tls_hello: 100,
}
# A byte at a time, for as long as it is taken.
DRIPS = {
    "dripping_head": CALL + b"X-Long: ",
    "dripping_body": CALL + b"Content-Length: 5000\r\n\r\n",
    "dripping_chunks": CALL + b"Transfer-Encoding: chunked\r\n\r\n",
}
DRIPPING = 100


def place_of(url: str) -> Place:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def connect_to(url: str, source: str, seconds: float = 20) -> socket.socket:
    return socket.create_connection(place_of(url), seconds, source_address=(source, 0))


@contextmanager
def held(
    url: str, shape: Callable[[Connect], None], count: int, source: str = SOURCE
) -> Iterator[list[socket.socket]]:
    """So many connections of that shape, until the block ends."""
    with ExitStack() as stack:
        opened: list[socket.socket] = []

        def connect() -> socket.socket:
            connection = stack.enter_context(connect_to(url, source, 10))
            connection.settimeout(2)
            opened.append(connection)
            return connection

        for _ in range(count):
            # A server that closes what is too much is right.
            with suppress(OSError):
                shape(connect)
        yield opened


@contextmanager
def dripping(url: str, first: bytes, count: int = DRIPPING) -> Iterator[list[socket.socket]]:
    """So many connections that go on a byte at a time, until the block ends."""
    is_over = threading.Event()
    with held(url, lambda connect: connect().sendall(first), count) as connections:

        def drip() -> None:
            while not is_over.wait(0.1):
                for connection in connections:
                    with suppress(OSError):
                        connection.send(b"1")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield connections
        finally:
            is_over.set()
            thread.join()


def is_open(connection: socket.socket) -> bool:
    """Whether the server still holds its side; what it has sent is read."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def open_after(connections: list[socket.socket], seconds: float) -> int:
    """How many connections the server still holds, looked at until none is left or the time is over."""
    deadline = time.monotonic() + seconds
    while (left := sum(map(is_open, connections))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
