"""HTTP as the checks send it: connections that stay open, and every exchange kept as it went."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from clients.kit import VERSION, exact_json
from clients.kit.expectations import Unmet
from clients.kit.redaction import Redactor

TIMEOUT_SECONDS = 20.0
# Characters of a body that a report shows.
SHOWN = 4000
# Exchanges that a check keeps: the last ones tell what went wrong.
KEPT = 60


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came back, without secrets, as a report shows them."""

    request: str
    answer: str
    took_ms: int


@dataclass
class Record:
    """The exchanges of one check; several threads add to it."""

    redactor: Redactor
    exchanges: list[Exchange] = field(default_factory=list)
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: str, answer: str, seconds: float) -> None:
        clean = self.redactor.clean
        kept = Exchange(clean(request), clean(answer), round(seconds * 1000))
        with self.lock:
            self.count += 1
            self.exchanges = [*self.exchanges[-KEPT + 1 :], kept]


@dataclass(frozen=True)
class Answer:
    """What came back; `raw` as it was sent, headers by lower-case names."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object, numbers as Decimals. Raises `Unmet` if there is none."""
        try:
            body = exact_json.read(self.raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Unmet("The body of the answer", "a JSON object", shown(self.raw), "1.1")
        return body

    @property
    def code(self) -> int | None:
        """The errorCode, or None if the answer says yes."""
        code = self.body.get("errorCode")
        if code is not None and not (isinstance(code, Decimal) and code == code.to_integral_value()):
            raise Unmet("errorCode", "a whole number", repr(code), "1.5")
        return None if code is None else int(code)

    def money(self, name: str = "balance") -> Decimal:
        """The amount of a member, exact. Raises `Unmet` if it is no number."""
        member = self.body.get(name)
        amount = member.get("amount") if isinstance(member, dict) else None
        if not isinstance(amount, Decimal):
            raise Unmet(f"{name}.amount", "a JSON number", repr(member), "1 Amounts")
        return amount


def shown(raw: bytes) -> str:
    """A body as a report shows it."""
    text = raw.decode(errors="backslashreplace")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(raw):,} bytes)"


class Wire:
    """The way to one server: a connection for each thread, kept open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.prefix = parts.hostname or "", parts.path.rstrip("/")
        self.is_secure = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_secure else 80)
        self.local = threading.local()

    @property
    def host_header(self) -> str:
        is_usual = self.port == (443 if self.is_secure else 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if is_usual else f"{host}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        """This thread's connection, opened if it is not."""
        connection: http.client.HTTPConnection | None = getattr(self.local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self.is_secure else http.client.HTTPConnection
            connection = self.local.connection = kind(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if connection.sock is None:
            connection.connect()
        return connection

    def close(self) -> None:
        """Closes this thread's connection."""
        connection: http.client.HTTPConnection | None = getattr(self.local, "connection", None)
        if connection is not None:
            connection.close()
            self.local.connection = None

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str], record: Record) -> Answer:
        """One exchange. Raises `Unmet` if there is no answer."""
        about = {"User-Agent": f"wallet-kit/{VERSION}", "Accept": "application/json", **headers}
        request = request_text(method, self.prefix + path, {"Host": self.host_header, **about}, body)
        began = time.perf_counter()
        try:
            answer = self.exchange(method, self.prefix + path, body, about)
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            reason = f"no answer: {type(problem).__name__}: {problem}"
            record.add(request, reason, time.perf_counter() - began)
            raise Unmet(f"{method} {path}", "an answer", reason, "1.5") from problem
        record.add(request, answer_text(answer), time.perf_counter() - began)
        return answer

    def exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends, and sends again over a new connection if the kept one had been closed meanwhile."""
        was_open = getattr(self.local, "connection", None) is not None
        try:
            return self.try_exchange(method, path, body, headers)
        except (ConnectionError, http.client.BadStatusLine):
            self.close()
            if not was_open:
                raise
        return self.try_exchange(method, path, body, headers)

    def try_exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self.connect()
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
        if response.will_close:
            self.close()
        return answer

    @contextmanager
    def raw_socket(self) -> Iterator[socket.socket]:
        """A connection for bytes that no HTTP library would send."""
        with socket.create_connection((self.host, self.port), TIMEOUT_SECONDS) as plain:
            if not self.is_secure:
                yield plain
                return
            with ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) as secured:
                yield secured

    def send_raw(self, data: bytes, record: Record, patience: float = 2.0) -> bytes:
        """Sends bytes as they are; what comes back until the server closes, or is silent for `patience`."""
        began, received = time.perf_counter(), b""
        with self.raw_socket() as connection, suppress(OSError):
            connection.sendall(data)
            connection.settimeout(patience)
            while part := connection.recv(65536):
                received += part
        record.add(shown(data), shown(received) or "(closed without a byte)", time.perf_counter() - began)
        return received


def request_text(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\n".join([*lines, "", shown(body)])


def answer_text(answer: Answer) -> str:
    """An answer as it came."""
    reason = http.client.responses.get(answer.status, "")
    lines = [
        f"HTTP/1.1 {answer.status} {reason}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    return "\n".join([*lines, "", shown(answer.raw)])
