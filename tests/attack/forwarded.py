"""What callers say of where they come from, before a server with an allow-list (contract 1.3)."""

import socket
from contextlib import suppress
from typing import NamedTuple

from tests.attack.clients import CALL, place_of

PROXY, STRANGER, NEIGHBOUR = "127.0.0.9", "127.0.0.2", "127.0.0.8"
LISTED, UNLISTED = "203.0.113.7", "198.51.100.1"
# How the server is set up.
SETTINGS = {
    "API_ALLOWED_NETWORKS": "203.0.113.0/24,2001:db8::/64",
    "TRUSTED_PROXIES": f"{PROXY}/32,10.0.0.0/8",
}
FOR = "X-Forwarded-For: "


class Shape(NamedTuple):
    """Who connects with which headers, and whether there is an answer at all."""

    name: str
    source: str
    headers: tuple[str, ...]
    is_answered: bool = False


def lie(name: str, *headers: str, source: str = STRANGER) -> Shape:
    return Shape(name, source, headers)


SHAPES = [
    # Whoever is no proxy is not believed.
    lie("stranger: nothing"),
    lie("stranger: a listed address", FOR + LISTED),
    lie("stranger: the proxy's address", FOR + PROXY),
    lie("stranger: listed, by the proxy", FOR + f"{LISTED}, {PROXY}"),
    lie("stranger: Forwarded", f"Forwarded: for={LISTED}"),
    lie("stranger: X-Real-IP", f"X-Real-IP: {LISTED}"),
    lie("stranger: Client-IP", f"Client-IP: {LISTED}"),
    lie("stranger: True-Client-IP", f"True-Client-IP: {LISTED}"),
    lie("stranger: CF-Connecting-IP", f"CF-Connecting-IP: {LISTED}"),
    lie("stranger: Remote-Addr", f"Remote-Addr: {LISTED}"),
    lie("stranger: underscores", f"X_Forwarded_For: {LISTED}"),
    lie("stranger: REMOTE_ADDR", f"REMOTE_ADDR: {LISTED}"),
    lie("stranger: beside the proxy", FOR + LISTED, source=NEIGHBOUR),
    # Of what the proxy says, only the rightmost address that is no proxy counts.
    Shape("proxy: a listed address", PROXY, (FOR + LISTED,), True),
    Shape("proxy: a listed address with a port", PROXY, (FOR + f"{LISTED}:4711",), True),
    Shape("proxy: spaces", PROXY, (FOR + f"  {UNLISTED} ,\t{LISTED}  ",), True),
    Shape("proxy: through another proxy", PROXY, (FOR + f"{LISTED}, 10.1.2.3",), True),
    Shape("proxy: two lines", PROXY, (FOR + UNLISTED, FOR + LISTED), True),
    Shape("proxy: IPv6", PROXY, (FOR + "2001:db8::7",), True),
    Shape("proxy: IPv6 in brackets with a port", PROXY, (FOR + "[2001:db8::7]:4711",), True),
    Shape("proxy: IPv4 in IPv6", PROXY, (FOR + f"::ffff:{LISTED}",), True),
    lie("proxy: an unlisted address", FOR + UNLISTED, source=PROXY),
    lie("proxy: a lie to the left", FOR + f"{LISTED}, {UNLISTED}", source=PROXY),
    lie("proxy: a lie in the first line", FOR + LISTED, FOR + UNLISTED, source=PROXY),
    lie("proxy: a lie before a proxy", FOR + f"{LISTED}, {UNLISTED}, 10.1.2.3", source=PROXY),
    lie("proxy: nothing", source=PROXY),
    lie("proxy: empty", FOR, source=PROXY),
    lie("proxy: a word to the right", FOR + f"{LISTED}, unknown", source=PROXY),
    lie("proxy: octal digits", FOR + "0313.0.0161.07", source=PROXY),
    lie("proxy: underscores", f"X_Forwarded_For: {LISTED}", FOR + UNLISTED, source=PROXY),
    lie("proxy: Forwarded", f"Forwarded: for={LISTED}", FOR + UNLISTED, source=PROXY),
]


def is_answered(url: str, shape: Shape) -> bool:
    """Whether a single byte comes back."""
    head = CALL + "".join(f"{header}\r\n" for header in shape.headers).encode()
    with socket.create_connection(place_of(url), 20, source_address=(shape.source, 0)) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        with suppress(ConnectionResetError):
            return connection.recv(1) != b""
    return False
