"""gunicorn's Response, at a fraction of its cost for the heads that nearly every answer has.

Like config/gunicorn.py this imports nothing of the project.
"""

import re
import time
from collections.abc import Sequence
from functools import lru_cache

from gunicorn import SERVER, util
from gunicorn.http.message import TOKEN_RE
from gunicorn.http.wsgi import Response

PLAIN_VALUES = re.compile(r"[ -~]*")
# Made once a second.
date_of = lru_cache(maxsize=2)(util.http_date)


class Answer(Response):  # type: ignore[misc]
    """The same bytes as gunicorn's Response, to which all is left that is not plain
    (tests/config/test_web_answers.py).
    """

    headers_sent: bool
    response_length: int | None

    def process_headers(self, headers: Sequence[tuple[str, str]]) -> None:
        try:
            are_plain = PLAIN_VALUES.fullmatch("".join([value for _, value in headers]))
        except TypeError:
            are_plain = None
        if not are_plain:
            super().process_headers(headers)
            return
        for header in headers:
            if is_plain_name(header[0]):
                self.headers.append((header[0], header[1].strip(" ")))
            else:
                super().process_headers([header])

    def is_chunked(self) -> bool:
        return self.response_length is None and bool(super().is_chunked())

    def send_headers(self) -> None:
        if self.headers_sent:
            return
        if self.chunked or self.upgrade:
            super().send_headers()
            return
        major, minor = self.req.version
        head = (
            f"HTTP/{major}.{minor} {self.status}\r\nServer: {SERVER}\r\nDate: {date_of(int(time.time()))}\r\n"
            f"Connection: {'close' if self.should_close() else 'keep-alive'}\r\n"
        )
        fields = "".join([f"{name}: {value}\r\n" for name, value in self.headers])
        self.sock.sendall(f"{head}{fields}\r\n".encode("latin-1"))
        self.headers_sent = True


@lru_cache(maxsize=512)
def is_plain_name(name: str) -> bool:
    """Whether gunicorn takes a field of this name over as it is."""
    is_token = isinstance(name, str) and TOKEN_RE.fullmatch(name)
    return bool(is_token) and name.lower() != "content-length" and not util.is_hoppish(name)
