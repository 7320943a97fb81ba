"""The way out to the network.

A name is resolved once, only checked addresses are called, and everything ends in time.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Literal

import httpcore

from lib.backoffice.languages import stored
from lib.http.addresses import Address, Network, contains, parse_networks

Kind = Literal[
    "bad_url",
    "refused_address",
    "unresolvable",
    "unreachable",
    "timeout",
    "tls",
    "closed",
    "too_long",
    "protocol",
]
# What `socket.getaddrinfo` gives: family, type, protocol, canonical name, socket address (which begins with
# the address's text).
Candidate = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]

# How many of a name's addresses are tried; all of them are checked.
MOST_TRIED = 8
# All bytes of an answer with its headers and framing: a body in chunks of one byte each is no honest answer.
MOST_RECEIVED = 512 * 1024
TOO_LONG = stored("more than {most} bytes with headers and framing")

# Written down here, because what Python's `is_global` says changes from one patch release to the next.
NOT_GLOBAL = parse_networks(
    (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host below an Azure machine, public by number only
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # protocol assignments, of them Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
# The only part of IPv6 that is given out as global unicast; loopback, local, mapped and translated addresses
# all lie outside.
GLOBAL_IPV6 = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")


class Unanswered(Exception):
    """A call that got no answer that could be used; `took_ms` is how long that took.

    With bad_url, refused_address, unresolvable, unreachable nothing was sent. After all others, a time-out
    above all, it is unknown whether the peer acted on the call.
    """

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text
        self.took_ms = 0

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Deadline:
    """The moment at which a call ends, whatever the peer does meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.ends = monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """The seconds left, at most `most`; past the deadline it raises."""
        left = self.ends - monotonic()
        if left <= 0:
            raise Unanswered("timeout", stored("no complete answer in time"))
        return left if most is None else min(left, most)


# --- Which addresses may be called ------------------------------------------------------------------


def meant_by(address: Address) -> Address:
    """The IPv4 address that a mapped or translated IPv6 address leads to; of others the address itself."""
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address
    return address


def is_global(address: Address) -> bool:
    """Whether `address` lies in the public internet."""
    address = meant_by(address)
    if isinstance(address, IPv6Address) and address not in GLOBAL_IPV6:
        return False
    return not contains(NOT_GLOBAL, address)


def check_address(text: str, allowed: Iterable[Network]) -> None:
    """Raises unless the address may be called.

    That is a public one, or one that is meant to be reachable (OUTGOING_ALLOWED_NETWORKS).
    """
    address = ip_address(text)
    if not is_global(address) and not contains(allowed, meant_by(address)):
        raise Unanswered(
            "refused_address",
            stored("{address} is no public address, and not in OUTGOING_ALLOWED_NETWORKS").format(
                address=address
            ),
        )


# --- From a name to a connection --------------------------------------------------------------------


def ask_resolver(host: str, port: int, answers: "SimpleQueue[list[Candidate] | Exception]") -> None:
    """Puts the addresses of `host` into `answers`, or why there are none."""
    try:
        answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as exc:
        answers.put(exc)


def look_up(host: str, port: int, deadline: Deadline) -> list[Candidate]:
    """All addresses of `host`.

    Asked in another thread: the resolver knows no deadline, and can take half a minute to give up.
    """
    answers: SimpleQueue[list[Candidate] | Exception] = SimpleQueue()
    Thread(target=ask_resolver, args=(host, port, answers), name="resolver", daemon=True).start()
    try:
        found = answers.get(timeout=deadline.left())
    except Empty:
        raise Unanswered("timeout", stored("the host's name was not resolved in time")) from None
    if isinstance(found, Exception):
        words, reason = (
            stored("the host's name cannot be resolved: {reason}"),
            getattr(found, "strerror", None),
        )
        raise Unanswered("unresolvable", words.format(reason=reason or "malformed"))
    return found


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to checked addresses only, and to nothing past the deadline."""

    def __init__(self, deadline: Deadline, allowed: tuple[Network, ...]) -> None:
        self.deadline = deadline
        self.allowed = allowed
        self.stream: BoundedStream | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> "BoundedStream":
        """A connection to the first address of `host` that takes one.

        None at all if any of its addresses must not be called.
        """
        candidates = look_up(host, port, self.deadline)
        for candidate in candidates:
            check_address(candidate[4][0], self.allowed)
        problem = Unanswered("unresolvable", stored("the host's name has no address"))
        for candidate in candidates[:MOST_TRIED]:
            try:
                connected = self.connect(candidate, timeout)
            except TimeoutError:
                problem = Unanswered("timeout", stored("no connection in time"))
            except OSError as exc:
                words = stored("no connection: {reason}")
                problem = Unanswered("unreachable", words.format(reason=exc.strerror))
            else:
                self.stream = BoundedStream(connected, self.deadline)
                return self.stream
        raise problem

    def connect(self, candidate: Candidate, timeout: float | None) -> socket.socket:
        """A socket connected to one candidate."""
        family, kind, protocol, _, address = candidate
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(self.deadline.left(timeout))
            connected.connect(address)
            # Once more, as the kernel sees it: to connect to 0.0.0.0 is to connect to oneself.
            check_address(connected.getpeername()[0], self.allowed)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            connected.close()
            raise
        return connected


# --- A connection that ends in time -----------------------------------------------------------------


@contextmanager
def troubles_told() -> Iterator[None]:
    """Turns what a socket raises into `Unanswered`."""
    try:
        yield
    except TimeoutError:
        raise Unanswered("timeout", stored("no complete answer in time")) from None
    except ssl.SSLError as exc:
        raise Unanswered("tls", getattr(exc, "verify_message", "") or exc.reason or "TLS failed") from None
    except OSError as exc:
        words = stored("the connection broke: {reason}")
        raise Unanswered("closed", words.format(reason=exc.strerror)) from None


class BoundedStream(httpcore.NetworkStream):
    """A connected socket whose every wait is cut to what the deadline leaves.

    So dripping bytes win nothing. Not httpcore's own stream: that one gives every piece of a slowly taken
    request its time anew.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self.socket = connected
        self.deadline = deadline
        self.received = 0
        self.ended = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with troubles_told():
            self.socket.settimeout(self.deadline.left(timeout))
            data = self.socket.recv(max_bytes)
        self.received += len(data)
        if self.received > MOST_RECEIVED:
            raise Unanswered("too_long", TOO_LONG.format(most=MOST_RECEIVED))
        self.ended = not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        while buffer:
            self.socket.settimeout(self.deadline.left(timeout))
            try:
                sent = self.socket.send(buffer)
            except TimeoutError:
                raise Unanswered("timeout", stored("the request was not taken in time")) from None
            except OSError as exc:
                # httpcore's own, upon which it still reads: a peer may answer and close before it has read
                # everything.
                raise httpcore.WriteError(str(exc)) from exc
            buffer = buffer[sent:]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "BoundedStream":
        """The same connection with TLS.

        The certificate is checked against the host's name, not against the address.
        """
        try:
            with troubles_told():
                self.socket.settimeout(self.deadline.left(timeout))
                self.socket = ssl_context.wrap_socket(self.socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self.socket.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for: which protocol TLS agreed on (None: HTTP/1.1, the only one offered)."""
        return None
