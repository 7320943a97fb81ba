"""Addresses that whoever sets a game's URL could have the platform call, and must not (SSRF)."""

from lib.outbound.client import Unanswered, post_json

URLS = [
    *(f"http://{host}/" for host in (
        # This machine, spelled in every way that a resolver takes.
        "127.0.0.1", "127.0.0.1:8000", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001",
        "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "017700000001", "localhost", "LOCALHOST", "localhost.",
        "0.0.0.0", "0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::ffff:0.0.0.0]", "127.0.0.1.",
        # The networks beside it.
        "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
        "100.64.0.1", "100.127.255.255", "[fc00::1]", "[fd00::1]", "[fe80::1]", "[fec0::1]",
        "[::ffff:10.0.0.1]", "[::ffff:192.168.0.1]", "167772161", "0xa000001",
        # What clouds tell about themselves.
        "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
        # Ways round by translation.
        "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]", "[2002:7f00:1::]",
        "[2002:a00:1::]", "[2001:0:7f00:1::]",
        # What nobody has.
        "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "239.1.2.3",
        "240.0.0.1", "255.255.255.255", "[2001:db8::1]", "[3fff::1]", "[ff02::1]", "[100::1]",
        # Names in front of an address.
        "user@127.0.0.1", "8.8.8.8@127.0.0.1",
    )),
    # What is no HTTP at all.
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/", "//127.0.0.1/",
]  # fmt: skip
REFUSED = ("bad_url", "refused_address", "unresolvable")


def outcome(url: str) -> str:
    """How a call of that URL ends: a word of REFUSED, before a byte is sent, or what must not be."""
    try:
        return str(post_json(url, b"{}").status)
    except Unanswered as problem:
        return problem.kind
