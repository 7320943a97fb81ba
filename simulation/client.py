"""HTTP as a game backend speaks it.

Persistent connections, exact numbers, bounded time-outs, and a retry of what got lost.
"""

import json
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from simulation.tally import Tally

# Longer than the platform waits for a lock or a statement, so that its own answer comes first.
TIMEOUT_SECONDS = 20.0
# Pauses before each retry of a call that got no answer, or one that says "try again"; the same call again is
# always safe.
RETRY_PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
TRY_AGAIN = frozenset({500, 502, 503, 504})


class Unreachable(Exception):
    """The server gave no answer to a call and to none of its retries."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who calls: a game (by its slug) or the platform's web front."""

    slug: str
    authorization: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: as it came, and as a JSON object whose numbers are Decimals."""

    status: int
    raw: bytes
    body: dict[str, Any]

    @property
    def code(self) -> int | None:
        """The errorCode, or None where the answer says yes."""
        code = self.body.get("errorCode")
        return None if code is None else int(code)


def party(slug: str, username: str, password: str) -> Party:
    """A caller with HTTP Basic."""
    return Party(slug, "Basic " + b64encode(f"{username}:{password}".encode()).decode())


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; empty where there is none, which no check then takes for a right answer."""
    try:
        body = json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class Connection:
    """One connection to the server, kept open; used by one thread at a time."""

    def __init__(self, url: str, tally: Tally, stop: threading.Event) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.http = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        self.prefix = parts.path.rstrip("/")
        self.tally = tally
        self.stop = stop

    def close(self) -> None:
        self.http.close()

    def call(self, caller: Party, path: str, body: str, method: str = "POST") -> Reply:
        """The answer to one call, repeated unchanged until there is one. Raises Unreachable."""
        name = "PUT players" if method == "PUT" else path.rpartition("/")[2]
        problem = ""
        for pause in (*RETRY_PAUSES, None):
            began = time.perf_counter()
            try:
                reply = self.send(caller, method, path, body)
            except (OSError, HTTPException) as lost:
                self.http.close()
                self.tally.count(name, "lost", time.perf_counter() - began)
                problem = f"{type(lost).__name__}: {lost}"
            else:
                self.tally.count(name, outcome(reply), time.perf_counter() - began)
                if reply.status not in TRY_AGAIN:
                    return reply
                problem = f"HTTP {reply.status}"
            # Once the run is being stopped, nobody waits for a server that may be gone.
            if pause is None or self.stop.wait(pause):
                break
        raise Unreachable(f"{method} {path} got no answer, {problem}")

    def once(self, caller: Party, path: str) -> Reply:
        """The answer to an empty request, without a retry. Raises Unreachable."""
        try:
            return self.send(caller, "POST", path, "{}")
        except (OSError, HTTPException) as lost:
            raise Unreachable(f"{type(lost).__name__}: {lost}") from lost

    def send(self, caller: Party, method: str, path: str, body: str) -> Reply:
        """One try."""
        headers = {"Authorization": caller.authorization, "Content-Type": "application/json"}
        self.http.request(method, self.prefix + path, body.encode(), headers)
        response = self.http.getresponse()
        raw = response.read()
        return Reply(response.status, raw, read_body(raw))


def outcome(reply: Reply) -> str:
    """What the table of the report counts an answer as."""
    if reply.status != 200:
        return f"HTTP {reply.status}"
    return "ok" if reply.code is None else str(reply.code)
