"""The table of a worker's connections: who comes in, who is handed to another worker, and who must go.

Like config/gunicorn.py this imports nothing of the project but the loop.
"""

import errno
import resource
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from gunicorn.workers import base

from config.web_connection import Connection, State
from config.web_kinds import Kind, Kinds, has_path, kind_of
from config.web_shares import PATIENCE_SECONDS
from lib.event_loop import EventLoop

# How long a connection may stay in a state; IDLE is gunicorn's `keepalive`.
SECONDS = {State.LINGERING: 5.0, State.HEAD: 10.0, State.BODY: 20.0, State.WRITING: 30.0}
# New connections taken in one turn of the loop: with one, those of a crowd would wait for as many turns, each
# of which answers whoever is in already.
MOST_ACCEPTED = 16
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Files beside those of the connections: the database, logs, libraries.
OTHER_FILES = 256


class Table(base.Worker):  # type: ignore[misc]
    """Only the loop adds and closes connections."""

    # How the paths of calls begin; without them, workers are of one kind.
    call_paths: tuple[bytes, ...] = ()
    # And of what either kind may answer.
    either_paths: tuple[bytes, ...] = ()
    # Set by config/gunicorn.py: how many one address may have here, and the networks that are not counted.
    connections_per_address = 256
    trusted_proxies: tuple[str, ...] = ()
    # Set before the fork: what all workers see, and which of them this one is.
    kinds: Kinds | None = None
    kind = Kind.CALLS
    place = 0
    alive: bool
    loop: EventLoop

    def make_table(self) -> None:
        self.connections: dict[int, Connection] = {}
        # Held where a descriptor must be a connection's own: once it is closed, its number is given anew.
        self.descriptors = threading.Lock()
        self.counts: Counter[str] = Counter()
        # Those whose request a thread has, or that wait for one.
        self.in_threads: set[Connection] = set()
        self.poll = self.loop.poll
        self.seconds = SECONDS | {State.IDLE: float(self.cfg.keepalive)}
        self.most_connections = allow_files(self.cfg.worker_connections)
        # On the monotonic clock: until when new connections are left to others, and are not.
        self.yields_until = self.takes_until = 0.0

    def look_again(self, connection: Connection) -> None:
        """Goes on with what has come along."""
        raise NotImplementedError

    def share(self) -> None:
        """Tells the others how many connections this worker has, and goes on accepting if they did not."""
        if not self.kinds:
            return
        self.kinds.shares[self.kind].note(self.place, len(self.connections))
        self.share_busy()
        if self.yields_until and time.monotonic() >= self.yields_until:
            self.yields_until = 0.0
            self.takes_until = time.monotonic() + PATIENCE_SECONDS
            self.listen(select.EPOLLIN)

    def share_busy(self) -> None:
        """Tells the others how many requests this worker has under way."""
        if self.kinds:
            self.kinds.shares[self.kind].note_busy(self.place, len(self.in_threads) + self.loop.under_way)

    def is_ahead(self) -> bool:
        """Whether another worker should have the next connection: one for calls, which has fewer."""
        if not self.kinds:
            return False
        callers = self.kinds.shares[Kind.CALLS]
        return bool(callers.present()) if self.kind == Kind.PAGES else callers.is_ahead(len(self.connections))

    def yields(self) -> bool:
        """Whether a new connection is left to a worker that has fewer; if that takes none, this one does."""
        if not self.is_ahead():
            return False
        if time.monotonic() < self.takes_until:
            self.takes_until = 0.0
            return False
        self.yields_until = time.monotonic() + PATIENCE_SECONDS
        self.listen(0)
        return True

    def listen(self, events: int) -> None:
        for listener in self.sockets:
            self.poll.modify(listener.fileno(), events)

    def accept(self, listener: Any, _: int) -> None:
        """Takes new connections: some, and none that another worker should have."""
        if self.yields():
            return
        for _ in range(MOST_ACCEPTED):
            if not self.accept_one(listener) or self.is_ahead():
                return

    def accept_one(self, listener: Any) -> bool:
        """Whether there was a new connection."""
        try:
            sock, client = listener.accept()
        except OSError as problem:
            if problem.errno in OUT_OF_FILES and not self.close_one(self.connections.values()):
                time.sleep(0.01)
            return False
        self.admit(sock, client, listener.getsockname())
        return True

    def admit(
        self, sock: socket.socket, client: Any, server: Any, events: int = select.EPOLLIN
    ) -> Connection | None:
        """The connection of a new socket, which waits for `events`; None, and it is closed, if there is no
        room.
        """
        address = counted_as(client[0], self.trusted_proxies) if isinstance(client, tuple) else None
        if not self.has_room(address):
            sock.close()
            return None
        sock.setblocking(False)
        connection = Connection(sock, client, server, self.cfg, address)
        connection.deadline = time.monotonic() + self.seconds[State.HEAD]
        self.connections[sock.fileno()] = connection
        if address:
            self.counts[address] += 1
        self.poll.register(sock.fileno(), events | select.EPOLLONESHOT)
        return connection

    def take_over(self, _: int) -> None:
        """Goes on with a connection that a worker of the other kind has handed over."""
        given = self.kinds.take_over(self.kind) if self.kinds else None
        if not given:
            return
        sock, received = given
        try:
            # It is looked at in this turn: an event for it could come while a thread has it.
            connection = self.admit(sock, sock.getpeername(), sock.getsockname(), events=0)
        except OSError:
            sock.close()
            return
        if connection:
            connection.received += received
            connection.is_settled = True
            self.look_again(connection)

    def hands_over(self, connection: Connection) -> bool:
        """Whether a connection went to a worker of the other kind, for which its next request is."""
        if not (self.kinds and self.call_paths and self.alive) or connection.request is not None:
            return False
        if connection.is_settled:
            return False
        wanted = kind_of(connection.received, self.call_paths) if connection.received else None
        if wanted is Kind.PAGES and has_path(connection.received, self.either_paths):
            wanted = self.kinds.less_busy()
        if wanted in (None, self.kind):
            return False
        if not self.kinds.hand_over(wanted, connection.sock, connection.received):
            return False
        self.close(connection, goes_on=True)
        return True

    def has_room(self, address: str | None) -> bool:
        """Whether one more may come from `address`; others are closed for it, if they do nothing."""
        if address and self.counts[address] >= self.connections_per_address:
            theirs = [other for other in self.connections.values() if other.address == address]
            if not self.close_one(theirs):
                return False
        return len(self.connections) < self.most_connections or self.close_one(self.connections.values())

    def close_one(self, connections: Iterable[Connection]) -> bool:
        """Closes what does least, of these what must end first; False if all are BUSY."""
        idle = [connection for connection in connections if connection.state is not State.BUSY]
        if idle:
            self.close(min(idle, key=lambda connection: (connection.state, connection.deadline)))
        return bool(idle)

    def close_overdue(self) -> None:
        now = time.monotonic()
        for connection in list(self.connections.values()):
            if connection.deadline < now and connection.state is not State.BUSY:
                self.close(connection)

    def close(self, connection: Connection, *, goes_on: bool = False) -> None:
        """Ends a connection here; if it `goes_on` in another process, its socket would be watched on here."""
        with self.descriptors:
            self.connections.pop(connection.sock.fileno(), None)
            if goes_on:
                self.poll.unregister(connection.sock.fileno())
            connection.sock.close()
        if address := connection.address:
            self.counts[address] -= 1
            if not self.counts[address]:
                del self.counts[address]


@lru_cache(maxsize=4096)
def counted_as(address: str, trusted_proxies: tuple[str, ...]) -> str | None:
    """What connections from `address` are counted under: itself, or its network in IPv6, where one client has
    2^64 addresses. None for a trusted proxy, which has many clients.
    """
    parsed = ip_address(address.partition("%")[0])
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if any(parsed in ip_network(network, strict=False) for network in trusted_proxies):
        return None
    return str(parsed) if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))


def allow_files(connections: int) -> int:
    """Has the process open so many files; returns how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else min(connections, max(soft - OTHER_FILES, 16))
