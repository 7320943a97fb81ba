"""Allow-lists of addresses.

No answer at all, and whose word counts for where a call comes from (contract 1.3).
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lib.http.addresses import NOWHERE, client_address, resolve
from lib.http.responses import NoAnswer
from tests.support.callers import Caller, Callers, Party, PlayerSession, basic, make_party, open_session
from tests.support.web_server import served

PROXY = "127.0.0.9"
LISTED = "203.0.113.7"
UNLISTED = "198.51.100.1"


def raw_answer(
    url: str,
    authorization: str | None,
    path: str,
    *,
    source: str = "127.0.0.1",
    forwarded: str | None = None,
    token: str = "",
    method: str = "POST",
) -> bytes:
    """All that a server sends on a connection from `source`, until it closes."""
    place = urlsplit(url)
    body = json.dumps({"token": token}).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {place.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    lines += [f"Authorization: {authorization}"] if authorization else []
    lines += [f"X-Forwarded-For: {forwarded}"] if forwarded is not None else []
    received = b""
    with socket.create_connection(
        (place.hostname or "", place.port or 0), timeout=15, source_address=(source, 0)
    ) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    return received


def status(raw: bytes) -> int | None:
    """The status of an answer; None where not a single byte came."""
    return int(raw.split(b" ", 2)[1]) if raw else None


@pytest.fixture(scope="module")
def limited(callers: Callers) -> Party:
    """A game whose credential may be used from one address and one network."""
    return make_party(networks=("127.0.0.3", "192.0.2.0/24"))


@pytest.fixture(scope="module")
def direct(limited: Party, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server that trusts no proxy, with an allow-list for everybody."""
    log: Path = tmp_path_factory.mktemp("direct") / "server.log"
    networks = "127.0.0.1,127.0.0.3,127.0.0.4/31,203.0.113.0/24"
    with served(
        log,
        DATABASE_URL=database_url,
        API_ALLOWED_NETWORKS=networks,
        # All tests' servers count the failures of this machine together.
        AUTH_FAILURES_PER_MINUTE="100000",
        WEB_WORKERS="1",
        WEB_THREADS="4",
    ) as url:
        yield url


@pytest.fixture(scope="module")
def behind_a_proxy(
    limited: Party, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same behind one trusted proxy."""
    log: Path = tmp_path_factory.mktemp("proxied") / "server.log"
    networks = "127.0.0.1,203.0.113.0/24,192.0.2.0/24"
    with served(
        log,
        DATABASE_URL=database_url,
        API_ALLOWED_NETWORKS=networks,
        TRUSTED_PROXIES=f"{PROXY}/32",
        WEB_WORKERS="1",
        WEB_THREADS="4",
        AUTH_FAILURES_PER_MINUTE="100000",
    ) as url:
        yield url


# --- On a real socket -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/wallet/getBalance", "/wallet/nothing", "/payments/initiate", "/entry/launch"]
)
def test_address__unlisted_caller_gets_not_a_single_byte(callers: Callers, direct: str, path: str) -> None:
    for authorization in (
        callers.game.caller.authorization,
        callers.front.authorization,
        basic("nobody", "nothing"),
        None,
    ):
        assert raw_answer(direct, authorization, path, source="127.0.0.2") == b""
    assert status(raw_answer(direct, None, path)) == 401


@pytest.mark.slow
def test_address__listed_caller_is_answered(player_session: PlayerSession, direct: str) -> None:
    for source in ("127.0.0.1", "127.0.0.4", "127.0.0.5"):
        raw = raw_answer(
            direct,
            player_session.caller.authorization,
            "/wallet/getBalance",
            source=source,
            token=player_session.token,
        )
        assert status(raw) == 200
        assert b'{"balance":{"amount":100.00,"currencyCode":"XAG"}}' in raw


@pytest.mark.slow
def test_address__what_is_not_the_api_answers_everybody(direct: str) -> None:
    for path, expected in (("/healthz", 200), ("/readyz", 200), ("/nothing", 404)):
        assert status(raw_answer(direct, None, path, source="127.0.0.2", method="GET")) == expected


@pytest.mark.slow
def test_address__forwarded_one_is_ignored_without_trusted_proxy(
    player_session: PlayerSession, direct: str
) -> None:
    for forwarded in ("127.0.0.1", LISTED, f"{LISTED}, 127.0.0.1", ""):
        assert (
            raw_answer(
                direct,
                player_session.caller.authorization,
                "/wallet/getBalance",
                source="127.0.0.2",
                forwarded=forwarded,
            )
            == b""
        )
        raw = raw_answer(
            direct,
            player_session.caller.authorization,
            "/wallet/getBalance",
            forwarded=UNLISTED,
            token=player_session.token,
        )
        assert status(raw) == 200


@pytest.mark.slow
def test_credential__own_address_list_is_checked_before_password(
    callers: Callers, limited: Party, direct: str
) -> None:
    player_session = open_session(limited, callers.player())
    right, wrong = limited.caller.authorization, basic(limited.credential.username, "wrong")
    assert (
        status(
            raw_answer(direct, right, "/wallet/getBalance", source="127.0.0.3", token=player_session.token)
        )
        == 200
    )
    assert status(raw_answer(direct, wrong, "/wallet/getBalance", source="127.0.0.3")) == 401
    assert (
        raw_answer(direct, right, "/wallet/getBalance", source="127.0.0.1", token=player_session.token) == b""
    )
    assert raw_answer(direct, wrong, "/wallet/getBalance", source="127.0.0.1") == b""
    assert status(raw_answer(direct, basic("nobody", "x"), "/wallet/getBalance", source="127.0.0.1")) == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "forwarded", "expected"),
    [
        (PROXY, LISTED, 200),
        (PROXY, f"{UNLISTED}, {LISTED}", 200),
        (PROXY, f"nonsense, {LISTED}", 200),
        (PROXY, f"{LISTED}, {PROXY}", 200),
        (PROXY, f"{LISTED}:4711", 200),
        (PROXY, UNLISTED, None),
        (PROXY, f"{LISTED}, {UNLISTED}", None),
        (PROXY, f"{LISTED}, {UNLISTED}, {PROXY}", None),
        (PROXY, f"{LISTED}, nonsense", None),
        (PROXY, "", None),
        (PROXY, None, None),
        ("127.0.0.2", LISTED, None),
        ("127.0.0.1", UNLISTED, 200),
    ],
)
def test_address__is_the_rightmost_untrusted_behind_a_proxy(
    player_session: PlayerSession,
    behind_a_proxy: str,
    source: str,
    forwarded: str | None,
    expected: int | None,
) -> None:
    raw = raw_answer(
        behind_a_proxy,
        player_session.caller.authorization,
        "/wallet/getBalance",
        source=source,
        forwarded=forwarded,
        token=player_session.token,
    )
    assert status(raw) == expected


@pytest.mark.slow
def test_credential__own_address_list_goes_by_the_proxys_word(
    callers: Callers, limited: Party, behind_a_proxy: str
) -> None:
    player_session = open_session(limited, callers.player())
    authorization = limited.caller.authorization
    assert (
        status(
            raw_answer(
                behind_a_proxy,
                authorization,
                "/wallet/getBalance",
                source=PROXY,
                forwarded="192.0.2.8",
                token=player_session.token,
            )
        )
        == 200
    )
    assert (
        raw_answer(
            behind_a_proxy,
            authorization,
            "/wallet/getBalance",
            source=PROXY,
            forwarded=LISTED,
            token=player_session.token,
        )
        == b""
    )
    assert (
        raw_answer(
            behind_a_proxy,
            authorization,
            "/wallet/getBalance",
            source=PROXY,
            forwarded=f"192.0.2.8, {LISTED}",
        )
        == b""
    )


@pytest.mark.slow
def test_address__refused_connection_leaves_the_server_well(
    player_session: PlayerSession, direct: str
) -> None:
    for _ in range(20):
        assert raw_answer(direct, None, "/wallet/getBalance", source="127.0.0.2") == b""
    assert (
        Caller(player_session.caller.authorization, url=direct)
        .post("/wallet/getBalance", {"token": player_session.token})
        .balance
        == "100.00"
    )


# --- In this process --------------------------------------------------------------------------------


def test_address__unanswered_call_has_no_effect_nor_auth_failure(
    player_session: PlayerSession, settings: Any
) -> None:
    settings.API_ALLOWED_NETWORKS = ["192.0.2.0/24", "2001:db8::/32"]
    settings.AUTH_FAILURES_PER_MINUTE = 0
    headers = {"Content-Type": "application/json", "Authorization": str(player_session.caller.authorization)}
    body = json.dumps({"token": player_session.token, "mmTransactionId": "x"}).encode()
    assert isinstance(
        Caller(None, "192.0.3.1").respond("POST", "/wallet/rollbackWithdrawal", body, dict(headers)), NoAnswer
    )
    assert isinstance(
        Caller(None, "2001:db9::1").respond("POST", "/wallet/rollbackWithdrawal", body, dict(headers)),
        NoAnswer,
    )
    assert player_session.holding().entries == 2
    for listed in ("192.0.2.255", "2001:db8::1", "::ffff:192.0.2.1"):
        assert (
            Caller(player_session.caller.authorization, listed)
            .post("/wallet/getBalance", {"token": player_session.token})
            .status
            == 200
        )


@pytest.mark.parametrize(
    ("socket_address", "forwarded", "proxies", "client"),
    [
        ("192.0.2.1", "", (), "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", (), "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", ("192.0.2.1/32",), "198.51.100.1"),
        ("192.0.2.1", "198.51.100.1,203.0.113.1", ("192.0.2.0/24", "203.0.113.0/24"), "198.51.100.1"),
        ("192.0.2.1", "203.0.113.1", ("192.0.2.0/24", "203.0.113.0/24"), "192.0.2.1"),
        ("192.0.2.1", "[2001:db8::7]:443", ("192.0.2.1/32",), "2001:db8::7"),
        ("192.0.2.1", "2001:db8::7", ("192.0.2.1/32",), "2001:db8::7"),
        ("::ffff:192.0.2.1", "::ffff:198.51.100.1", ("192.0.2.1/32",), "198.51.100.1"),
        ("2001:db8::1", "198.51.100.1:80", ("2001:db8::/64",), "198.51.100.1"),
        ("192.0.2.1", "unknown", ("192.0.2.1/32",), "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1, _hidden", ("192.0.2.1/32",), "192.0.2.1"),
        ("192.0.2.1", "198.51.100.256", ("192.0.2.1/32",), "192.0.2.1"),
        ("", "198.51.100.1", ("192.0.2.1/32",), "0.0.0.0"),
        ("/run/socket", "198.51.100.1", ("0.0.0.0/32",), "198.51.100.1"),
    ],
)
def test_address__is_resolved_from_socket_and_forwarded_header(
    socket_address: str, forwarded: str, proxies: tuple[str, ...], client: str
) -> None:
    assert str(resolve(socket_address, forwarded, proxies)) == client


@pytest.mark.slow
def test_address__unix_socket_call_comes_from_nowhere() -> None:
    assert client_address({}) == NOWHERE
