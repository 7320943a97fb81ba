"""The whole shipped file in Debian's nginx, TLS included: who gets which answer, and who gets none.
Clients that hold on are in tests/config/test_nginx.py.
"""

import json
import os
import ssl
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from clients.kit.checks import CHECKS
from clients.kit.runner import Run
from tests.support.callers import Callers, Party, PlayerSession, dump, make_party, open_session
from tests.support.conformance import target_at
from tests.support.http_peer import peer
from tests.support.nginx import Site, installed, nginx_before, whole_nginx_before
from tests.support.web_server import served

pytestmark = pytest.mark.skipif(
    installed() is None and os.environ.get("CI") != "true", reason="nginx is not installed (.ci/nginx)"
)
# No proxy of the platform's, as 127.0.0.1 is.
HERE, LISTED = "127.0.0.50", "127.0.0.51"
LISTS = {
    f"geo $quantum_wallet_{who} {{\n    default 1;": f"geo $quantum_wallet_{who} {{ default 0; {LISTED} 1;"
    for who in ("caller", "operator")
}


class NoAnswer(Exception):
    """The connection ended without a byte."""


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each.lower() == name]


@pytest.fixture(scope="module")
def listed(callers: Callers) -> Party:
    """A game that may call from one address. Made before the server, which remembers whom it knows."""
    return make_party((f"{LISTED}/32",))


@pytest.fixture(scope="module")
def server(listed: Party, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("server")
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "BEHIND_TLS_PROXY": "1", "HTTPS_ONLY": "1"}
    # The kit's wrong passwords are not to be counted against others of this address.
    settings["AUTH_FAILURES_PER_MINUTE"] = "100000"
    with served(home / "log", DATABASE_URL=database_url, **settings) as url:
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate is."""
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def site(server: str, home: Path) -> Iterator[Site]:
    with whole_nginx_before(server, home) as site:
        yield site


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(
    port: int,
    path: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    address: str = HERE,
    tls: bool = True,
) -> Reply:
    """What the site says to a POST, or without a body to a GET, from an address of this machine.
    Raises `NoAnswer` if it closes without a byte.
    """
    source = (address, 0)
    connection = (
        HTTPSConnection("127.0.0.1", port, timeout=30, source_address=source, context=trusting())
        if tls
        else HTTPConnection("127.0.0.1", port, timeout=30, source_address=source)
    )
    try:
        sent = {"Content-Type": "application/json", "Host": "localhost"} | (headers or {})
        connection.request("GET" if body is None else "POST", path, body, sent)
        response = connection.getresponse()
        return Reply(response.status, response.getheaders(), response.read())
    except (ConnectionError, ssl.SSLEOFError) as problem:
        raise NoAnswer from problem
    finally:
        connection.close()


def call(session: PlayerSession, site: Site, *, address: str = HERE, **headers: str) -> Reply:
    """The session's game asks for the balance."""
    given = {"Authorization": session.caller.authorization or ""} | headers
    return ask(
        site.tls,
        "/wallet/getBalance",
        body=dump({"token": session.token}).encode(),
        headers=given,
        address=address,
    )


# --- TLS ---


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "is_spoken"), [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
def test_tls__only_versions_that_are_still_good(version: str, is_spoken: bool, site: Site) -> None:
    context = trusting()
    # Whatever this machine's own OpenSSL would not do by default.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    connection = HTTPSConnection("127.0.0.1", site.tls, context=context, timeout=10)
    if is_spoken:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    else:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            connection.connect()
    connection.close()


def test_tls__of_1_2_only_ciphers_with_forward_secrecy(site: Site) -> None:
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-SHA:AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA")
    with pytest.raises(ssl.SSLError):
        HTTPSConnection("127.0.0.1", site.tls, context=context, timeout=10).connect()


def test_tls__browsers_are_told_once_to_stay_with_it(site: Site) -> None:
    (told,) = ask(site.tls, "/admin/").values("strict-transport-security")
    assert told.startswith("max-age=31536000")


def test_plain__is_sent_on_to_tls(site: Site) -> None:
    reply = ask(site.plain, "/admin/?a=b", tls=False)
    assert (reply.status, reply.values("location")) == (301, ["https://localhost/admin/?a=b"])


@pytest.mark.parametrize("path", ["/wallet/getBalance", "/payments/initiate", "/entry/balance", "/pay/acme"])
def test_plain__a_call_is_refused_and_not_sent_on(path: str, site: Site) -> None:
    reply = ask(site.plain, path, body=b"{}", tls=False)
    assert (reply.status, reply.values("location")) == (403, [])


# --- Calls, and whom the platform takes for the caller ---


def test_calls__pass_with_their_money(site: Site, player_session: PlayerSession) -> None:
    reply = call(player_session, site)
    assert (reply.status, json.loads(reply.body)["balance"]["amount"]) == (200, 100.0)


def test_calls__the_platform_sees_the_callers_address(site: Site, callers: Callers, listed: Party) -> None:
    session = open_session(listed, callers.player())
    assert call(session, site, address=LISTED).status == 200
    for said in ({}, {"X-Forwarded-For": LISTED}, {"X-Real-IP": LISTED}, {"Forwarded": f"for={LISTED}"}):
        with pytest.raises(NoAnswer):
            call(session, site, **said)


def test_calls__only_nginx_says_whether_they_came_by_tls(server: str, site: Site) -> None:
    """What a caller says of it is overwritten: without TLS the platform tells browsers nothing."""
    assert not ask(int(server.rpartition(":")[2]), "/admin/", tls=False).values("strict-transport-security")
    reply = ask(site.tls, "/admin/", headers={"X-Forwarded-Proto": "http"})
    assert reply.values("strict-transport-security")


def test_calls__bring_no_trace_along(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    said = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "a=b"}
    with peer(answer) as platform, nginx_before(f"http://127.0.0.1:{platform.port}", tmp_path) as url:
        assert (
            ask(int(url.rpartition(":")[2]), "/wallet/a", body=b"{}", headers=said, tls=False).status == 200
        )
        [request] = platform.requests
    assert b"x-request-id" in request.lower()
    assert b"trace" not in request.lower()


@pytest.mark.parametrize(("size", "is_json"), [(65 * 1024, True), (300 * 1024, False)])
def test_calls__too_long_a_body_is_413(
    size: int, is_json: bool, site: Site, player_session: PlayerSession
) -> None:
    headers = {"Authorization": player_session.caller.authorization or ""}
    reply = ask(site.tls, "/wallet/getBalance", body=b'"' + b"x" * size + b'"', headers=headers)
    assert reply.status == 413
    assert (b"errorCode" in reply.body) is is_json


# --- The conformance kit ---


def failures(site: Site, home: Path, callers: Callers, categories: Iterable[str]) -> list[str]:
    """What a run of these checks through nginx says that is not as the contract has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(home / "fullchain.pem"))
        target = target_at(f"https://localhost:{site.tls}", callers)
        checks = [check for check in CHECKS if check.category in categories]
        results = list(Run(target, target.redactor()).run(checks))
    assert len(results) >= 10
    return [f"{result.check.id}: {result.failure}" for result in results if result.failure]


def test_kit__is_green_where_a_proxy_could_differ(site: Site, home: Path, callers: Callers) -> None:
    assert failures(site, home, callers, ("authentication", "attack")) == []


@pytest.mark.long
def test_kit__is_green(site: Site, home: Path, callers: Callers) -> None:
    assert failures(site, home, callers, {check.category for check in CHECKS}) == []


# --- Lists ---


def test_lists__who_stands_on_none_gets_no_byte(
    server: str, player_session: PlayerSession, tmp_path: Path
) -> None:
    with whole_nginx_before(server, tmp_path, LISTS) as site:
        assert call(player_session, site, address=LISTED).status == 200
        assert ask(site.tls, "/admin/", address=LISTED).status == 302
        with pytest.raises(NoAnswer):
            call(player_session, site)
        for path in ("/payments/query", "/entry/balance", "/%77allet/getBalance", "//wallet/getBalance"):
            with pytest.raises(NoAnswer):
                ask(site.tls, path, body=b"{}")
        for path in ("/admin/", "/admin/login/", "/admin/wallet/wallet/"):
            with pytest.raises(NoAnswer):
                ask(site.tls, path)
        # Players and providers come from anywhere.
        assert ask(site.tls, "/pay/nobody", body=b"{}").status == 404
        assert ask(site.tls, "/healthz").status == 200


# --- Rates ---


def test_rates__who_asks_the_admin_too_often_is_told_so(
    server: str, player_session: PlayerSession, tmp_path: Path
) -> None:
    # As many at once as shipped; what comes back in a second comes in a minute: no machine is too slow.
    with whole_nginx_before(server, tmp_path, {"rate=10r/s": "rate=1r/m", "rate=1r/s": "rate=1r/m"}) as site:
        for path, burst in (("/admin/login/", 20), ("/admin/", 50)):
            statuses = [ask(site.tls, path).status for _ in range(burst + 3)]
            assert [status == 429 for status in statuses] == [False] * (burst + 1) + [True] * 2
        # Calls are counted nowhere.
        assert call(player_session, site).status == 200


def test_no_answer__of_a_platform_that_is_away(tmp_path: Path) -> None:
    with nginx_before("http://127.0.0.1:9", tmp_path) as url, pytest.raises(NoAnswer):
        ask(int(url.rpartition(":")[2]), "/wallet/getBalance", body=b"{}", tls=False)
