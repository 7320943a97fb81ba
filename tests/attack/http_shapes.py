"""Requests that are wrong, odd or many in one, and the statuses that answer them, one for each request.

More answers than requests would be a smuggled one; what is wrong in its framing ends the connection.
"""

import socket
import time
from typing import NamedTuple

from tests.attack.clients import CALL, HEALTH, HOST, JSON, OTHER_SOURCE, connect_to

GET = HEALTH + b"\r\n"
CHUNKED = CALL + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
# How long nothing more must come after the last answer, in seconds.
QUIET_SECONDS = 0.05
PATIENCE_SECONDS = 10.0


class Shape(NamedTuple):
    """What is sent, and the statuses of the answers; whether the connection then goes on."""

    name: str
    sent: bytes
    statuses: tuple[int, ...]
    goes_on: bool = True


def wrong(name: str, sent: bytes, status: int = 400) -> Shape:
    return Shape(name, sent, (status,), False)


def with_length(length: bytes) -> bytes:
    return CALL + b"Content-Length: " + length + b"\r\n\r\nhello"


SHAPES = [
    # Lengths
    Shape("length: exact", with_length(b"5"), (401,)),
    Shape("length: zeros before it", with_length(b"0005"), (401,)),
    Shape("length: space after it", with_length(b"5 "), (401,)),
    Shape("length: none", CALL + b"\r\n", (401,)),
    Shape("length: a body for GET", HEALTH + b"Content-Length: 5\r\n\r\nhello" + GET, (200, 200)),
    Shape("length: longer than any limit", with_length(b"9" * 30), (401,), False),
    wrong("length: negative", with_length(b"-5")),
    wrong("length: with a plus", with_length(b"+5")),
    wrong("length: hexadecimal", with_length(b"0x5")),
    wrong("length: a list", with_length(b"5, 5")),
    wrong("length: a fraction", with_length(b"5.0")),
    wrong("length: empty", with_length(b"")),
    wrong("length: a digit that is none", with_length(b"\xb2")),
    Shape("length: shorter than the body", with_length(b"2") + b"\r\n\r\n", (401, 400), False),
    # Duplicates
    wrong("duplicate: the same length", CALL + b"Content-Length: 5\r\n" * 2 + b"\r\nhello"),
    wrong("duplicate: another length", CALL + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello"),
    wrong("duplicate: Host", HEALTH + HOST + b"\r\n"),
    wrong("duplicate: Content-Type", CALL + JSON + b"\r\n"),
    wrong("duplicate: chunked", CALL + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + END),
    wrong(
        "duplicate: length and chunks",
        CALL + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    ),
    Shape("duplicate: Authorization", CALL + b"Authorization: Basic YTpi\r\n" * 2 + b"\r\n", (401,)),
    # Chunks
    Shape("chunks: two", CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n" + END, (401,)),
    Shape("chunks: extensions", CHUNKED + b'3;a=b;c="d;e"\r\nabc\r\n' + END, (401,)),
    Shape("chunks: a trailer", CHUNKED + b"3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n", (401,)),
    Shape("chunks: capitals", CALL + b"Transfer-Encoding: CHUNKED\r\n\r\n" + END, (401,)),
    Shape("chunks: tiny ones without end", CHUNKED + b"1\r\na\r\n" * 50_000, (401,), False),
    wrong("chunks: a size that is none", CHUNKED + b"x\r\nabc\r\n" + END),
    wrong("chunks: a negative size", CHUNKED + b"-3\r\nabc\r\n" + END),
    wrong("chunks: a size with 0x", CHUNKED + b"0x3\r\nabc\r\n" + END),
    wrong("chunks: a size with an underscore", CHUNKED + b"0_3\r\nabc\r\n" + END),
    wrong("chunks: a space before the size", CHUNKED + b" 3\r\nabc\r\n" + END),
    wrong("chunks: longer than their size", CHUNKED + b"2\r\nabc\r\n" + END),
    wrong("chunks: a size line without end", CHUNKED + b"3;" + b"a" * 9000),
    wrong("chunks: a length in the trailer", CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    wrong("chunks: a password in the trailer", CHUNKED + b"0\r\nAuthorization: Basic YTpi\r\n\r\n"),
    wrong("chunks: not the last coding", CALL + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + END),
    wrong("chunks: in HTTP/1.0", CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + END),
    wrong("coding: identity", CALL + b"Transfer-Encoding: identity\r\n\r\n"),
    wrong("coding: unknown", CALL + b"Transfer-Encoding: xchunked\r\n\r\n" + END, 501),
    # Folding and fields
    wrong("field: folded", HEALTH + b"X-Long: a\r\n b\r\n\r\n"),
    wrong("field: space before the colon", HEALTH + b"X-Name : a\r\n\r\n"),
    wrong("field: no colon", HEALTH + b"X-Name\r\n\r\n"),
    wrong("field: no name", HEALTH + b": a\r\n\r\n"),
    wrong("field: NUL", HEALTH + b"X-Name: a\x00b\r\n\r\n"),
    wrong("field: a lone CR", HEALTH + b"X-Name: a\rb\r\n\r\n"),
    wrong("field: lone LFs", HEALTH.replace(b"\r\n", b"\n") + b"\n"),
    wrong("field: too long", HEALTH + b"X-Long: " + b"a" * 9000 + b"\r\n\r\n", 431),
    wrong("field: too many", HEALTH + b"X: a\r\n" * 101 + b"\r\n", 431),
    wrong("expectation: unknown", HEALTH + b"Expect: a miracle\r\n\r\n", 417),
    # The request line
    wrong("line: a method in small letters", GET.replace(b"GET", b"get")),
    wrong("line: HTTP/2", GET.replace(b"HTTP/1.1", b"HTTP/2.0")),
    wrong("line: no version", b"GET /healthz\r\n" + HOST + b"\r\n"),
    wrong("line: a space in the target", GET.replace(b"/healthz", b"/heal thz")),
    wrong("line: too long", GET.replace(b"/healthz", b"/" + b"a" * 5000), 414),
    # Pipelining
    Shape("pipelined: three", GET + with_length(b"5") + GET, (200, 401, 200)),
    Shape("pipelined: a wrong one in between", GET + b"x\r\n\r\n" + GET, (200, 400), False),
    Shape("pipelined: after the last", HEALTH + b"Connection: close\r\n\r\n" + GET, (200,), False),
    Shape("pipelined: a request in a body", CALL + b"Content-Length: %d\r\n\r\n" % len(GET) + GET, (401,)),
]


def statuses(url: str, shape: Shape) -> tuple[tuple[int, ...], bool]:
    """The statuses that come, and whether the connection then still answers."""
    received, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    with connect_to(url, OTHER_SOURCE) as connection:
        connection.sendall(shape.sent)
        while time.monotonic() < deadline:
            is_last = received.count(b"HTTP/1.1 ") >= len(shape.statuses)
            connection.settimeout(QUIET_SECONDS if is_last and shape.goes_on else PATIENCE_SECONDS)
            try:
                part = connection.recv(65536)
            except TimeoutError:
                break
            if not part:
                return read_statuses(received), False
            received += part
        return read_statuses(received), asks_again(connection)


def asks_again(connection: socket.socket) -> bool:
    connection.settimeout(PATIENCE_SECONDS)
    connection.sendall(GET)
    return connection.recv(65536).startswith(b"HTTP/1.1 200")


def read_statuses(received: bytes) -> tuple[int, ...]:
    return tuple(int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:])
