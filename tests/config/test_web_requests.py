"""What is read without gunicorn's parser (config.web_requests) is what gunicorn's parser reads."""

import os
import runpy
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from config.launcher.supervisor import ROOT
from config.web_connection import Connection
from config.web_requests import HEAD_BYTES, MOST_FIELDS, PlainRequest
from tests.attack.http_shapes import SHAPES

EXAMPLES = 20_000 if os.environ.get("LONG") else 600
# Objects of which every request has its own, and what Django does not read.
OWN = ("wsgi.input", "wsgi.errors", "wsgi.early_hints", "gunicorn.socket")
POST = b"POST /wallet/withdraw HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def shipped() -> Any:
    cfg = Config()
    for name, value in runpy.run_path(str(ROOT / "config/gunicorn.py")).items():
        if name in cfg.settings:
            cfg.set(name, value)
    return cfg


SHIPPED = shipped()


def connection_of(data: bytes, *, with_plain: bool = True, cfg: Any = SHIPPED) -> Connection:
    """One that has received `data`."""
    connection = Connection(None, ("10.0.0.1", 5000), ("10.0.0.2", 80), cfg, None)  # type: ignore[arg-type]
    connection.plain.is_possible &= with_plain
    connection.flush = lambda: True  # type: ignore[method-assign]
    connection.received += data
    return connection


def told(data: bytes, *, with_plain: bool) -> list[Any]:
    """What comes of `data`: requests, the verdict on a wrong one, what is left, what was sent."""
    connection = connection_of(data, with_plain=with_plain)
    requests: list[Any] = []
    try:
        while connection.has_request():
            requests.append(one_told(connection))
            connection.end_request()
    except Exception as problem:  # noqa: BLE001 (whatever gunicorn's parser says)
        requests.append((type(problem), str(problem)))
    return [*requests, bytes(connection.received), bytes(connection.unsent), connection.request is None]


def one_told(connection: Connection) -> tuple[Any, ...]:
    request = connection.take_request()
    answer, environ = connection.open_answer(request)
    event(f"plain: {isinstance(request, PlainRequest)}")
    read = {key: value for key, value in environ.items() if key not in OWN}
    assert environ["gunicorn.socket"] is connection
    assert environ["wsgi.multithread"] is True
    asked = (request.method, request.uri, request.query, request.version, request.should_close())
    body = environ["wsgi.input"].read() if connection.is_whole else b""
    return read, asked, answer.should_close(), body


def is_plain(data: bytes, cfg: Any = SHIPPED) -> bool:
    return connection_of(data, cfg=cfg).plain.read(bytearray(data)) is not None


NAMES = """
Host host Content-Length CONTENT-LENGTH Content-Type Transfer-Encoding Connection Expect Upgrade X-A x-a X_A
Authorization SCRIPT_NAME Script-Name Path-Info X-Forwarded-Proto X-Forwarded-For Content_Length Trailer TE A!
"""
VALUES = """
5 0 05 +5 -1 5,5 0x5 99999 100000 close Close keep-alive upgrade 100-continue chunked identity a:b \xff \xb2
"""
ODD_VALUES = ["", " ", " a ", "a b", "a\t", "\x00", "\x7f", "a\rb", "a\nb", "5 ", "close, x"]
TARGETS = r"/ /a /a?b /a? /a?b=%41&?c=/ /a;b?c?d /a[b] /:80 /a\b"
ODD_TARGETS = r"//a ///a ? /a?b#c /a#b /%00 /a%2Fb?%41 * a:80 http://x/y"
VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
TARGET = st.sampled_from([*ODD_TARGETS.split(), "/\xe9", "/\x00"]) | VISIBLE.map("/{}".format)
FIELD = st.one_of(
    st.tuples(st.sampled_from(["Host", "Content-Type", "Authorization", "X-A", "x-b"]), VISIBLE),
    st.tuples(st.sampled_from(["Script-Name", "Path-Info", "X-Forwarded-Proto", "TE", "Trailer"]), VISIBLE),
    st.tuples(st.just("Content-Length"), st.sampled_from(["0", "3", "05", " 6 ", "99999"])),
    st.tuples(
        st.just("Connection"), st.sampled_from(["close", "CLOSE", "keep-alive", "upgrade", "close, x"])
    ),
)
ODD_FIELD = st.tuples(
    st.sampled_from(NAMES.split()),
    st.sampled_from(VALUES.split()) | st.sampled_from(ODD_VALUES) | VISIBLE,
)
METHODS = ["HEAD", "PUT", "get", "G", "CONNECT", "OPTIONS", "G#T", "GET\t"]
VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.11", "http/1.1", ""]
BETWEEN = [":  ", " :", ":\t", " ", ""]
ENDS = ["\n", "\r", "\r\n ", "\r\n\r\n"]


def often(common: list[str], rare: list[str], is_odd: bool) -> st.SearchStrategy[str]:
    return st.sampled_from([*common * 12, *rare] if is_odd else common)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Plain ones, and ones that are odd in some of their parts."""
    odd = draw(st.sampled_from(["", "", "target", "field", "field", "spelling", "target field spelling"]))
    target = draw(TARGET if "target" in odd else st.sampled_from(TARGETS.split()))
    fields = draw(st.lists(FIELD, max_size=4, unique_by=lambda field: field[0].lower()))
    if "field" in odd:
        fields += draw(st.lists(ODD_FIELD, min_size=1, max_size=2))
    is_odd = "spelling" in odd
    method, version = often(["GET", "POST"], METHODS, is_odd), often(["HTTP/1.1"], VERSIONS, is_odd)
    between, ends = often([": ", ":"], BETWEEN, is_odd), often(["\r\n"], ENDS, is_odd)
    lines = [f"{draw(method)} {target} {draw(version)}"]
    lines += [name + draw(between) + value for name, value in draw(st.permutations(fields))]
    head = "".join(line + draw(ends) for line in lines) + "\r\n"
    return head.encode("latin-1") + draw(st.binary(max_size=6))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=3).map(b"".join))
@example(POST + GET + POST[:-1])
def test_request__is_what_gunicorn_reads(data: bytes) -> None:
    assert told(data, with_plain=True) == told(data, with_plain=False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_request__with_one_byte_that_is_wrong_is_what_gunicorn_reads(data: st.DataObject) -> None:
    at, byte = data.draw(st.integers(0, len(POST))), data.draw(st.binary(min_size=1, max_size=1))
    for sent in (POST[:at] + byte + POST[at:], POST[:at] + byte + POST[at + 1 :], POST[:at] + POST[at + 1 :]):
        assert told(sent + GET, with_plain=True) == told(sent + GET, with_plain=False)


def line(first: bytes) -> bytes:
    return first + b"\r\nHost: a\r\n\r\n"


def field(last: bytes) -> bytes:
    return POST.replace(b"\r\n\r\n", b"\r\n" + last + b"\r\n\r\n")


HOSTILE = {
    "length: twice": field(b"Content-Length: 5"),
    "length: twice, not the same": field(b"content-length: 6"),
    "length: a plus": POST.replace(b" 5", b" +5"),
    "length: a minus": POST.replace(b" 5", b" -5"),
    "length: hexadecimal": POST.replace(b" 5", b" 0x5"),
    "length: an underscore": POST.replace(b" 5", b" 0_5"),
    "length: a list": POST.replace(b" 5", b" 5, 5"),
    "length: none": POST.replace(b" 5", b" "),
    "length: a digit that is none": POST.replace(b" 5", b" \xb2"),
    "length: too many digits": POST.replace(b" 5", b" 000005"),
    "coding: chunked": field(b"Transfer-Encoding: chunked"),
    "coding: hidden by a tab": field(b"Transfer-Encoding:\tchunked"),
    "coding: hidden by a capital": field(b"tRANSFER-eNCODING: chunked"),
    "coding: hidden by an underscore": field(b"Transfer_Encoding: chunked"),
    "coding: a space before the colon": field(b"Transfer-Encoding : chunked"),
    "coding: folded": field(b"Transfer-Encoding:\r\n chunked"),
    "line: a bare LF": line(b"GET / HTTP/1.1\nX: a"),
    "line: bare LFs": GET.replace(b"\r\n", b"\n"),
    "line: bare CRs": GET.replace(b"\r\n", b"\r"),
    "line: HTTP/1.0": line(b"GET / HTTP/1.0"),
    "line: HTTP/0.9": b"GET /\r\n\r\n",
    "line: HTTP/2": line(b"GET / HTTP/2.0"),
    "line: an absolute target": line(b"GET http://b/c HTTP/1.1"),
    "line: two slashes": line(b"GET //b/c HTTP/1.1"),
    "line: a fragment": line(b"GET /#a HTTP/1.1"),
    "line: an escaped NUL": line(b"GET /%00 HTTP/1.1"),
    "line: escapes": line(b"GET /%77allet%2Fwithdraw HTTP/1.1"),
    "line: NUL": line(b"GET /\x00 HTTP/1.1"),
    "line: not ASCII": line(b"GET /\xc3\xa9 HTTP/1.1"),
    "line: two spaces": line(b"GET  / HTTP/1.1"),
    "line: a tab": line(b"GET\t/ HTTP/1.1"),
    "line: a space at its end": line(b"GET / HTTP/1.1 "),
    "line: an empty one before it": b"\r\n" + GET,
    "line: long": line(b"GET /" + b"a" * 5000 + b" HTTP/1.1"),
    "field: an underscore": field(b"X_Forwarded_For: 1.1.1.1"),
    "field: the script's name": field(b"SCRIPT_NAME: /wallet"),
    "field: NUL": field(b"X: a\x00"),
    "field: not ASCII": field(b"X: \xc3\xa9"),
    "field: a lone CR": field(b"X: a\rTransfer-Encoding: chunked"),
    "field: a lone LF": field(b"X: a\nTransfer-Encoding: chunked"),
    "field: no name": field(b": a"),
    "field: no colon": field(b"X"),
    "field: twice": field(b"X: a\r\nx: b"),
    "field: Host twice": field(b"Host: b"),
    "field: long": field(b"X: " + b"a" * 8200),
    "field: many": field(b"\r\n".join(b"X%d: a" % number for number in range(99))),
    "field: too many": field(b"\r\n".join(b"X%d: a" % number for number in range(101))),
    "expectation": field(b"Expect: 100-continue"),
    "expectation: unknown": field(b"Expect: a miracle"),
    "upgrade": field(b"Connection: upgrade\r\nUpgrade: websocket"),
}
assert all(shape != POST for shape in HOSTILE.values())


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_hostile__is_left_to_gunicorn(sent: bytes) -> None:
    assert not is_plain(sent)
    assert told(sent + GET, with_plain=True) == told(sent + GET, with_plain=False)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_attack__reads_the_same_with_and_without(shape: Any) -> None:
    assert told(shape.sent, with_plain=True) == told(shape.sent, with_plain=False)


@pytest.mark.parametrize(
    "sent",
    [
        GET,
        POST,
        POST.replace(b" 5", b" 00005"),
        field(b"Connection: close"),
        field(b"Connection: Close"),
        field(b"Connection: keep-alive"),
        field(b"X-Empty:\r\nAuthorization:Basic YTpi\r\nX-Spaces:   a b  "),
        line(b"GET /a?b=%2F&c=?//\\ HTTP/1.1"),
    ],
)
def test_plain__is_read_here(sent: bytes) -> None:
    assert is_plain(sent)
    assert told(sent, with_plain=True) == told(sent, with_plain=False)


def test_plain__is_whole_with_its_last_byte() -> None:
    connection = connection_of(b"")
    for at, byte in enumerate(POST, start=1):
        connection.received.append(byte)
        assert connection.has_request() == (at == len(POST))
    assert isinstance(connection.request, PlainRequest)


def test_plain__ends_at_its_limits() -> None:
    rest = HEAD_BYTES - len(field(b"X: ")) + len(b"hello")
    assert is_plain(field(b"X: " + b"a" * rest))
    assert not is_plain(field(b"X: " + b"a" * (rest + 1)))
    names = [b"X%d: a" % number for number in range(MOST_FIELDS)]
    assert is_plain(field(b"\r\n".join(names[:-2])))
    assert not is_plain(field(b"\r\n".join(names[:-1])))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secure_scheme_headers", {"X-FORWARDED-PROTO": "https"}),
        ("proxy_protocol", "v1"),
        ("limit_request_line", 3000),
        ("limit_request_field_size", 3000),
        ("limit_request_fields", 50),
        ("limit_request_line", 1),
        ("limit_request_field_size", 1),
        ("limit_request_fields", 1),
    ],
)
def test_plain__is_nothing_where_gunicorn_is_set_otherwise(name: str, value: Any) -> None:
    cfg = shipped()
    cfg.set(name, value)
    assert is_plain(GET)
    assert not is_plain(GET, cfg)


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("limit_request_line", HEAD_BYTES),
        ("limit_request_field_size", HEAD_BYTES),
        ("limit_request_fields", MOST_FIELDS),
    ],
)
def test_plain__is_read_where_gunicorn_would_take_it(name: str, needed: int) -> None:
    """0 is no limit."""
    for value in (0, needed):
        cfg = shipped()
        cfg.set(name, value)
        assert is_plain(GET, cfg)


def test_request__its_password_is_gone_with_it() -> None:
    connection = connection_of(field(b"Authorization: Basic c2VjcmV0OnNlY3JldA=="))
    assert connection.has_request()
    connection.open_answer(connection.take_request())
    connection.end_request()
    kept = repr((vars(connection), vars(connection.plain)))
    assert "c2VjcmV0" not in kept


@pytest.mark.parametrize("with_plain", [True, False])
def test_failure__of_the_application_is_answered_by_gunicorn(with_plain: bool) -> None:
    """Also where somebody has an access log kept, which asks a request for its fields."""
    cfg = shipped()
    cfg.set("accesslog", "-")
    connection = connection_of(POST, with_plain=with_plain, cfg=cfg)
    assert connection.has_request()
    worker = SimpleNamespace(cfg=cfg, log=Logger(cfg))
    problem = ValueError("wrong")
    Worker.handle_error(worker, connection.take_request(), connection, connection.client, problem)
    assert connection.unsent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
