"""How spans are made, kept and lost, in this process."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.conf import settings
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lib.http.metrics import REGISTRY
from lib.outbound.client import Unanswered, post_json
from lib.telemetry.recorder import (
    OpenTelemetryRecorder,
    format_traceparent,
    make_exporter,
    make_provider,
    parse_traceparent,
)
from lib.telemetry.spans import NO_SPAN, outgoing_span, present_traceparent, resumed_span
from tests.support.http_peer import peer
from tests.support.recorded import recording

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    """What is recorded in the test."""
    with recording() as exporter:
        yield exporter


def test_traceparent__is_read_and_written_alike() -> None:
    context = parse_traceparent(CAUSE)
    assert context is not None
    assert context.is_remote
    assert format_traceparent(context) == CAUSE


@pytest.mark.parametrize(
    "given", [None, 1, b"", "", CAUSE + "\n", f" {CAUSE}", CAUSE.replace("7", "\u0667", 1)]
)
def test_traceparent__that_is_none(given: object) -> None:
    assert parse_traceparent(given) is None


def test_traceparent__keeps_no_flag_but_the_sampled_one() -> None:
    context = parse_traceparent(f"{CAUSE[:-2]}fe")
    assert context is not None
    assert format_traceparent(context) == f"{CAUSE[:-2]}00"


def test_outgoing__belongs_to_a_trace_or_is_none(recorded: InMemorySpanExporter) -> None:
    assert outgoing_span("alone", {}) is NO_SPAN
    with resumed_span("work", None), outgoing_span("ask", {}):
        pass
    ask, work = recorded.get_finished_spans()
    assert ask.parent is not None
    assert (work.parent, ask.parent.span_id) == (None, work.context.span_id)


def test_trace__that_is_not_kept_stays_so_elsewhere(recorded: InMemorySpanExporter) -> None:
    with resumed_span("work", f"{CAUSE[:-2]}00"):
        assert outgoing_span("ask", {}) is NO_SPAN
        kept = present_traceparent() or ""
    with resumed_span("later work", kept):
        pass
    assert (kept[:36], kept[-2:], recorded.get_finished_spans()) == (CAUSE[:36], "00", ())


def test_resumed__goes_on_in_the_trace_of_its_cause(recorded: InMemorySpanExporter) -> None:
    with resumed_span("work", CAUSE):
        kept = present_traceparent()
        with resumed_span("of the same trace", CAUSE):
            pass
        with resumed_span("of no cause", None):
            pass
    with resumed_span("work of others", None), resumed_span("of another trace", kept):
        pass
    found = {span.name: span for span in recorded.get_finished_spans()}
    parents = {name: span.parent.span_id for name, span in found.items() if span.parent}
    work, cause = found["work"].context, parse_traceparent(CAUSE)
    assert cause is not None
    assert work.trace_id == cause.trace_id
    assert parents == {
        "work": cause.span_id,
        "of the same trace": work.span_id,
        "of no cause": work.span_id,
        "of another trace": work.span_id,
    }
    links = [link.context.span_id for link in found["of another trace"].links]
    assert links == [found["work of others"].context.span_id]


def test_span__of_an_exception_says_its_class_alone(recorded: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret"), resumed_span("work", None):
        raise ValueError("a secret")
    [span] = recorded.get_finished_spans()
    assert (span.status.is_ok, span.status.description, span.events) == (False, None, ())
    assert span.attributes == {"error.type": "ValueError"}


@pytest.mark.parametrize("is_told", [False, True])
def test_post__tells_the_peer_of_the_trace_only_if_that_is_wanted(
    is_told: bool, recorded: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(settings, "OUTGOING_TRACEPARENT", is_told)
    with peer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as partner:
        with resumed_span("work", None):
            post_json(partner.url(), b'{"secret": 1}')
        post_json(partner.url(), b"{}")
        within, outside = (request.decode() for request in partner.requests)
        place = f"127.0.0.1:{partner.port}"
    call, _ = recorded.get_finished_spans()
    assert call.attributes == {
        "http.request.method": "POST",
        "server.address": place,
        "http.response.status_code": 404,
    }
    assert call.status.is_unset
    assert (f"traceparent: {format_traceparent(call.context)}\r\n" in within) is is_told
    assert ("traceparent" in within, "traceparent" in outside) == (is_told, False)


AWAY = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "why"), [(AWAY, "503"), (b"a secret\r\n", "closed")])
def test_post__that_fails_is_red(
    answer: bytes, why: str, recorded: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    with peer(answer) as partner, suppress(Unanswered), resumed_span("work", None):
        post_json(partner.url(), b"{}")
    call = recorded.get_finished_spans()[0]
    assert call.attributes is not None
    assert (call.status.is_ok, call.attributes["error.type"]) == (False, why)


def lost() -> float:
    return REGISTRY.get_sample_value("wallet_spans_lost_total") or 0.0


def test_spans__that_a_silent_collector_leaves_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection, and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
        before = lost()
        recorder = OpenTelemetryRecorder(make_provider(make_exporter()))
        for _ in range(100):
            with recorder.resumed("work", None):
                pass
        # 4 wait, and 2 may be with the thread that sends.
        assert 94 <= lost() - before <= 96
        recorder.end()
    assert lost() - before == 100
