"""Records spans with OpenTelemetry, and sends them to a collector from a thread of its own.

Started in each process that does work, after the fork, which threads do not survive. OpenTelemetry's own
settings (OTEL_…) count. Spans are made by hand: its instrumentations of Django, psycopg and requests would
write addresses, headers and statements into them, and know neither the loop nor what goes out together.
"""

import os
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.re import parse_env_headers
from prometheus_client import Counter

from lib.http.addresses import is_proxy
from lib.http.metrics import REGISTRY
from lib.http.request_ids import HEADER
from lib.http.responses import NoAnswer
from lib.telemetry.spans import NO_SPAN, Span, Telemetry

# W3C Trace Context, version 00 alone: whatever else is sent is as good as nothing.
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
# What a method that is none of these is called: the word is the caller's.
METHODS, OTHER_METHOD = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}), "_OTHER"
# Spans that wait for the collector at most, as OpenTelemetry has it.
MOST_WAITING = 2048
# A process that ends waits no longer than this for the collector.
END_SECONDS = 3.0
LOST = Counter(
    "wallet_spans_lost",
    "Spans that no collector got: it was away, or took them more slowly than they came.",
    registry=REGISTRY,
)


def parse_traceparent(text: object) -> SpanContext | None:
    """The span that a traceparent names; None for everything that is none."""
    found = TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & TraceFlags.SAMPLED))


def format_traceparent(span: SpanContext) -> str:
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags & TraceFlags.SAMPLED:02x}"


def present_span() -> SpanContext | None:
    found = trace.get_current_span().get_span_context()
    return found if found.is_valid else None


class RecordedSpan(Span):
    """A span of OpenTelemetry's: the present one within its block."""

    __slots__ = ("is_failed", "span", "token")

    def __init__(self, span: trace.Span) -> None:
        self.span, self.is_failed = span, False

    def __enter__(self) -> Self:
        self.token = attach(trace.set_span_in_context(self.span))
        return self

    def __exit__(self, *problem: object) -> None:
        if isinstance(kind := problem[0], type) and not self.is_failed:
            self.fail(kind.__name__)
        detach(self.token)
        self.span.end()

    def note(self, name: str, value: str | int) -> None:
        self.span.set_attribute(name, value)

    def fail(self, why: str) -> None:
        self.is_failed = True
        self.span.set_attribute("error.type", why)
        self.span.set_status(StatusCode.ERROR)

    def answer(self, request: HttpRequest, answer: HttpResponse, code: int | str) -> None:
        method = request.method if request.method in METHODS else OTHER_METHOD
        self.note("http.request.method", method)
        if match := request.resolver_match:
            self.note("http.route", f"/{match.route}")
        self.span.update_name(f"{method} /{match.route}" if match else method)
        self.note("wallet.code", str(code))
        if not isinstance(answer, NoAnswer):
            self.note("http.response.status_code", answer.status_code)
        if answer.status_code >= 500:
            self.fail(str(answer.status_code))


class OpenTelemetryRecorder:
    """Makes spans, and has `provider` send them."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self.tracer = provider.get_tracer("quantum_wallet")

    def request(self, environ: dict[str, Any]) -> Span:
        given = environ.get("HTTP_TRACEPARENT") if settings.TRACEPARENT_FROM_PROXY else None
        parent = parse_traceparent(given) if given and is_proxy(environ) else None
        return self.begin("request", SpanKind.SERVER, parent, {"wallet.request_id": environ.get(HEADER, "")})

    def resumed(self, name: str, traceparent: object) -> Span:
        cause, present = parse_traceparent(traceparent), present_span()
        if cause and present and cause.trace_id != present.trace_id:
            # Who does it now, along with much else, is another trace's.
            return self.begin(name, SpanKind.CONSUMER, cause, links=[Link(present)])
        return self.begin(name, SpanKind.CONSUMER, present or cause)

    def outgoing(self, name: str, attributes: Mapping[str, str | int]) -> Span:
        present = present_span()
        # Of a trace that is not kept nothing is.
        is_kept = present is not None and present.trace_flags.sampled
        return self.begin(name, SpanKind.CLIENT, present, attributes) if is_kept else NO_SPAN

    def begin(
        self,
        name: str,
        kind: SpanKind,
        parent: SpanContext | None,
        attributes: Mapping[str, str | int] | None = None,
        links: Sequence[Link] = (),
    ) -> Span:
        # Without a parent an empty context: with none at all, the present span would be it.
        context = trace.set_span_in_context(NonRecordingSpan(parent), Context()) if parent else Context()
        return RecordedSpan(self.tracer.start_span(name, context, kind, attributes, links))

    def traceparent(self) -> str | None:
        present = present_span()
        return format_traceparent(present) if present else None

    def end(self) -> None:
        """Sends what still waits, within END_SECONDS."""
        Telemetry.recorder = None
        ending = threading.Thread(target=self.provider.shutdown, daemon=True)
        ending.start()
        ending.join(END_SECONDS)


class Waiting:
    """How many spans wait for the collector."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.count = 0

    def enter(self) -> bool:
        """Whether there is room for one more, which then waits."""
        with self.lock:
            has_room = self.count < self.most
            self.count += has_room
        return has_room

    def leave(self, number: int) -> None:
        with self.lock:
            self.count -= number


class CountedExporter(SpanExporter):
    """Sends spans, and counts those that do not arrive."""

    def __init__(self, exporter: SpanExporter, waiting: Waiting) -> None:
        self.exporter, self.waiting = exporter, waiting

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.waiting.leave(len(spans))
        result = self.exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            LOST.inc(len(spans))
        return result

    def shutdown(self) -> None:
        self.exporter.shutdown()


class BoundedProcessor(BatchSpanProcessor):
    """Keeps spans for the thread that sends them; what finds no room is counted and dropped."""

    def __init__(self, exporter: SpanExporter, most: int) -> None:
        self.waiting = Waiting(most)
        super().__init__(CountedExporter(exporter, self.waiting), max_queue_size=most)

    def on_end(self, span: ReadableSpan) -> None:
        if self.waiting.enter():
            super().on_end(span)
        else:
            LOST.inc()


def start() -> None:
    """Records from now on, in this process."""
    Telemetry.recorder = OpenTelemetryRecorder(make_provider(make_exporter()))


def make_exporter() -> SpanExporter:
    """By the settings OTEL_EXPORTER_OTLP_…, of which the headers may be a file's."""
    return OTLPSpanExporter(headers=parse_env_headers(settings.OTEL_EXPORTER_OTLP_HEADERS, liberal=True))


def make_provider(exporter: SpanExporter) -> TracerProvider:
    ours = Resource({"service.name": "quantum-wallet", "service.version": settings.VERSION})
    named = ours.merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create(named.attributes), shutdown_on_exit=False)
    most = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or MOST_WAITING)
    provider.add_span_processor(BoundedProcessor(exporter, most))
    return provider
