"""Counts the web server's answers, by endpoint and error code, and how long they took (Prometheus)."""

import os
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Histogram, values

from lib.http.responses import NoAnswer

# Given by config/gunicorn.py: which of the web server's processes this is. Elsewhere there is only this one.
SLOT = os.environ.get("METRICS_SLOT", "")
# Chosen before the first number is made. A process that follows another goes on with the numbers of its
# place.
values.ValueClass = values.MultiProcessValue(lambda: SLOT) if SLOT else values.MutexValue  # type: ignore[no-untyped-call]

# Seconds. A wallet call takes 1 to 10 ms; a statement is given up after 15 s.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# What this process counts.
REGISTRY = CollectorRegistry()
REQUESTS = Histogram(
    "wallet_request_seconds",
    "How long requests took, by endpoint and by error code (0: success; a status where there was no answer "
    "of the contract).",
    ["endpoint", "code"],
    registry=REGISTRY,
    buckets=BUCKETS,
)
# Under these, a path's second word names the call.
AREAS = frozenset({"wallet", "payments", "entry"})


def count(request: HttpRequest, answer: HttpResponse, took_ns: int) -> int | str:
    """Counts one answer, and returns its code. `took_ns`: nanoseconds."""
    counted = code(answer)
    child(endpoint(request), counted).observe(took_ns / 1_000_000_000)
    return counted


@lru_cache(maxsize=2048)
def child(endpoint: str, code: int | str) -> Histogram:
    """The numbers of one endpoint and code; looking them up is dearer than counting."""
    return REQUESTS.labels(endpoint, str(code))


def endpoint(request: HttpRequest) -> str:
    """The contract's name for what was called, such as withdraw.

    Never a path, which callers can make up without end.
    """
    match = request.resolver_match
    return name_of(match.route) if match else "none"


@lru_cache(maxsize=1024)
def name_of(route: str) -> str:
    """`withdraw` of `wallet/withdraw`, `players` of `entry/players/<uid>`; elsewhere the first word."""
    area, _, rest = route.partition("/")
    return rest.partition("/")[0] if area in AREAS else area


def code(answer: HttpResponse) -> int | str:
    """The answer's error code, 0 for success.

    Its status where it is no 200; `closed` where the connection was closed.
    """
    if answer.status_code == 200:
        return getattr(answer, "error_code", 0)
    return "closed" if isinstance(answer, NoAnswer) else answer.status_code
