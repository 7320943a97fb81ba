"""The platform's one way to call others over HTTP.

A single POST, answered completely within bounds of time and size, or not.
"""

import logging
import re
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from lib.backoffice.languages import stored
from lib.http.addresses import parse_networks
from lib.outbound.network import CheckedNetwork, Deadline, Unanswered
from lib.telemetry.spans import outgoing_span, present_traceparent

__all__ = ["MOST_BYTES", "BasicCredential", "Reply", "Unanswered", "post_json"]

# The largest body that is read of an answer.
MOST_BYTES = 64 * 1024
MOST_URL_CHARACTERS = 2048

OUR_HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "connection": "close",
    "content-type": "application/json",
    "user-agent": f"QuantumWallet/{settings.VERSION}",
}
PORTS = {"http": 80, "https": 443}
PRINTABLE = re.compile(r"[!-~]+")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
# No userinfo, no zone, nothing that two parsers could read in two ways.
PLACE = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)\]|(?P<name>[\w-]{1,63}(?:\.[\w-]{1,63})*\.?))(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)

# At DEBUG it writes an answer's headers, and a peer may repeat in them what we sent.
logging.getLogger("httpcore").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """A username and password that we show to others (HTTP Basic)."""

    username: str
    password: str = field(repr=False)

    def authorization(self) -> str:
        """The value of the `Authorization` header."""
        return (
            "Basic " + b64encode(f"{self.username}:{self.password}".encode(errors="surrogatepass")).decode()
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer of any status, a redirect too.

    Header names are in lower case, of several alike the last counts.
    """

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    took_ms: int


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that a call needs."""

    url: httpcore.URL
    # For the `Host` header, with the port where it is not the scheme's own.
    host_header: str
    # For SNI and the certificate: a final dot says how to resolve, and stands in no certificate.
    certified_name: str


class Trust(threading.local):
    """The certificates we trust, read once in each thread.

    Reading takes 60 ms of work, and httpcore writes into the context.
    """

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None

    def read(self) -> ssl.SSLContext:
        if self.context is None:
            self.context = httpcore.default_ssl_context()
        return self.context


TRUST = Trust()


def bad_url(text: str) -> Unanswered:
    """The refusal of a URL; its text never repeats the URL, which may hold a secret."""
    return Unanswered("bad_url", text)


def parse_target(text: str) -> Target:
    """Takes a URL apart, strictly: what does not look like a plain http or https URL is refused."""
    if len(text) > MOST_URL_CHARACTERS or not PRINTABLE.fullmatch(text):
        words = stored("a URL has at most {most} printable ASCII characters and no spaces")
        raise bad_url(words.format(most=MOST_URL_CHARACTERS))
    try:
        parts = urlsplit(text)
    except ValueError:
        raise bad_url(stored("it cannot be taken apart")) from None
    place = PLACE.fullmatch(parts.netloc)
    if parts.scheme not in PORTS:
        raise bad_url(stored("only http and https are called"))
    if place is None:
        raise bad_url(stored("it must name a host, perhaps a port, and no user"))
    port = int(place["port"] or PORTS[parts.scheme])
    if not 1 <= port <= 65535:
        raise bad_url(stored("a port is a number from 1 to 65535"))
    host = (place["ipv6"] or place["name"]).lower()
    shown = f"[{host}]" if place["ipv6"] else host
    url = httpcore.URL(
        scheme=parts.scheme,
        host=host,
        port=port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    return Target(url, shown if port == PORTS[parts.scheme] else f"{shown}:{port}", host.removesuffix("."))


def all_headers(
    target: Target, credential: BasicCredential | None, further: Mapping[str, str]
) -> dict[str, str]:
    """The headers of a request; `further` ones cannot replace ours."""
    for name, value in further.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the header {name!r} cannot be sent")  # without the value, which may be secret
    headers = (
        {name.lower(): value for name, value in further.items()} | OUR_HEADERS | {"host": target.host_header}
    )
    return headers | {"authorization": credential.authorization()} if credential else headers


def read_body(response: httpcore.Response, most: int) -> bytes:
    """The body, of at most `most` bytes; an announced length beyond that is refused before it is read."""
    words = stored("the answer's body has more than {most} bytes")
    too_long = Unanswered("too_long", words.format(most=most))
    body = bytearray()
    if any(name.lower() == b"content-length" and int(value) > most for name, value in response.headers):
        raise too_long
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > most:
            raise too_long
    return bytes(body)


def exchange(
    target: Target, headers: dict[str, str], body: bytes, network: CheckedNetwork, most: int
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to one request on a connection of its own."""
    trust = TRUST.read() if target.url.scheme == b"https" else None
    extensions = {
        "timeout": {"connect": settings.OUTGOING_CONNECT_SECONDS},
        "sni_hostname": target.certified_name,
    }
    with (
        httpcore.HTTPConnection(target.url.origin, ssl_context=trust, network_backend=network) as connection,
        connection.stream(
            "POST", target.url, headers=list(headers.items()), content=body, extensions=extensions
        ) as response,
    ):
        answered = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        return response.status, answered, read_body(response, most)


def call(
    target: Target, headers: dict[str, str], body: bytes, most: int
) -> tuple[int, dict[str, str], bytes]:
    """As `exchange`, with the deadline running, and with `Unanswered` for an answer that is not HTTP."""
    network = CheckedNetwork(
        Deadline(settings.OUTGOING_TOTAL_SECONDS), parse_networks(tuple(settings.OUTGOING_ALLOWED_NETWORKS))
    )
    try:
        return exchange(target, headers, body, network, most)
    except httpcore.ProtocolError:
        cut_short = network.stream is not None and network.stream.ended
    # Out here, so that nothing is chained to it: httpcore quotes the peer, and a peer may repeat what we
    # sent.
    raise (
        Unanswered("closed", stored("the connection was closed before the end of an answer"))
        if cut_short
        else Unanswered("protocol", stored("the answer is not HTTP"))
    )


def call_in_trace(
    target: Target, headers: dict[str, str], body: bytes, most: int
) -> tuple[int, dict[str, str], bytes]:
    """As `call`, with a span that tells the host, and the status or why there is none.

    The peer hears of the trace only if that is wanted.
    """
    place = {"http.request.method": "POST", "server.address": target.host_header}
    with outgoing_span("POST", place) as span:
        if settings.OUTGOING_TRACEPARENT and (traceparent := present_traceparent()):
            headers = headers | {"traceparent": traceparent}
        try:
            answered = call(target, headers, body, most)
        except Unanswered as problem:
            span.fail(problem.kind)
            raise
        span.note("http.response.status_code", answered[0])
        if answered[0] >= 500:
            span.fail(str(answered[0]))
        return answered


def post_json(
    url: str,
    body: bytes,
    *,
    credential: BasicCredential | None = None,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> Reply:
    """Posts `body`, a JSON text, once; gives the complete answer of whatever status, or raises `Unanswered`.

    Nothing is repeated, no redirect is followed, no proxy is asked. The whole call ends within
    OUTGOING_TOTAL_SECONDS.
    """
    began = monotonic()
    try:
        target = parse_target(url)
        status, answered, content = call_in_trace(
            target, all_headers(target, credential, headers or {}), body, most_bytes
        )
    except Unanswered as unanswered:
        unanswered.took_ms = round((monotonic() - began) * 1000)
        raise
    return Reply(status, answered, content, round((monotonic() - began) * 1000))
