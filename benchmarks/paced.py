"""A load at a fixed pace: each request has its time, and what it waits counts from then on,
whether it could be sent or not.
"""

import gc
import select
import socket
import time
from collections import deque
from collections.abc import Iterable

from benchmarks.load import CONNECTION_CLOSE, PATIENCE_SECONDS, Exchange, Line, Result, is_complete

# More requests under way than this are a server that does not keep up:
# the next ones wait here, and their time runs.
MOST_CONNECTIONS = 64


class Paced:
    """Sends the requests of `work`, `per_second` of them, to one address, and checks every answer."""

    def __init__(
        self,
        address: tuple[str, int],
        work: Iterable[Exchange],
        per_second: float,
        *,
        right_status: int = 200,
    ) -> None:
        self.address = address
        self.begins_right = b"HTTP/1.1 %d " % right_status
        self.work = deque(work)
        self.pause_ns = int(1e9 / per_second)
        self.poll = select.poll()
        self.idle: list[Line] = []
        self.busy: dict[int, Line] = {}
        self.result = Result()

    def run(self, *, warm_up: int = 0) -> Result:
        """Sends all of the work; the first `warm_up` requests are not counted."""
        self.result = Result(seconds=(len(self.work) - warm_up) * self.pause_ns / 1e9)
        gc.disable()
        began = time.process_time()
        try:
            self.drive(time.perf_counter_ns(), warm_up)
        finally:
            gc.enable()
            for line in [*self.idle, *self.busy.values()]:
                if line.socket is not None:
                    line.socket.close()
        self.result.cpu_seconds = time.process_time() - began
        return self.result

    def drive(self, first_ns: int, warm_up: int) -> None:
        number, due_ns = 0, first_ns
        deadline_ns = first_ns + len(self.work) * self.pause_ns + int(PATIENCE_SECONDS * 1e9)
        while (self.work or self.busy) and (now := time.perf_counter_ns()) < deadline_ns:
            while self.work and now >= due_ns and (line := self.free_line()) is not None:
                self.send(line, self.work.popleft(), due_ns, is_counted=number >= warm_up)
                number, due_ns = number + 1, due_ns + self.pause_ns
            waiting_ms = max(0.0, (due_ns - time.perf_counter_ns()) / 1e6) if self.work else 1000
            for descriptor, _ in self.poll.poll(waiting_ms if len(self.busy) < MOST_CONNECTIONS else 1000):
                self.receive(self.busy[descriptor])
        for line in self.busy.values():
            self.result.fail(f"no answer to {line.exchange.request[:60]!r}")

    def free_line(self) -> Line | None:
        if self.idle:
            return self.idle.pop()
        return Line() if len(self.busy) < MOST_CONNECTIONS else None

    def send(self, line: Line, exchange: Exchange, due_ns: int, *, is_counted: bool) -> None:
        line.exchange, line.received, line.began_ns = exchange, b"", due_ns if is_counted else 0
        if line.socket is None:
            line.socket = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.socket.sendall(exchange.request)
        self.busy[line.socket.fileno()] = line
        self.poll.register(line.socket, select.POLLIN)

    def receive(self, line: Line) -> None:
        assert line.socket is not None
        part = line.socket.recv(65536)
        line.received += part
        end = line.received.find(b"\r\n\r\n")
        if part and (end < 0 or not is_complete(line.received, end)):
            return
        if (
            not part
            or not line.received.startswith(self.begins_right)
            or line.received.find(line.exchange.expected, end) < 0
        ):
            self.result.fail(line.received[:400].decode(errors="replace") or "closed without an answer")
        elif line.began_ns:
            self.result.answers += 1
            self.result.latencies_ns.append(time.perf_counter_ns() - line.began_ns)
        del self.busy[line.socket.fileno()]
        self.poll.unregister(line.socket)
        if not part or CONNECTION_CLOSE.search(line.received, 0, end):
            line.socket.close()
            line.socket = None
        self.idle.append(line)
