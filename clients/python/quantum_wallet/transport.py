"""What both clients share of speaking HTTP: settings, requests, and how an attempt is told."""

import logging
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from quantum_wallet.messages import redacted, write
from quantum_wallet.operations import Request
from quantum_wallet.outcome import Again, Raw
from quantum_wallet.schedule import ASKING, OPENING, SETTLING, Schedule

logger = logging.getLogger("quantum_wallet")
# Where nobody has set up logging, nothing is printed.
logger.addHandler(logging.NullHandler())
AGENT = "quantum-wallet-python"


@dataclass(frozen=True, slots=True)
class Credential:
    """A username and a password for HTTP Basic."""

    username: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of `Authorization`."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt as it went over the wire, without secrets. `status` 0: no answer, and `answer` says why."""

    method: str
    path: str
    request: str
    status: int
    answer: str
    took_seconds: float


def ignore(exchange: Exchange) -> None:
    """Nobody wants to see it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a client calls; times in seconds.

    `keep_alive`: whether connections serve more than one call. Without it no answer can be taken for that to
    another call, whatever stands between here and the platform. `watch` is told every attempt.
    """

    connect_timeout: float = 5.0
    # Longer than the platform waits for a lock or a statement, so that its own answer comes first.
    answer_timeout: float = 20.0
    opening: Schedule = OPENING
    settling: Schedule = SETTLING
    asking: Schedule = ASKING
    keep_alive: bool = False
    watch: Callable[[Exchange], None] = ignore

    @property
    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.answer_timeout, connect=self.connect_timeout, pool=self.connect_timeout)

    @property
    def limits(self) -> httpx.Limits:
        return httpx.Limits(max_connections=100, max_keepalive_connections=20 if self.keep_alive else 0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a call: what is sent, and what is told of it."""

    method: str
    path: str
    content: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": AGENT}

    def heard(self, response: httpx.Response) -> Raw:
        return Raw(response.status_code, response.content, response.headers.get("Retry-After", ""))

    def unheard(self, problem: Exception) -> Raw:
        """No answer: the exception's name says enough, and its text may say too much."""
        return Raw(0, reason=type(problem).__name__)

    def exchange(self, raw: Raw, took: float) -> Exchange:
        """What the watcher is told."""
        answer = raw.body.decode(errors="replace") if raw.status else f"no answer: {raw.reason}"
        request, shown = redacted(self.content.decode(), answer)
        return Exchange(self.method, self.path, request, raw.status, shown, took)


def attempt(request: Request[Any]) -> Attempt:
    """What is sent for a request, each time."""
    content = b"" if request.call.method == "GET" else write(request.body)
    return Attempt(request.call.method, request.path, content)


def tell_repetition(request: Request[Any], number: int, again: Again, pause: float) -> None:
    """A line in the log for what was not answered."""
    name, id = request.call.name, request.id
    logger.warning("%s %s: %s to attempt %d; again in %g s", name, id, again.reason, number, pause)
