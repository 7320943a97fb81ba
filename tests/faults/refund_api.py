"""The sandbox's own API of refunds as a provider elsewhere.

It makes each refund once, however often it is asked for it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Refunder:
    """What was asked: the call and the refund's id.

    And how much was given back for each id, in minor units.
    """

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)

    def answer(self, call: str, said: dict[str, Any]) -> dict[str, str]:
        self.asked.append((call, said["id"]))
        if call == "refunds":
            self.made.setdefault(said["id"], said["amount"])
        if said["id"] not in self.made:
            return {"state": "not_found"}
        return {"state": "done", "reference": f"re_{said['id']}"}


@contextmanager
def refunding() -> Iterator[Refunder]:
    """Such a provider until the block ends."""
    refunder = Refunder()

    class Visit(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(refunder.answer(self.path.split("/", 3)[3], said)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Visit) as server:
        refunder.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield refunder
        finally:
            server.shutdown()
            thread.join()
