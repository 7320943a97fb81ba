"""A worker's table of connections, without its process."""

import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config

from config.web_connection import Connection, State
from config.web_kinds import Kinds
from config.web_worker import Worker
from lib.event_loop import EventLoop

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
Pair = tuple[socket.socket, socket.socket]


def ends(kinds: Kinds) -> list[socket.socket]:
    return [end for way in kinds.ways.values() for end in way]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Ours and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


class Log(logging.Logger):
    """gunicorn's, which says nothing of each request; what else it says goes where all logs go."""

    def __init__(self) -> None:
        super().__init__("web")
        self.parent = logging.getLogger()

    def access(self, *of: object) -> None:
        """Is told of each answer to a request that was wrong or failed."""


class Table(Worker):
    """A worker's connections, without its process."""

    # Tests that answer nothing have none.
    wsgi: Any = None

    def __init__(self) -> None:
        self.cfg, self.loop, self.log = Config(), EventLoop(), Log()
        self.make_table()
        self.most_connections, self.connections_per_address = 5, 3
        self.closed: list[Connection] = []
        self.sockets = list[Any]()
        self.make_lines()

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
    os.close(table.loop.waker)
    for end in ends(table.kinds) if table.kinds else []:
        end.close()


def enter(table: Table, sock: socket.socket, received: bytes) -> Connection:
    connection = table.admit(sock, ("10.0.0.1", 1), ("", 80))
    assert connection
    connection.received += received
    return connection


def take_next(table: Table) -> None:
    """Has the next request answered that waits for a thread."""
    connection = table.waiting.take()
    assert connection
    table.take(connection)
