"""Reads the heads that nearly every caller sends at a fraction of what gunicorn's parser costs.

Plain is a head that no two servers could read differently; what is odd in the least is left to gunicorn's
parser and its verdict. Of a plain one comes what gunicorn makes of it (tests/config/test_web_requests.py).
Like config/gunicorn.py this imports nothing of the project.
"""

import io
import os
import re
from functools import cache, lru_cache
from typing import Any

from gunicorn.config import Config
from gunicorn.http import wsgi

# Bytes of a whole head, and its fields: no setting of ours is lower (`reads_plain`).
HEAD_BYTES = 4000
MOST_FIELDS = 64
# Digits of a Content-Length: a body this long is always waited for (config.web_connection.BODY_LIMIT).
LENGTH_DIGITS = 5
# The head without its blank line: target, path and query without escapes in the path, then the fields.
HEAD = re.compile(
    r"(GET|POST) ((/(?!/)[!\"$&->@-~]*)(?:\?([!\"$-~]*))?) HTTP/1\.1((?:\r\n[A-Za-z0-9-]+:[ -~]*)+)"
)
# What changes how the rest is to be read.
NOT_PLAIN = frozenset({"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE"})


class PlainRequest:
    """What gunicorn's Response and its error answers want to know of a request, and the environ."""

    __slots__ = ("body", "environ", "is_last", "length", "method", "query", "uri")

    version = (1, 1)
    # gunicorn's access log would ask for them; there is none (config/gunicorn.py).
    headers = ()

    def __init__(self, environ: dict[str, Any], length: int, *, is_last: bool) -> None:
        self.environ, self.length, self.is_last = environ, length, is_last
        self.method: str = environ["REQUEST_METHOD"]
        self.uri: str = environ["RAW_URI"]
        self.query: str = environ["QUERY_STRING"]

    @property
    def path(self) -> str:
        path: str = self.environ["PATH_INFO"]
        return path

    def take_body(self, received: bytearray) -> None:
        """Takes its body from the beginning of `received`."""
        self.body = self.environ["wsgi.input"] = io.BytesIO(received[: self.length])
        del received[: self.length]

    def should_close(self) -> bool:
        return self.is_last


class PlainRequests:
    """Reads the plain requests of one connection."""

    def __init__(self, cfg: Config, client: Any, server: Any) -> None:
        self.cfg, self.client, self.server = cfg, client, server
        self.is_possible = reads_plain(cfg) and isinstance(client, tuple) and isinstance(server, tuple)
        self.base: dict[str, Any] = {}

    def read(self, received: bytearray) -> PlainRequest | None:
        """Takes a head from the beginning of `received`; None, and nothing taken, if it is not whole or not
        plain.
        """
        end = received.find(b"\r\n\r\n", 0, HEAD_BYTES) if self.is_possible else -1
        if end < 0 or not (match := HEAD.fullmatch(received[:end].decode("latin-1"))):
            return None
        method, uri, path, query, fields = match.groups("")
        environ = self.new_environ()
        if not add_fields(environ, fields):
            return None
        length = environ.get("CONTENT_LENGTH", "0")
        if not length.isdigit() or len(length) > LENGTH_DIGITS:
            return None
        environ["REQUEST_METHOD"], environ["RAW_URI"] = method, uri
        environ["PATH_INFO"], environ["QUERY_STRING"] = path, query
        del received[: end + 4]
        is_last = environ.get("HTTP_CONNECTION", "").lower() == "close"
        return PlainRequest(environ, int(length), is_last=is_last)

    def new_environ(self) -> dict[str, Any]:
        """What is the same for every request of the connection."""
        if not self.base:
            self.base = base_environ(self.cfg) | {
                "REMOTE_ADDR": self.client[0],
                "REMOTE_PORT": str(self.client[1]),
                "SERVER_NAME": self.server[0],
                "SERVER_PORT": str(self.server[1]),
            }
        return self.base.copy()


def add_fields(environ: dict[str, Any], fields: str) -> bool:
    """Adds the lines, of which each begins with CR LF; False if they are not plain after all."""
    lines = fields.split("\r\n")
    if len(lines) - 1 > MOST_FIELDS:
        return False
    before = len(environ)
    for line in lines[1:]:
        name, _, value = line.partition(":")
        environ[environ_key(name)] = value.strip(" ")
    # What comes twice is joined, or refused.
    return len(environ) - before == len(lines) - 1 and NOT_PLAIN.isdisjoint(environ)


@lru_cache(maxsize=512)
def environ_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


@cache
def base_environ(cfg: Config) -> dict[str, Any]:
    """What is the same for every plain request of the worker."""
    base: dict[str, Any] = wsgi.base_environ(cfg)
    return base | {"SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "", "wsgi.url_scheme": "http"}


@cache
def reads_plain(cfg: Config) -> bool:
    """Whether nothing is set by which gunicorn would read a plain head otherwise."""
    changes = (
        cfg.is_ssl,
        cfg.secure_scheme_headers,
        cfg.proxy_protocol != "off",
        cfg.protocol != "http",
        os.environ.get("SCRIPT_NAME"),
        0 < cfg.limit_request_line < HEAD_BYTES,
        0 < cfg.limit_request_field_size < HEAD_BYTES,
        0 < cfg.limit_request_fields < MOST_FIELDS,
    )
    return not any(changes)
