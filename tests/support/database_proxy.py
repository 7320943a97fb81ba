"""A way to the database that can be cut, and that can keep the server's answers to itself."""

import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import connection


class DatabaseProxy:
    """Listens in a directory as PostgreSQL does, and hands everything on to the server: at its own socket in
    the directory `host`, or at an address.

    `refuses`: new connections are closed at once. `hangs`: what the server says reaches nobody. `cuts`: the
    next that it says ends its connection instead.
    """

    def __init__(self, directory: Path, host: str, port: str) -> None:
        self.host, self.port = host, port
        self.place = directory / f".s.PGSQL.{port}"
        self.refuses = self.hangs = self.cuts = False
        # Each client's socket, and the server's for it.
        self.peers: dict[socket.socket, socket.socket] = {}
        self.clients: set[socket.socket] = set()
        self.selector = selectors.DefaultSelector()
        self.has_ended = False
        self.thread = threading.Thread(target=self.run)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.place))
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def run(self) -> None:
        while not self.has_ended:
            for key, _ in self.selector.select(0.02):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj in self.peers:
                    self.hand_on(key.fileobj)

    def accept(self) -> None:
        client, _ = self.listener.accept()
        if self.refuses:
            client.close()
            return
        server = self.connect()
        self.clients.add(client)
        for one, other in ((client, server), (server, client)):
            self.peers[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def connect(self) -> socket.socket:
        if not self.host.startswith("/"):
            return socket.create_connection((self.host, int(self.port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self.host}/{self.place.name}")
        return server

    def hand_on(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if data and self.hangs and sock not in self.clients:
            return
        if not data or self.is_cut(sock, data):
            self.end(sock)
        else:
            self.peers[sock].sendall(data)

    def is_cut(self, sock: socket.socket, data: bytes) -> bool:
        """Whether what was said on a socket ends its connection instead of reaching the other side."""
        is_cut = self.cuts and sock not in self.clients
        if is_cut:
            self.cuts = False
        return is_cut

    def end(self, sock: socket.socket) -> None:
        for each in (sock, self.peers[sock]):
            self.selector.unregister(each)
            del self.peers[each]
            self.clients.discard(each)
            each.close()

    def close(self) -> None:
        self.has_ended = True
        self.thread.join()
        for sock in list(self.peers):
            sock.close()
        self.listener.close()
        self.selector.close()


@contextmanager
def database_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseProxy]:
    """New connections of this process go through it until the block ends."""
    settings = connection.settings_dict
    options = settings["OPTIONS"]
    port = str(settings["PORT"] or os.environ.get("PGPORT") or "5432")
    with TemporaryDirectory() as directory, monkeypatch.context() as patch:
        proxy = DatabaseProxy(Path(directory), options.get("host") or settings["HOST"], port)
        proxy.thread.start()
        patch.setitem(options, "host", directory)
        patch.setitem(settings, "HOST", "")
        try:
            yield proxy
        finally:
            proxy.close()
