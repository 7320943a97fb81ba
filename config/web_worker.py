"""The web server's worker: a loop that reads, writes and runs the wallet's calls, and threads that answer all
other requests.

A client that is silent, slow, or does not close its side costs a place in a table, never a thread: the loop
reads head and body, sends what a client does not take at once, and ends what lasts too long (SECONDS).
gunicorn's own parser decides what a request is, and its Response how an answer looks; what is plain is read
and written as they do it, but faster (config.web_requests, config.web_answers).
Like config/gunicorn.py this imports nothing of the project but the loop.
"""

import contextlib
import os
import queue
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from gunicorn import util

from config.web_admission import WAIT_SECONDS, Line, Urgency
from config.web_connection import Connection, Incomplete, State
from config.web_kinds import Kind
from config.web_shares import PATIENCE_SECONDS
from config.web_table import Table
from lib.event_loop import EventLoop

# How long a worker that ends keeps what has sent nothing yet.
ENDING_SECONDS = 2.0
# How long a whole request may wait for a thread: its caller has given up by then, and repeats it.
QUEUE_SECONDS = 20.0
# Calls that go on in the loop at once: what fills a statement of the ledger (wallet.ledger_queue.MOST_CALLS),
# and the next one meanwhile. The others wait where the urgent ones can overtake them.
MOST_UNDER_WAY = 128
# How long a thread that computes a page keeps the interpreter from the loop, which gives it away at every
# call of the system, several times for a wallet call: with Python's 5 ms, the p99 beside pages is twice as
# long (`make bench-pages`).
SWITCH_SECONDS = 0.0005


def give_way_to_calls() -> None:
    """A page takes the processor from no process that is answering a call: for the threads begun after this.

    It is no less served than others are. Where that may not be set, it is left as it is.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class Worker(Table):
    """A connection belongs to the loop while the loop waits for it, and to a thread or a call in the loop
    while it is BUSY.
    """

    # Paths that begin like this are answered in the loop: nothing behind them may block.
    loop_paths: tuple[str, ...] = ()
    # How long an opening may have to wait.
    wait_seconds = WAIT_SECONDS

    @staticmethod
    def urgency_of(path: str) -> Urgency:
        """Which place in the line a path has; without the platform there are only pages."""
        return Urgency.PAGE

    @staticmethod
    def refuse_call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers what would wait too long, instead of the application."""
        raise NotImplementedError

    @staticmethod
    def tell_waiting(counts: Sequence[int]) -> None:
        """Is told now and then how many requests wait, by their urgency."""

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            raise RuntimeError("This worker speaks no TLS: a proxy does (deploy/nginx.conf).")

    def init_process(self) -> None:
        self.loop = EventLoop()
        self.next_sweep = 0.0
        self.make_table()
        super().init_process()

    def run(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        # Without calls, all are of one kind.
        self.call_paths = tuple(path.encode() for path in self.loop_paths)
        self.kind = self.kind if self.call_paths else Kind.CALLS
        # Equal, not the same: the first process read the module before this one did.
        if self.kind == Kind.PAGES:
            give_way_to_calls()
        self.make_lines()
        for _ in range(self.cfg.threads):
            threading.Thread(target=self.answer_requests, daemon=True).start()
        if self.kinds:
            self.loop.watch(self.kinds.ways[self.kind][1].fileno(), select.EPOLLIN, self.take_over)
        self.loop.watch(self.PIPE[0], select.EPOLLIN, lambda _: os.read(self.PIPE[0], 4096))
        for listener in self.sockets:
            listener.setblocking(False)
            self.loop.watch(listener.fileno(), select.EPOLLIN, partial(self.accept, listener))
        while self.alive and self.ppid == os.getppid():
            self.turn()
            self.share()
        self.alive = False
        self.yields_until = 0.0
        if self.kinds:
            self.kinds.shares[self.kind].leave(self.place)
            self.loop.unwatch(self.kinds.ways[self.kind][1].fileno())
        for listener in self.sockets:
            self.loop.unwatch(listener.fileno())
            listener.close()
        self.end_connections()

    def make_lines(self) -> None:
        """Where whole requests wait: for the loop, and for a thread."""
        self.calls = Line(MOST_UNDER_WAY, self.wait_seconds)
        self.waiting = Line(self.cfg.threads, self.wait_seconds)
        # Whether there are more than can be answered at once.
        self.is_crowded = False
        # One for each request that came into `waiting`; some may have left it again.
        self.turns: queue.SimpleQueue[None] = queue.SimpleQueue()

    def end_connections(self) -> None:
        """Answers what is under way."""
        self.seconds[State.IDLE] = ENDING_SECONDS
        now = time.monotonic()
        for connection in self.connections.values():
            if connection.state in (State.HEAD, State.IDLE) and not connection.received:
                connection.deadline = min(connection.deadline, now + ENDING_SECONDS)
        end = now + self.cfg.graceful_timeout
        while self.connections and time.monotonic() < end:
            self.turn()
        self.tell_waiting([0] * len(Urgency))

    def turn(self) -> None:
        """One round of the loop, of at most a second."""
        self.loop.turn(PATIENCE_SECONDS if self.yields_until else 1.0, self.proceed_with)
        if self.is_crowded:
            self.go_on_with_lines()
        if time.monotonic() >= self.next_sweep:
            self.notify()
            self.close_overdue()
            self.loop.end_overdue_waits()
            self.tell_waiting(
                [len(a) + len(b) for a, b in zip(self.calls.queues, self.waiting.queues, strict=True)]
            )
            self.next_sweep = time.monotonic() + 0.5

    # --- A connection goes on: in the loop, or in the thread or call that has it ---

    def wait(self, connection: Connection, state: State) -> None:
        """Gives the connection to the loop, which goes on with it when there is something to do."""
        if connection.state is not state:
            connection.deadline = time.monotonic() + self.seconds[state]
            connection.state = state
        events = select.EPOLLOUT if state is State.WRITING else select.EPOLLIN
        with self.descriptors:
            # The loop may have closed it to make room.
            if self.connections.get(descriptor := connection.sock.fileno()) is connection:
                self.poll.modify(descriptor, events | select.EPOLLONESHOT)

    def proceed_with(self, descriptor: int) -> None:
        connection = self.connections.get(descriptor)
        if connection and connection.state is not State.BUSY:
            self.proceed(connection)

    def proceed(self, connection: Connection) -> None:
        """Something can be read, or written: in the loop."""
        try:
            if connection.state is State.WRITING:
                self.send(connection)
            elif connection.state is State.LINGERING:
                if not connection.drain():
                    self.close(connection)
                else:
                    self.wait(connection, State.LINGERING)
            elif not connection.receive():
                self.close(connection)
            else:
                self.look(connection)
        except OSError:
            self.close(connection)

    def look(self, connection: Connection) -> None:
        """Has the connection answered if there is a whole request; else waits for the rest."""
        if self.hands_over(connection):
            return
        try:
            is_ready = connection.has_request()
        except OSError:
            raise
        except Exception as problem:  # noqa: BLE001 (whatever gunicorn's parser says of a request)
            self.refuse(connection, problem)
            return
        if is_ready:
            connection.state = State.BUSY
            connection.deadline = time.monotonic() + QUEUE_SECONDS
            self.admit_request(connection, connection.request.path)
        elif connection.request is not None:
            self.wait(connection, State.BODY)
        else:
            is_idle = connection.served and not connection.received
            self.wait(connection, State.IDLE if is_idle else State.HEAD)

    def admit_request(self, connection: Connection, path: str) -> None:
        """Has a whole request answered, now or when it is its turn; or refuses it."""
        line = self.calls if path.startswith(self.loop_paths) else self.waiting
        present = self.calls_present() if line is self.calls else len(self.in_threads)
        if line is self.calls and present < line.places:
            line.entered += 1
            self.loop.start(self.take, connection)
        elif line.is_too_long(urgency := self.urgency_of(path), present):
            self.turn_away(connection)
        elif line is self.calls:
            line.put(connection, urgency)
            self.is_crowded = True
        else:
            self.in_threads.add(connection)
            self.share_busy()
            line.put(connection, urgency)
            self.turns.put(None)
            self.is_crowded |= present >= line.places

    def calls_present(self) -> int:
        """Without those that wait for somebody else's lock: they keep no other from its answer."""
        return self.loop.under_way - self.loop.set_aside + len(self.calls)

    def go_on_with_lines(self) -> None:
        """Turns away who has waited too long, and begins calls that waited, the urgent ones first."""
        for line in (self.calls, self.waiting):
            for connection in line.take_overdue():
                self.in_threads.discard(connection)
                self.turn_away(connection)
        while self.calls_present() - len(self.calls) < MOST_UNDER_WAY and (first := self.calls.take()):
            self.loop.start(self.take, first)
        calls_wait = self.calls.note_pace(self.calls_present())
        others_wait = self.waiting.note_pace(len(self.in_threads))
        self.is_crowded = calls_wait or others_wait

    def turn_away(self, connection: Connection) -> None:
        """Refuses a whole request, of which nothing has been done."""
        try:
            self.answer(connection, self.refuse_call)
            self.send(connection)
        except OSError:
            self.wait(connection, State.LINGERING)

    def look_again(self, connection: Connection) -> None:
        """Goes on with what came along with the last request."""
        try:
            self.look(connection)
        except OSError:
            self.close(connection)

    def refuse(self, connection: Connection, problem: Exception) -> None:
        """Answers a malformed request as gunicorn does."""
        connection.keeps = False
        self.handle_error(None, connection, connection.client, problem)
        self.send(connection)

    def send(self, connection: Connection) -> None:
        """Sends the answer, or what the client takes of it; then the connection goes on or ends."""
        if not connection.flush():
            self.wait(connection, State.WRITING)
        elif connection.keeps:
            connection.end_request()
            if connection.received:
                self.loop.call_soon_threadsafe(partial(self.look_again, connection))
            else:
                self.wait(connection, State.IDLE)
        else:
            connection.sock.shutdown(socket.SHUT_WR)
            self.wait(connection, State.LINGERING)

    # --- In a thread, or a call in the loop ---

    def answer_requests(self) -> None:
        while True:
            self.turns.get()
            if connection := self.waiting.take():
                self.take(connection)
                self.share_busy()

    def take(self, connection: Connection) -> None:
        """Has a whole request answered, and the answer sent."""
        try:
            try:
                if not (is_late := time.monotonic() > connection.deadline):
                    self.answer(connection, self.wsgi)
            finally:
                # From here on the loop may have it again, with its next request.
                self.in_threads.discard(connection)
            if is_late:
                self.drop(connection)
            else:
                self.send(connection)
        except OSError:
            # The client has gone: the loop finds nothing more to come, and closes.
            self.wait(connection, State.LINGERING)
        except Exception:
            self.log.exception("Error on a connection")
            self.wait(connection, State.LINGERING)

    def drop(self, connection: Connection) -> None:
        """Closes without an answer: nothing has been done. Whether the client has gone cannot be seen, as one
        that has only ended its side still reads.
        """
        self.log.error(
            "A request waited more than %.0f s for a thread, and is not carried out", QUEUE_SECONDS
        )
        connection.sock.shutdown(socket.SHUT_RDWR)
        self.wait(connection, State.LINGERING)

    def answer(self, connection: Connection, application: Callable[..., Any]) -> None:
        """Calls the application; its answer is in the connection afterwards."""
        connection.keeps = False
        try:
            request = connection.take_request()
        except Exception as problem:  # noqa: BLE001 (whatever gunicorn's parser says of a body)
            self.handle_error(connection.request, connection, connection.client, problem)
            return
        response = None
        try:
            response, environ = connection.open_answer(request)
            if not self.alive:
                response.force_close()
            parts = application(environ, response.start_response)
            try:
                for part in parts:
                    response.write(part)
                response.close()
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            connection.keeps = is_whole(response) and not response.should_close()
        except Incomplete:
            connection.unsent.clear()
            util.write_error(connection, 413, "Content Too Large", "")
        except OSError:
            # So the application says that no answer is due (config.wsgi).
            connection.unsent.clear()
        except Exception as problem:
            if response is not None and response.headers_sent:
                self.log.exception("Error after the beginning of an answer")
            else:
                self.handle_error(request, connection, connection.client, problem)


def is_whole(response: Any) -> bool:
    """Whether the answer is as long as its Content-Length says: the next one would be taken for its end."""
    has_no_body = response._omits_body  # noqa: SLF001 (gunicorn has no other name for it)
    return has_no_body or response.response_length in (None, response.sent)
