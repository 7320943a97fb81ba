"""Whom the outgoing HTTP client calls (SSRF).

Public addresses and those that are allowed, however they are spelled.
"""

import socket
from contextlib import ExitStack
from ipaddress import ip_address

import pytest
from pytest_django import Settings

from lib.outbound.client import Unanswered, post_json
from lib.outbound.network import is_global
from tests.support.http_peer import peer, resolve_as

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def refusal(url: str) -> Unanswered:
    """How a call fails, which it must."""
    with pytest.raises(Unanswered) as caught:
        post_json(url, b"{}")
    problem: Unanswered = caught.value
    return problem


@pytest.fixture(autouse=True)
def bounds(settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = []
    settings.OUTGOING_CONNECT_SECONDS = 1.0
    settings.OUTGOING_TOTAL_SECONDS = 3.0


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
        ),
        *(
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
        ),
        *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *(
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
        ),
        *(
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
        ),
        *("3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%2", "fec0::1", "ff02::1"),
    ],
)
def test_address__is_not_public(text: str) -> None:
    assert not is_global(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
        ),
        *(
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
        ),
        *(
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ),
    ],
)
def test_address__is_public(text: str) -> None:
    assert is_global(ip_address(text))


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.1",
            "LocalHost",
        ),
        *(
            "0",
            "0.0.0.0",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
        ),
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "10.0.0.1", "[fd00:ec2::254]", "[fe80::1]"),
    ],
)
def test_inner_address__is_not_called_in_any_spelling(host: str) -> None:
    with peer(ANSWER) as server:
        assert refusal(f"http://{host}:{server.port}/").kind == "refused_address"
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "2130706433.", "127.0.0.1.nip.invalid"])
def test_host_name__that_looks_like_inner_address_is_refused(host: str) -> None:
    with peer(ANSWER) as server:
        # Which of the two depends on this machine's resolver.
        assert refusal(f"http://{host}:{server.port}/").kind in ("refused_address", "unresolvable")
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"])
def test_allowed_network__is_called_however_it_is_spelled(settings: Settings, host: str) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1"]
    with peer(ANSWER) as server:
        assert post_json(f"http://{host}:{server.port}/", b"{}").status == 200
        assert refusal(f"http://127.0.0.2:{server.port}/").kind == "refused_address"
        assert server.connections == 1
    assert f"host: {host}:{server.port}".encode() in server.requests[0].lower().split(b"\r\n")


def test_refusal__names_the_address_and_the_setting() -> None:
    problem = refusal("http://127.0.0.1:1/")
    assert (
        str(problem)
        == "refused_address: 127.0.0.1 is no public address, and not in OUTGOING_ALLOWED_NETWORKS"
    )


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::1"),
        ("127.0.0.1", "8.8.8.8", "169.254.169.254"),
    ],
)
def test_host_name__with_one_inner_address_is_not_called_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1"]
    resolve_as(monkeypatch, *addresses)
    with peer(ANSWER) as server:
        assert refusal(server.url("game.example")).kind == "refused_address"
        assert server.connections == 0


def test_host_name__is_resolved_once_and_is_in_the_host_header(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1"]
    asked = resolve_as(monkeypatch, "127.0.0.1")
    with peer(ANSWER) as server:
        assert post_json(server.url("Game.Example"), b"{}").status == 200
    assert asked == ["game.example"]
    assert f"host: game.example:{server.port}".encode() in server.requests[0].lower().split(b"\r\n")


def test_connection__tries_the_next_address_if_one_refuses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    resolve_as(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.1")
    with peer(ANSWER) as server:
        assert post_json(server.url("game.example"), b"{}").status == 200


def test_connection__tries_no_more_than_eight_addresses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    resolve_as(monkeypatch, *(f"127.0.0.{last}" for last in range(2, 10)), "127.0.0.1")
    with peer(ANSWER) as server:
        assert refusal(server.url("game.example")).kind == "unreachable"
        assert server.connections == 0


def test_connection__checks_the_peer_again_when_connected(settings: Settings) -> None:
    # The kernel takes 0.0.0.0 for this machine.
    settings.OUTGOING_ALLOWED_NETWORKS = ["0.0.0.0"]
    with peer(ANSWER) as server:
        problem = refusal(server.url("0.0.0.0"))
    assert (problem.kind, "127.0.0.1" in problem.text) == ("refused_address", True)
    assert b"".join(server.requests) == b""


def test_connection__port_without_listener_is_unreachable(settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1"]
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert (
            str(refusal(f"http://127.0.0.1:{bound.getsockname()[1]}/"))
            == "unreachable: no connection: Connection refused"
        )


def test_connection__connect_timeout_is_shorter_than_the_call(settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1"]
    settings.OUTGOING_CONNECT_SECONDS = 0.3
    with ExitStack() as open_sockets:
        full = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        problem = refusal(f"http://127.0.0.1:{full.getsockname()[1]}/")
    assert (problem.kind, problem.text) == ("timeout", "no connection in time")
    assert problem.took_ms >= 295


def test_host_name__without_an_address_is_unresolvable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("http://nothing.invalid/").kind == "unresolvable"
    resolve_as(monkeypatch)
    assert refusal("http://game.example/").kind == "unresolvable"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "/state",
            "game.example/state",
            "//game.example/",
            "ftp://game.example/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "unix:/run/redis.sock",
        ),
        *(
            "http://",
            "http:///state",
            "http:game.example",
            "https://:443/",
            "http://user@game.example/",
            "http://user:MyPass@game.example/",
            "http://@game.example/",
        ),
        *(
            "http://game.example:/",
            "http://game.example:0/",
            "http://game.example:65536/",
            "http://game.example:99999999/",
            "http://game.example:-1/",
            "http://game.example:http/",
        ),
        *(
            "http://game.example: 80/",
            "http://game.example\t/",
            "http://game.\nexample/",
            " http://game.example/",
            "http://game.example/\r\nEvil: 1",
            "http://game.example/ä",
        ),
        *(
            "http://\uff11\uff12\uff17.0.0.1/",
            "http://gäme.example/",
            "http://game.example\\@127.0.0.1/",
            "http://127.0.0.1%2f/",
            "http://game..example/",
            "http://.example/",
        ),
        *(
            "http://[::1/",
            "http://::1/",
            "http://[127.0.0.1]/",
            "http://[fe80::1%25eth0]/",
            "http://[::1]x/",
            "http://[v1.x]/",
            f"http://{'a' * 64}.example/",
        ),
        f"http://game.example/{'a' * 2048}",
    ],
)
def test_url__that_is_not_plain_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    asked = resolve_as(monkeypatch, "127.0.0.1")
    problem = refusal(url)
    assert problem.kind == "bad_url"
    assert asked == []
    assert "MyPass" not in str(problem)


def test_url__default_ports_are_those_of_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        ports.append(port)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for url in (
        "http://game.example",
        "HTTPS://game.example?x",
        "http://game.example:81/",
        "https://game.example:8443/",
    ):
        assert refusal(url).kind == "unresolvable"
    assert ports == [80, 443, 81, 8443]
