"""A load that does not wait for the server: each request has its time, and its latency counts from then on.

Games open transactions at a fixed pace, and settle each a moment after it was opened. What is answered with
503 is counted beside what is answered with success; all else is an error.
"""

import gc
import os
import random
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.load import CONNECTION_CLOSE, OTHER_FILES, allow_files, is_complete, is_right
from benchmarks.traffic import CONFIRMATION, TOKENS, WITHDRAWAL, Login, head

# Requests under way; more than that wait here, and their time runs.
MOST_CONNECTIONS = 1500
# How long after its opening a transaction is settled.
PLAY_SECONDS = 1.0
# How long the last answers may take.
PATIENCE_SECONDS = 15.0
# After so many the run is void anyway.
MOST_ERRORS = 100
# Every so many transactions are deposits.
DEPOSITS = 4
REFUSED = b"HTTP/1.1 503 "
RETRY_AFTER = b"\r\nRetry-After: "
# Latencies are counted by tenths of a millisecond, up to 20 seconds.
STEP_NS, STEPS = 100_000, 200_000


class Latencies:
    """How long answers took, in room that does not grow with their number."""

    def __init__(self) -> None:
        self.counts = array("Q", bytes(8 * STEPS))
        self.count = 0
        self.longest_ns = 0

    def add(self, took_ns: int) -> None:
        self.counts[min(took_ns // STEP_NS, STEPS - 1)] += 1
        self.count += 1
        if took_ns > self.longest_ns:
            self.longest_ns = took_ns

    def ms(self, share: float) -> float:
        """The time in which `share` (0 to 1) of the answers came, in milliseconds."""
        wanted, seen = share * self.count, 0
        for step, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return min((step + 1) * STEP_NS, self.longest_ns) / 1e6
        return 0.0

    @property
    def longest_ms(self) -> float:
        return self.longest_ns / 1e6


@dataclass
class Kind:
    """What became of the calls of one kind."""

    sent: int = 0
    answered: Latencies = field(default_factory=Latencies)
    refused: Latencies = field(default_factory=Latencies)


@dataclass
class Outcome:
    """What one run showed; `seconds` is how long requests were sent."""

    seconds: float
    openings: Kind = field(default_factory=Kind)
    settlings: Kind = field(default_factory=Kind)
    errors: int = 0
    # Requests that were sent again, as the server had closed the connection before it saw them.
    reconnected: int = 0
    examples: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    # Transactions that were refused, by their ids: none of them may be there.
    refused_ids: list[bytes] = field(default_factory=list)
    # When an answer took longer than a second: seconds since the beginning, and for how long.
    slow: list[tuple[float, float]] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return self.openings.answered.count + self.settlings.answered.count

    @property
    def refused(self) -> int:
        return self.openings.refused.count + self.settlings.refused.count

    @property
    def rate(self) -> float:
        """Successful answers per second."""
        return self.answered / self.seconds

    @property
    def all_answered(self) -> Latencies:
        """Of both kinds."""
        both = Latencies()
        parts = (self.openings.answered, self.settlings.answered)
        both.counts = array("Q", map(sum, zip(*(part.counts for part in parts), strict=True)))
        both.count = sum(part.count for part in parts)
        both.longest_ns = max(part.longest_ns for part in parts)
        return both

    def fail(self, example: str) -> None:
        self.errors += 1
        if len(self.examples) < 5:
            self.examples.append(example)


class Asked(NamedTuple):
    """A request that is due, `due_ns` on the clock of time.perf_counter_ns."""

    due_ns: int
    is_deposit: bool
    token: bytes
    id: bytes
    # Of a settling, how often it was refused before.
    refusals: int = 0


class Line:
    """A connection with at most one request under way."""

    __slots__ = ("asked", "is_opening", "received", "served", "socket")

    def __init__(self, sock: socket.socket) -> None:
        self.socket, self.received, self.served = sock, b"", 0
        self.asked, self.is_opening = Asked(0, False, b"", b""), True


class OpenLoad:
    """Has `per_second` transactions opened at one address, for so many seconds, each by one of `tokens`."""

    def __init__(
        self,
        address: tuple[str, int],
        login: Login,
        per_second: float,
        seconds: float,
        tokens: Sequence[bytes] = TOKENS,
    ) -> None:
        allow_files(MOST_CONNECTIONS + OTHER_FILES)
        self.address, self.tokens = address, tokens
        self.pause_ns, self.seconds = int(1e9 / per_second), seconds
        # All ids of a run begin alike.
        self.prefix = os.urandom(8).hex().encode()
        self.outcome = Outcome(seconds)
        self.poll = select.epoll()
        # The one that was used last goes first: the others rest, and may be closed.
        self.idle: dict[int, Line] = {}
        self.busy: dict[int, Line] = {}
        self.made = 0
        self.to_settle: deque[Asked] = deque()
        self.templates = {
            (is_opening, is_deposit): template(login, is_opening=is_opening, is_deposit=is_deposit)
            for is_opening in (True, False)
            for is_deposit in (True, False)
        }

    def run(self) -> Outcome:
        """Sends everything, and waits for the last answers."""
        gc.collect()
        gc.disable()
        began_cpu, self.began_ns = time.process_time(), time.perf_counter_ns()
        try:
            self.drive()
            for line in self.busy.values():
                self.outcome.fail(f"no answer to {line.asked}")
            if self.to_settle and not self.outcome.errors:
                self.outcome.fail(f"{len(self.to_settle)} settlings could not be sent")
        finally:
            gc.enable()
            for line in [*self.idle.values(), *self.busy.values()]:
                line.socket.close()
            self.poll.close()
        self.outcome.cpu_seconds = time.process_time() - began_cpu
        return self.outcome

    def drive(self) -> None:
        number, count = 0, int(self.seconds * 1e9 / self.pause_ns)
        due_ns = self.began_ns
        end_ns = self.began_ns + int((self.seconds + PLAY_SECONDS + PATIENCE_SECONDS) * 1e9)
        while number < count or self.to_settle or self.busy:
            now = time.perf_counter_ns()
            if now > end_ns or self.outcome.errors >= MOST_ERRORS:
                return
            # What settles goes first here, too.
            while self.to_settle and self.to_settle[0].due_ns <= now and self.can_send():
                self.send(self.to_settle.popleft(), is_opening=False)
            while number < count and due_ns <= now and self.can_send():
                id_ = b"%b-%d" % (self.prefix, 10_000_000 + number)
                self.send(
                    Asked(due_ns, number % DEPOSITS == 0, random.choice(self.tokens), id_), is_opening=True
                )
                number, due_ns = number + 1, due_ns + self.pause_ns
            next_ns = due_ns if number < count else end_ns
            if self.to_settle:
                next_ns = min(next_ns, self.to_settle[0].due_ns)
            self.receive_for(max(0.0, (next_ns - time.perf_counter_ns()) / 1e9))

    def can_send(self) -> bool:
        return bool(self.idle) or self.made < MOST_CONNECTIONS

    def receive_for(self, seconds: float) -> None:
        """Takes what arrives; waits so long for it at most, and longer if nothing can be sent."""
        for descriptor, _ in self.poll.poll(min(seconds, 0.1) if self.can_send() else 0.1):
            if line := self.busy.get(descriptor):
                self.receive(line)
            elif line := self.idle.pop(descriptor, None):
                # Nothing was asked: the server has closed it.
                self.disconnect(line)

    def send(self, asked: Asked, *, is_opening: bool) -> None:
        kind = self.outcome.openings if is_opening else self.outcome.settlings
        kind.sent += 1
        try:
            line = self.idle.popitem()[1] if self.idle else self.connect()
        except OSError as problem:
            self.outcome.fail(f"cannot connect: {problem}")
            return
        self.send_over(line, asked, is_opening=is_opening)

    def send_over(self, line: Line, asked: Asked, *, is_opening: bool) -> None:
        line.asked, line.is_opening, line.received = asked, is_opening, b""
        self.busy[line.socket.fileno()] = line
        try:
            line.socket.sendall(self.templates[is_opening, asked.is_deposit] % (asked.token, asked.id))
        except OSError as problem:
            self.lose(line, f"cannot send: {problem}")

    def connect(self) -> Line:
        sock = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(sock, select.EPOLLIN)
        self.made += 1
        return Line(sock)

    def lose(self, line: Line, why: str) -> None:
        """A connection that was kept open may be closed while the request is on its way: then it is sent
        again, as every HTTP client does and every call of the contract allows.
        """
        del self.busy[line.socket.fileno()]
        self.disconnect(line)
        if line.served and not line.received:
            self.outcome.reconnected += 1
            try:
                self.send_over(self.connect(), line.asked, is_opening=line.is_opening)
            except OSError as problem:
                self.outcome.fail(f"cannot connect: {problem}")
        else:
            self.outcome.fail(f"{why}; {line.asked} got {line.received[:200]!r}")

    def disconnect(self, line: Line) -> None:
        self.poll.unregister(line.socket)
        line.socket.close()
        self.made -= 1

    def receive(self, line: Line) -> None:
        try:
            part = line.socket.recv(65536)
        except OSError as problem:
            self.lose(line, str(problem))
            return
        if not part:
            self.lose(line, "closed without a complete answer")
            return
        received = line.received = line.received + part if line.received else part
        end = received.find(b"\r\n\r\n")
        if end < 0 or not is_complete(received, end):
            return
        del self.busy[line.socket.fileno()]
        line.served += 1
        self.judge(line, received, end)
        if CONNECTION_CLOSE.search(received, 0, end):
            self.disconnect(line)
        else:
            self.idle[line.socket.fileno()] = line

    def judge(self, line: Line, received: bytes, end: int) -> None:
        now, asked = time.perf_counter_ns(), line.asked
        kind = self.outcome.openings if line.is_opening else self.outcome.settlings
        if is_right(received, end, asked.id):
            kind.answered.add(now - asked.due_ns)
            if line.is_opening:
                self.to_settle.append(asked._replace(due_ns=now + int(PLAY_SECONDS * 1e9)))
        elif received.startswith(REFUSED) and received.find(RETRY_AFTER, 0, end) >= 0:
            kind.refused.add(now - asked.due_ns)
            if line.is_opening:
                self.outcome.refused_ids.append(asked.id)
            else:
                # As a game does, which owes an end to what it has opened.
                again = asked._replace(due_ns=now + int(PLAY_SECONDS * 1e9), refusals=asked.refusals + 1)
                self.to_settle.append(again)
        else:
            self.outcome.fail(received[:400].decode(errors="replace"))
        if now - asked.due_ns > 1_000_000_000 and len(self.outcome.slow) < 1000:
            self.outcome.slow.append(((asked.due_ns - self.began_ns) / 1e9, (now - asked.due_ns) / 1e9))


def template(login: Login, *, is_opening: bool, is_deposit: bool) -> bytes:
    """A request, with a token and an id of 25 characters to be put in."""
    what = "deposit" if is_deposit else "withdraw"
    if not is_opening:
        what = "confirmDeposit" if is_deposit else "confirmWithdrawal"
    body = WITHDRAWAL if is_opening else CONFIRMATION
    length = len(body % (TOKENS[0], b"0" * 25))
    whole = head(f"/wallet/{what}", login, body)
    said, _, _ = whole.rpartition(b"Content-Length: ")
    return said.replace(b"%", b"%%") + b"Content-Length: %d\r\n\r\n" % length + body
