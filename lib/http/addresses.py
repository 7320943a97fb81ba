"""Where a call comes from, and whether that is allowed (contract 1.3)."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A call over a unix socket has no address; it is never on a list.
NOWHERE: Address = IPv4Address("0.0.0.0")  # noqa: S104 (an address to compare with, nothing listens)


@lru_cache(maxsize=64)
def parse_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks that `texts` name; a lone address is a network of one."""
    return tuple(ip_network(text, strict=False) for text in texts)


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether `address` lies in one of `networks`."""
    return any(address in network for network in networks)


def parse_address(text: str) -> Address | None:
    """The address in `text`, which may carry a port; an IPv4 address wrapped in IPv6 is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def resolve(socket_address: str, forwarded: str, proxies: tuple[str, ...]) -> Address:
    """The client's address: the socket's, or what the nearest trusted proxies say of it.

    Only a trusted proxy's X-Forwarded-For is believed, and of it the rightmost address that is no trusted
    proxy: whatever stands left of that could have been written by anybody.
    """
    client = parse_address(socket_address) or NOWHERE
    trusted = parse_networks(proxies)
    if not contains(trusted, client):
        return client
    for hop in reversed(forwarded.split(",")):
        address = parse_address(hop)
        if address is None:
            break
        if not contains(trusted, address):
            return address
    return client


def client_address(meta: dict[str, str]) -> Address:
    """The client's address of a request's `META`."""
    return resolve(
        meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), tuple(settings.TRUSTED_PROXIES)
    )


def counted_as(address: Address) -> str:
    """What an address is called where failures are counted: of IPv6 its /64, which is one customer's."""
    return str(ip_network((address, 64), strict=False) if address.version == 6 else address)


def is_proxy(meta: dict[str, str]) -> bool:
    """Whether a request of that `META` comes straight from a trusted proxy."""
    return contains(
        parse_networks(tuple(settings.TRUSTED_PROXIES)), parse_address(meta.get("REMOTE_ADDR", "")) or NOWHERE
    )
