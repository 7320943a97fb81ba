"""A collector of traces on a real socket (OTLP over HTTP), which keeps what it is sent."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE_SECONDS = 30.0
FAILED = 2


@dataclass(frozen=True)
class Collected:
    """A span as it was sent."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    is_failed: bool
    attributes: dict[str, Any]
    # The traces that it has links to.
    links: list[str]
    service: str


@dataclass
class Collector:
    """What came: `raw` is every byte of every body."""

    url: str
    raw: bytearray = field(default_factory=bytearray)
    spans: list[Collected] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """Has a server send its spans here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def take(self, headers: dict[str, str], body: bytes) -> None:
        with self.lock:
            self.raw += body
            self.headers.append(headers)
            self.spans.extend(read_spans(body))

    def named(self, name: str, **attributes: object) -> list[Collected]:
        """Those of a name that say this; dots in names are underscores here."""
        with self.lock:
            found = [span for span in self.spans if span.name == name]
        return [
            span
            for span in found
            if all(span.attributes.get(key.replace("_", ".", 1)) == said for key, said in attributes.items())
        ]

    def wait_for(self, name: str, count: int = 1, **attributes: object) -> list[Collected]:
        """The same, as soon as there are so many."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found := self.named(name, **attributes)) < count:
            assert time.monotonic() < deadline, (name, attributes, [span.name for span in self.spans])
            time.sleep(0.02)
        return found

    def children(self, parent: Collected) -> list[Collected]:
        with self.lock:
            return [span for span in self.spans if span.parent == parent.span_id]


def read_spans(body: bytes) -> Iterator[Collected]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = values(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Collected(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code == FAILED,
                    values(span.attributes),
                    [link.trace_id.hex() for link in span.links],
                    service,
                )


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
