"""A load generator that costs little enough not to be what is measured:
one loop over raw sockets, every answer checked.
"""

import gc
import re
import resource
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CONNECTION_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
# How long the last answers may take once no more requests are sent, in seconds.
PATIENCE_SECONDS = 10.0
# After so many errors the run is void anyway, and a dead server must not be asked a million times.
MOST_ERRORS = 100
# Files beside the connections.
OTHER_FILES = 64


class Exchange(NamedTuple):
    """A request, and the bytes that its answer must contain (the echoed id)."""

    request: bytes
    expected: bytes


@dataclass
class Result:
    """What one run showed. Errors and `all_answers` are counted over the warm-up too;
    the rest is of the measured time alone.
    """

    seconds: float = 0.0
    answers: int = 0
    all_answers: int = 0
    errors: int = 0
    examples: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    latencies_ns: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds if self.seconds else 0.0

    def latency_ms(self, share: float) -> float:
        """The time in which `share` (0 to 1) of the answers came, in milliseconds."""
        ordered = sorted(self.latencies_ns)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6 if ordered else 0.0

    def fail(self, example: str) -> None:
        self.errors += 1
        if len(self.examples) < 5:
            self.examples.append(example)


class Line:
    """One connection with at most one request under way."""

    __slots__ = ("began_ns", "exchange", "received", "socket")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.exchange = Exchange(b"", b"")
        self.began_ns = 0
        self.received = b""


class Load:
    """Sends requests of `work` over `connections` connections to one address, a new one as soon as the last
    is answered. With `under_way` only so many wait for an answer at a time: the connections take turns.
    """

    def __init__(
        self,
        address: tuple[str, int],
        connections: int,
        work: Callable[[], Iterator[Exchange]],
        *,
        under_way: int | None = None,
    ) -> None:
        allow_files(connections + OTHER_FILES)
        self.address = address
        self.under_way = under_way or connections
        self.poll = select.epoll()
        self.resting: deque[Line] = deque()
        self.lines: dict[int, Line] = {}
        self.sources = {Line(): work() for _ in range(connections)}
        self.result = Result()
        self.count_from_ns = 0
        self.count_until_ns = 0

    def run(self, seconds: float, *, warm_up: float = 0.0) -> Result:
        """Runs for `warm_up` seconds that are not counted, then for `seconds` that are."""
        self.result = Result(seconds=seconds)
        self.count_from_ns = time.perf_counter_ns() + int(warm_up * 1e9)
        self.count_until_ns = self.count_from_ns + int(seconds * 1e9)
        gc.disable()
        began = time.process_time()
        try:
            self.begin()
            self.drive()
            for line in self.lines.values():
                self.result.fail(
                    f"no answer within {PATIENCE_SECONDS:.0f} s to {line.exchange.request[:60]!r}"
                )
            if seconds and not self.result.answers and not self.result.errors:
                self.result.fail("not one answer within the measured time")
        finally:
            gc.enable()
            for line in self.sources:
                self.disconnect(line)
            self.poll.close()
        self.result.cpu_seconds = (time.process_time() - began) * seconds / (seconds + warm_up)
        return self.result

    def begin(self) -> None:
        """Sends the first requests; the connections beyond are there, too, and rest."""
        for number, line in enumerate(self.sources):
            if number < self.under_way:
                self.send_next(line)
                continue
            try:
                self.connect(line)
            except OSError as problem:
                self.result.fail(f"cannot connect: {problem}")
            self.resting.append(line)

    def drive(self) -> None:
        """Until the time is over and every request under way is answered."""
        deadline_ns = self.count_until_ns + int(PATIENCE_SECONDS * 1e9)
        poll, lines, receive = self.poll.poll, self.lines, self.receive
        while lines and time.perf_counter_ns() < deadline_ns:
            for descriptor, _ in poll(1.0):
                if line := lines.get(descriptor):
                    receive(line)

    def send_next(self, line: Line) -> None:
        """Sends the next request, over a new connection where the server has closed the last one."""
        line.exchange = next(self.sources[line])
        line.received = b""
        line.began_ns = time.perf_counter_ns()
        while line.began_ns < self.count_until_ns and self.result.errors < MOST_ERRORS:
            try:
                if line.socket is None:
                    self.connect(line)
                assert line.socket is not None
                line.socket.sendall(line.exchange.request)
            except OSError as problem:
                self.result.fail(f"cannot send: {problem}")
                self.disconnect(line)
            else:
                return
        self.disconnect(line)
        while self.resting:
            self.disconnect(self.resting.popleft())

    def receive(self, line: Line) -> None:
        """Takes what has arrived; a complete answer is checked, and the next request goes out."""
        assert line.socket is not None
        try:
            part = line.socket.recv(65536)
        except OSError as problem:
            part, reason = b"", str(problem)
        else:
            reason = "closed without a complete answer"
        if not part:
            self.result.fail(f"{reason}; got {line.received[:200]!r}")
            self.disconnect(line)
            if line not in self.resting:
                self.send_next(line)
            return
        received = line.received = line.received + part if line.received else part
        end = received.find(b"\r\n\r\n")
        if end < 0 or not is_complete(received, end):
            return
        now = time.perf_counter_ns()
        if not is_right(received, end, line.exchange.expected):
            self.result.fail(received[:400].decode(errors="replace"))
        else:
            self.result.all_answers += 1
            if self.count_from_ns <= now < self.count_until_ns:
                self.result.answers += 1
                self.result.latencies_ns.append(now - line.began_ns)
        if CONNECTION_CLOSE.search(received, 0, end):
            self.disconnect(line)
        self.send_next(self.rest(line))

    def rest(self, line: Line) -> Line:
        """The connection whose turn it is after `line`: itself, if none rest."""
        if not self.resting:
            return line
        self.resting.append(line)
        return self.resting.popleft()

    def connect(self, line: Line) -> None:
        line.socket = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines[line.socket.fileno()] = line
        self.poll.register(line.socket, select.EPOLLIN)

    def disconnect(self, line: Line) -> None:
        if line.socket is not None:
            self.poll.unregister(line.socket)
            del self.lines[line.socket.fileno()]
            line.socket.close()
            line.socket = None


def is_complete(answer: bytes, end_of_head: int) -> bool:
    """Whether all of the body has arrived: as much as was said, or else (chunked) the empty last chunk."""
    length = CONTENT_LENGTH.search(answer, 0, end_of_head)
    return len(answer) >= end_of_head + 4 + int(length[1]) if length else answer.endswith(b"\r\n0\r\n\r\n")


def is_right(answer: bytes, end_of_head: int, expected: bytes) -> bool:
    """Whether an answer says yes, to the request that was sent: a refusal is HTTP 200 with an error code."""
    return (
        answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 "))
        and b'"errorCode"' not in answer
        and answer.find(expected, end_of_head) >= 0
    )


def allow_files(count: int) -> None:
    """Has this process open so many files, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
