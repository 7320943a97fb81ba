"""The spans of this process, as they end."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lib.telemetry.recorder import OpenTelemetryRecorder
from lib.telemetry.spans import Telemetry


@contextmanager
def recording() -> Iterator[InMemorySpanExporter]:
    """What is recorded until the block ends."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    Telemetry.recorder = OpenTelemetryRecorder(provider)
    try:
        yield exporter
    finally:
        Telemetry.recorder = None
