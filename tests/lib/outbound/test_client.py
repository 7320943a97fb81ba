"""The outgoing HTTP client against peers on real sockets.

What is sent, what is accepted, and that everything ends in time.
"""

import logging
import socket
import ssl
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from lib.outbound import client
from lib.outbound.client import BasicCredential, Unanswered, post_json
from tests.support.http_peer import Act, Peer, drip, flood, peer, resolve_as, send_and_hang

BODY = b'{"mmTransactionId":"mm-1"}'
SECRET = BasicCredential("JohnDoe", "MyPass")
SECRET_FORMS = ("MyPass", "Sm9obkRvZTpNeVBhc3M=")
ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"state":"CONFIRMED"}'
)
TOTAL_SECONDS = 0.6


def refusal(url: str, body: bytes = BODY) -> Unanswered:
    """How a call fails, which it must; and nothing secret is told by it, in whatever way it is shown."""
    with pytest.raises(Unanswered) as caught:
        post_json(url, body, credential=SECRET)
    problem: Unanswered = caught.value
    link: BaseException | None = problem
    shown = "".join(traceback.format_exception(problem))
    while link:
        shown += str(link) + repr(link) + repr(vars(link))
        link = link.__cause__ or link.__context__
    assert not [form for form in SECRET_FORMS if form in shown]
    return problem


@pytest.fixture(autouse=True)
def bounds(settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.OUTGOING_CONNECT_SECONDS = 3.0
    settings.OUTGOING_TOTAL_SECONDS = 5.0


# --- What is sent and what is accepted --------------------------------------------------------------


def test_client__sends_the_request_and_returns_the_answer(settings: Settings) -> None:
    with peer(ANSWER) as server:
        reply = post_json(
            server.url(), BODY, credential=SECRET, headers={"webhook-id": "msg_1", "User-Agent": "another"}
        )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /state?game=1 HTTP/1.1"
    assert sorted(line.lower() for line in lines) == [
        "accept-encoding: identity",
        "accept: application/json",
        "authorization: basic sm9obkrvztpnevbhc3m=",
        "connection: close",
        "content-length: 26",
        "content-type: application/json",
        f"host: 127.0.0.1:{server.port}",
        f"user-agent: quantumwallet/{settings.VERSION}",
        "webhook-id: msg_1",
    ]
    assert "authorization: Basic Sm9obkRvZTpNeVBhc3M=" in lines
    assert body == BODY
    assert (reply.status, reply.body, reply.headers["content-type"]) == (
        200,
        b'{"state":"CONFIRMED"}',
        "application/json",
    )
    assert reply.took_ms >= 0


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 404, 410, 429, 500, 503])
def test_client__any_complete_answer_is_a_reply_no_redirects(status: int) -> None:
    with (
        peer(ANSWER) as elsewhere,
        peer(
            b"HTTP/1.1 %d So\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
            % (status, elsewhere.url().encode())
        ) as server,
    ):
        assert post_json(server.url(), BODY).status == status
        assert (server.connections, elsewhere.connections) == (1, 0)


def test_client__opens_and_closes_its_own_connection_per_call() -> None:
    closed: list[bytes] = []

    def act(connection: socket.socket, server: Peer) -> None:
        connection.sendall(ANSWER)
        closed.append(connection.recv(1))

    with peer(act) as server:
        for _ in range(3):
            assert post_json(server.url(), BODY).status == 200
        assert server.connections == 3
        time.sleep(0.1)
    assert closed == [b"", b"", b""]


def test_client__ignores_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with peer(ANSWER) as server, peer(ANSWER) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert post_json(server.url(), BODY).status == 200
        assert (server.connections, proxy.connections) == (1, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-key", "MyPass\r\nEvil: 1"),
        ("x-key", "MyPass\n"),
        ("x-key", "MyPäss MyPass"),
        ("x-key", ""),
        ("x-key:", "MyPass"),
        ("", "MyPass"),
    ],
)
def test_client__refuses_an_unsendable_header_without_its_value(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"the header '{name}' cannot be sent") as caught:
        post_json("http://127.0.0.1:1/", BODY, headers={name: value})
    assert "MyPass" not in str(caught.value)


def test_client__reads_a_body_of_64_kib_and_not_one_byte_more() -> None:
    for length, wanted in ((65536, 65536), (65537, "too_long")):
        for head in (b"Content-Length: %d\r\n" % length, b""):
            with peer(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"x" * length) as server:
                assert (
                    len(post_json(server.url(), BODY).body) if wanted == 65536 else refusal(server.url()).kind
                ) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(send_and_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"), id="announced"),
        pytest.param(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000), id="without end"),
        pytest.param(
            flood(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"
            ),
            id="in chunks",
        ),
        pytest.param(
            flood(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 500 + b"\r\nx\r\n"
            ),
            id="framing",
        ),
        pytest.param(flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="preliminary"),
    ],
)
def test_client__stops_reading_an_answer_that_is_too_long(act: Act) -> None:
    with peer(act) as server:
        problem = refusal(server.url())
    assert problem.kind == "too_long"


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_client__bounds_the_headers(first: bytes) -> None:
    with peer(flood(first + b"X-Long: ", b"x" * 1000)) as server:
        problem = refusal(server.url())
    assert problem.kind == "protocol"


# --- Whatever the peer does, it ends ----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "act"),
    [
        pytest.param("http", send_and_hang(b""), id="nothing comes"),
        pytest.param(
            "http",
            send_and_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
            id="nothing after the headers",
        ),
        pytest.param(
            "http", send_and_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), id="half a body"
        ),
        pytest.param("http", drip(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"), id="headers drip"),
        pytest.param("http", drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), id="a body drips"),
        pytest.param(
            "http",
            drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
            id="chunks drip",
        ),
        pytest.param("http", drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="preliminary answers drip"),
        pytest.param("https", send_and_hang(b""), id="no handshake"),
        pytest.param("https", drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"x"), id="a handshake drips"),
    ],
)
def test_client__deadline_is_for_the_whole_call(settings: Settings, scheme: str, act: Act) -> None:
    settings.OUTGOING_TOTAL_SECONDS = TOTAL_SECONDS
    with peer(act, reads=scheme == "http") as server:
        problem = refusal(server.url(scheme=scheme))
    assert problem.kind == "timeout"
    # The peer goes on for as long as the call does: without a deadline it would never end.
    assert problem.took_ms >= TOTAL_SECONDS * 1000 - 5


@pytest.mark.slow
def test_client__deadline_holds_if_request_is_taken_slowly(settings: Settings) -> None:
    settings.OUTGOING_TOTAL_SECONDS = TOTAL_SECONDS

    def act(connection: socket.socket, server: Peer) -> None:
        while not server.over.wait(0.05):
            connection.recv(200_000)

    with peer(act, reads=False) as server:
        problem = refusal(server.url(), b"x" * 20_000_000)
    assert problem.kind == "timeout"


def test_client__answer_before_the_request_was_taken_counts() -> None:
    with peer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", reads=False) as server:
        assert post_json(server.url(), b"x" * 20_000_000).status == 413


def test_client__does_not_wait_for_a_hanging_resolver(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_TOTAL_SECONDS = TOTAL_SECONDS
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    problem = refusal("http://game.example/")
    assert (problem.kind, problem.text) == ("timeout", "the host's name was not resolved in time")


def reset(connection: socket.socket, _: Peer) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (b"", "closed"),
        (reset, "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "protocol"),
        (b"HTTP/1.1 000 No\r\n\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "protocol"),
        (b"\x00\xff\x00\xff\r\n\r\n", "protocol"),
    ],
)
def test_client__incomplete_answer_is_no_answer(act: Act | bytes, kind: str) -> None:
    with peer(act) as server:
        assert refusal(server.url()).kind == kind


def echo(connection: socket.socket, server: Peer) -> None:
    """Sends back what came, as headers of an answer, and makes it invalid."""
    connection.sendall(
        b"HTTP/1.1 200 OK\r\n"
        + server.requests[-1].partition(b"\r\n")[2].replace(b"authorization: ", b"authorization ")
    )


def test_client__echoed_credential_is_not_in_errors_or_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), peer(echo) as server:
        assert refusal(server.url()).kind == "protocol"
        with peer(
            b"HTTP/1.1 200 OK\r\nX-You-Said: Sm9obkRvZTpNeVBhc3M=\r\nContent-Length: 6\r\n\r\nMyPass"
        ) as second:
            shown = repr(post_json(second.url(), BODY, credential=SECRET)) + repr(SECRET) + caplog.text
    assert not [form for form in SECRET_FORMS if form in shown]


# --- TLS --------------------------------------------------------------------------------------------


def certified(name: str, folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate for `name` that it signed itself.

    The certificate is left in `folder`.
    """
    key, subject, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        datetime.now(UTC),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
    )
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context


@pytest.mark.parametrize(
    ("trusted", "host", "wanted"),
    [
        (True, "game.example", 200),
        (True, "GAME.example.", 200),
        (True, "other.example", "tls"),
        (True, "127.0.0.1", "tls"),
        (False, "game.example", "tls"),
    ],
)
def test_certificate__must_be_trusted_and_match_the_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusted: bool, host: str, wanted: int | str
) -> None:
    context, names = certified("game.example", tmp_path), []
    context.sni_callback = lambda _, name, __: names.append(name)
    monkeypatch.setattr(client.TRUST, "context", None)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    asked = resolve_as(monkeypatch, "127.0.0.1")
    with peer(ANSWER, context) as server:
        outcome = (
            post_json(server.url(host, "https"), BODY).status
            if wanted == 200
            else refusal(server.url(host, "https")).kind
        )
    assert outcome == wanted
    assert asked == [host.lower()]
    assert names == [None if host == "127.0.0.1" else host.lower().removesuffix(".")]
    assert len(server.requests) == (1 if wanted == 200 else 0)


def test_client__peer_without_tls_is_a_tls_failure() -> None:
    with peer(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads=False) as server:
        assert refusal(server.url(scheme="https")).kind == "tls"
