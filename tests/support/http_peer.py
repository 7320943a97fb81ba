"""A peer on a real socket that does to each connection what a test says.

It answers, talks nonsense, hangs, drips, floods.
"""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

Act = Callable[[socket.socket, "Peer"], None]


class Peer(socketserver.ThreadingTCPServer):
    """Reads each request on a real socket, then does to the connection what the test says."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, act: Act, tls: ssl.SSLContext | None, *, reads: bool) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.act, self.tls, self.reads = act, tls, reads
        self.connections = 0
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self.port: int = self.server_address[1]

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/state?game=1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a caller who goes away is what many tests want."""


class Visit(socketserver.BaseRequestHandler):
    server: Peer

    def handle(self) -> None:
        self.server.connections += 1
        connection = (
            self.server.tls.wrap_socket(self.request, server_side=True) if self.server.tls else self.request
        )
        if self.server.reads:
            self.server.requests.append(read_request(connection))
        self.server.act(connection, self.server)
        connection.close()


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"}"):
        part = connection.recv(65536)
        if not part:
            break
        received += part
    return received


@contextmanager
def peer(act: Act | bytes, tls: ssl.SSLContext | None = None, *, reads: bool = True) -> Iterator[Peer]:
    """A peer that acts so, or sends these bytes and closes."""
    done: Act = (lambda connection, _: connection.sendall(act)) if isinstance(act, bytes) else act
    with Peer(done, tls, reads=reads) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def send_and_hang(sent: bytes) -> Act:
    def act(connection: socket.socket, server: Peer) -> None:
        connection.sendall(sent)
        server.over.wait(10)

    return act


def drip(first: bytes, piece: bytes, pause: float = 0.02) -> Act:
    """Sends `first`, then `piece` again and again, for as long as it is taken."""

    def act(connection: socket.socket, server: Peer) -> None:
        connection.sendall(first)
        while not server.over.wait(pause):
            connection.sendall(piece)

    return act


def flood(first: bytes, piece: bytes) -> Act:
    """Sends without end or pause."""

    def act(connection: socket.socket, server: Peer) -> None:
        connection.sendall(first)
        while not server.over.is_set():
            connection.sendall(piece)

    return act


def resolve_as(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Lets every name have these addresses; gives the list of the names that are asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        kinds = [(socket.AF_INET6 if ":" in text else socket.AF_INET, text) for text in addresses]
        return [
            (
                family,
                socket.SOCK_STREAM,
                6,
                "",
                (text, port) if family == socket.AF_INET else (text, port, 0, 0),
            )
            for family, text in kinds
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
