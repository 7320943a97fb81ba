"""A proxy that tells a caller something else than the server behind it said."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# Gets path, request and answer; gives the answer that the simulation sees, or None for a connection that
# breaks.
Lie = Callable[[str, bytes, bytes], bytes | None]


class Proxy(ThreadingHTTPServer):
    """Hands every call on to the server at `target`, and lies about the answer.

    `turn` changes the path first.
    """

    daemon_threads = True

    def __init__(
        self, target: str, lie: Lie, turn: Callable[[str], str], status: Callable[[int], int]
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.lie, self.turn, self.status = urlsplit(target), lie, turn, status


class Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection(self.server.target.hostname or "", self.server.target.port, timeout=30)

    def finish(self) -> None:
        super().finish()
        self.upstream.close()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
        self.upstream.request(self.command, self.server.turn(self.path), body, sent)
        response = self.upstream.getresponse()
        told = self.server.lie(self.path, body, response.read())
        if told is None:
            self.close_connection = True
            return
        self.send_response(self.server.status(response.status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
        self.wfile.flush()

    do_PUT = do_POST  # noqa: N815 (http.server's name)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def proxied(
    target: str, lie: Lie, turn: Callable[[str], str] = str, status: Callable[[int], int] = int
) -> Iterator[str]:
    with Proxy(target, lie, turn, status) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            thread.join()
