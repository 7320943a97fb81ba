"""Spans at the few seams where the platform's work begins or waits, made by hand.

While telemetry is off every function here returns at once, and nothing of OpenTelemetry is imported: that
does `lib.telemetry.recorder` alone, which is put in place after the fork. A span says names, codes and ids of
our own, never a text of a caller's.
"""

from collections.abc import Mapping
from typing import Any, Protocol, Self

from django.http import HttpRequest, HttpResponse


class Span:
    """A span that is recorded nowhere; what is begun within its block belongs to it."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def note(self, name: str, value: str | int) -> None:
        """Says something of it: a name of OpenTelemetry's conventions, or one that begins with `wallet.`."""

    def fail(self, why: str) -> None:
        """It has failed: by a status, or the name of an exception's class; never by its text."""

    def answer(self, request: HttpRequest, answer: HttpResponse, code: int | str) -> None:
        """What a request was answered, with the `code` that is counted (`lib.http.metrics`).

        A refusal is an answer: only a status of 500 and above is a failure.
        """


NO_SPAN = Span()


class Recorder(Protocol):
    """Who makes the spans that count."""

    def request(self, environ: dict[str, Any]) -> Span: ...

    def resumed(self, name: str, traceparent: object) -> Span: ...

    def outgoing(self, name: str, attributes: Mapping[str, str | int]) -> Span: ...

    def traceparent(self) -> str | None: ...

    def end(self) -> None: ...


class Telemetry:
    """Of this process; off until somebody puts a recorder here."""

    recorder: Recorder | None = None


def request_span(environ: dict[str, Any]) -> Span:
    """Of a request that came in: the proxy's trace goes on in it, if that is believed."""
    recorder = Telemetry.recorder
    return recorder.request(environ) if recorder else NO_SPAN


def resumed_span(name: str, traceparent: object) -> Span:
    """Of work that was left to be done later, in whose trace it goes on: `traceparent` is what was kept of
    that, None if nothing was.
    """
    recorder = Telemetry.recorder
    return recorder.resumed(name, traceparent) if recorder else NO_SPAN


def outgoing_span(name: str, attributes: Mapping[str, str | int]) -> Span:
    """Of what another is asked, and waited for: the database, a game. None outside of every trace."""
    recorder = Telemetry.recorder
    return recorder.outgoing(name, attributes) if recorder else NO_SPAN


def present_traceparent() -> str | None:
    """What is kept, or sent along, so that the present trace can go on elsewhere (W3C Trace Context)."""
    recorder = Telemetry.recorder
    return recorder.traceparent() if recorder else None
