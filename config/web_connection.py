"""One client's connection: what has arrived, whether that is a whole request, and what is still to be sent.

Nothing waits here: the loop of config.web_worker says when bytes have come, and when some can go.
Like config/gunicorn.py this imports nothing of the project.
"""

import enum
import re
import socket
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader
from gunicorn.http.wsgi import create

from config.web_answers import Answer
from config.web_requests import PlainRequest, PlainRequests

# Bytes. The API's bodies end at 64 KiB (contract 1.1), and nginx lets 256 KiB through (deploy/nginx.conf).
HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 256 * 1024
# What a client may still send after the last answer, so that it gets to reading it.
DRAIN_LIMIT = 8 * 1024 * 1024
READ_SIZE = 64 * 1024
CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]+")
CHUNK_LINE_LIMIT = 8190


@enum.unique
class State(enum.IntEnum):
    """What a connection is doing. If there are too many, the ones of the lowest state are closed first."""

    LINGERING = 0  # Answered for the last time; the client has not closed its side.
    HEAD = 1
    BODY = 2
    IDLE = 3  # Kept open between two requests.
    WRITING = 4
    BUSY = 5  # A thread has it; the loop leaves it alone.


class Incomplete(OSError):
    """What is asked for has not arrived."""


class Arrived(Unreader):  # type: ignore[misc]
    """Lets gunicorn's parser read what has arrived, and no further."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.buf.write(data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        raise Incomplete("the request goes on")

    def add(self, data: bytes | bytearray) -> None:
        """Only when all that it held has been taken."""
        self.buf.write(data)


class ChunkScan:
    """Looks for the end of a chunked body whose bytes come in pieces.

    Only whether the end is there: whether the chunks are right is for gunicorn's parser to say, so whatever
    looks wrong counts as an end.
    """

    def __init__(self) -> None:
        self.at = 0

    def finds_end(self, data: bytearray) -> bool:
        """Whether `data`, the body from its first byte on, holds the last chunk and the trailer."""
        while (end := data.find(b"\r\n", self.at)) >= 0:
            size = data[self.at : end].partition(b";")[0].rstrip(b" \t")
            if not CHUNK_SIZE.fullmatch(size):
                return True
            if not int(size, 16):
                return data.find(b"\r\n\r\n", end) >= 0
            self.at = end + 2 + int(size, 16) + 2
        return len(data) - self.at > CHUNK_LINE_LIMIT


class Connection:
    """A client's socket, which never blocks. gunicorn's Response writes to it as to any socket."""

    def __init__(self, sock: socket.socket, client: Any, server: Any, cfg: Any, address: str | None) -> None:
        self.sock, self.client, self.server, self.cfg = sock, client, server, cfg
        # What the connection is counted under; None if it is not.
        self.address = address
        self.state = State.HEAD
        # When the state must have ended, on the monotonic clock.
        self.deadline = 0.0
        # Whether the connection goes on after the answer.
        self.keeps = False
        self.request: Any = None
        self.is_whole = False
        # Whether it was handed over for this request, and goes to no other worker with it.
        self.is_settled = False
        self.served = 0
        self.drained = 0
        self.received = bytearray()
        self.unsent = bytearray()
        self.chunks = ChunkScan()
        self.plain = PlainRequests(cfg, client, server)

    def receive(self) -> bool:
        """Takes what has arrived; False if the client has closed its side."""
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            return True
        self.received += data
        return bool(data)

    def has_request(self) -> bool:
        """Whether there is a request to be answered: a whole one, or one whose body is too long to be read.

        Raises what gunicorn's parser raises about a wrong one.
        """
        if self.request is None:
            if not self.received:
                return False
            self.request = self.plain.read(self.received) or self.parse_head()
            if self.request is None:
                return False
        if isinstance(self.request, PlainRequest):
            self.is_whole = len(self.received) >= self.request.length
            return self.is_whole
        self.is_whole = self.has_body()
        if self.is_whole or self.body_is_too_long():
            return True
        self.answer_expectation()
        return False

    def parse_head(self) -> Any:
        """What gunicorn's parser makes of what has arrived; None if the head is not whole."""
        arrived = Arrived(bytes(self.received))
        try:
            request = Request(self.cfg, arrived, self.client, self.served + 1)
        except Incomplete:
            if len(self.received) > HEAD_LIMIT:
                raise LimitRequestHeaders("max buffer headers") from None
            return None
        self.received = bytearray(arrived.take_buffered())
        self.chunks = ChunkScan()
        return request

    def has_body(self) -> bool:
        reader = self.request.body.reader
        if isinstance(reader, LengthReader):
            return bool(len(self.received) >= reader.length)
        return self.chunks.finds_end(self.received)

    def body_is_too_long(self) -> bool:
        reader = self.request.body.reader
        announced = reader.length if isinstance(reader, LengthReader) else 0
        return max(announced, len(self.received)) > BODY_LIMIT

    def answer_expectation(self) -> None:
        """Tells a client that waits for it to send the body (Expect: 100-continue)."""
        if self.request._expected_100_continue:  # noqa: SLF001 (gunicorn has no other name for it)
            self.request._expected_100_continue = False  # noqa: SLF001
            self.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.flush()

    def take_request(self) -> Any:
        """The request, with its body to be read from memory; what follows it stays for the next one.

        Raises what gunicorn's parser raises about a wrong body.
        """
        request = self.request
        if isinstance(request, PlainRequest):
            request.take_body(self.received)
            return request
        request._expected_100_continue = False  # noqa: SLF001
        request.unreader.add(self.received)
        self.received = bytearray()
        if not self.is_whole:
            # Reading past what has arrived raises Incomplete.
            request.force_close()
            return request
        content = request.body.read()
        request.body = Body(LengthReader(Arrived(content), len(content)))
        self.received = bytearray(request.unreader.take_buffered())
        return request

    def open_answer(self, request: Any) -> tuple[Any, dict[str, Any]]:
        """What the application is called with: an Answer, which comes to `unsent`, and the environ."""
        if isinstance(request, PlainRequest):
            answer, environ = Answer(request, self, self.cfg), request.environ
        else:
            answer, environ = create(request, self, self.client, self.server, self.cfg, Answer)
        return answer, environ | {"gunicorn.socket": self, "wsgi.multithread": True}

    def end_request(self) -> None:
        self.request = None
        self.is_settled = False
        self.served += 1

    def sendall(self, data: bytes) -> None:
        """Keeps the bytes for `flush`."""
        self.unsent += data

    def gettimeout(self) -> float:
        """As gunicorn asks before it writes an error: this never blocks."""
        return 0.0

    def flush(self) -> bool:
        """Sends what the client takes; whether that was everything. Raises OSError if the client has gone."""
        while self.unsent:
            try:
                sent = self.sock.send(self.unsent)
            except BlockingIOError:
                return False
            del self.unsent[:sent]
        return True

    def drain(self) -> bool:
        """Drops what still comes; whether there can be more."""
        try:
            dropped = len(self.sock.recv(READ_SIZE))
        except BlockingIOError:
            return True
        self.drained += dropped
        return dropped > 0 and self.drained < DRAIN_LIMIT
