"""An answer has the bytes that gunicorn's Response gives it (config.web_answers)."""

import os
from typing import Any
from unittest.mock import patch

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from config.web_answers import Answer
from config.web_requests import PlainRequest

EXAMPLES = 20_000 if os.environ.get("LONG") else 500
NAMES = """
Content-Type Content-Length content-length Connection connection Keep-Alive Transfer-Encoding Upgrade Server
Date X-A x-a Vary Set-Cookie TE Trailers A!b
"""
ODD_NAMES = ["", "a b", "a:b", "a\r", "X-\xe9", "X\r\nY", 5, b"X"]
VALUES = ["5", "0", "3", " 5", "+5", "x", "close", "upgrade", "websocket", "", " a ", "a b", "\ta", "\xe9"]
ODD_VALUES = ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "\x00", "\x7f", "ā", 5, b"a", None]
STATUSES = [
    "200 OK",
    "400 Bad Request",
    "204 No Content",
    "304 Not Modified",
    "100 Continue",
    "500",
    "999 \xe9",
]
ODD_STATUSES = ["", "OK", "20 OK", "200OK", "200 O\r\nX: a", 200, b"200 OK"]


class Sink:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def mostly(common: list[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda number: st.sampled_from(common if number else odd))


FIELD = st.tuples(mostly(NAMES.split(), ODD_NAMES), mostly(VALUES, ODD_VALUES))
PARTS = st.lists(st.sampled_from([b"hello", b"", b"abc", b"x" * 9]), max_size=3)


def told(of: type[Response], method: str, *, is_last: bool, answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is sent, what is raised, and whether the connection ends."""
    status, fields, parts, begins_again = answer
    sink = Sink()
    environ = {"REQUEST_METHOD": method, "RAW_URI": "/", "QUERY_STRING": ""}
    response = of(PlainRequest(environ, 0, is_last=is_last), sink, Config())
    problem: Exception | None = None
    with patch("time.time", return_value=1_700_000_000.5):
        try:
            response.start_response(status, fields)
            if begins_again:
                response.start_response("500 Oops", fields[:1], (ValueError, ValueError("late"), None))
            for part in parts:
                response.write(part)
            response.close()
        except Exception as raised:  # noqa: BLE001 (whatever gunicorn says of an answer)
            problem = raised
    ends = response.status and response.should_close()
    return sink.sent, type(problem), str(problem), response.sent, response.response_length, ends


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "CONNECT"]),
    st.booleans(),
    st.tuples(mostly(STATUSES, ODD_STATUSES), st.lists(FIELD, max_size=4), PARTS, st.booleans()),
)
def test_answer__has_the_bytes_of_gunicorn(method: str, is_last: bool, answer: tuple[Any, ...]) -> None:
    expected = told(Response, method, is_last=is_last, answer=answer)
    assert told(Answer, method, is_last=is_last, answer=answer) == expected


@pytest.mark.parametrize("ended", ["\r\n", "\n", "\r", "\x00"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_answer__has_no_field_that_ends_early(place: str, ended: str) -> None:
    odd = f"X{ended}Set-Cookie: a=b"
    field = (odd, "a") if place == "name" else ("X", odd)
    sent, problem, *_ = told(
        Answer, "GET", is_last=False, answer=("200 OK", [("Content-Length", "0"), field], [], False)
    )
    assert (sent, problem.__name__) == (b"", f"InvalidResponseHeader{'Name' if place == 'name' else ''}")


def test_date__is_of_this_second() -> None:
    dates = []
    for second in (0, 0.9, 1, 60):
        with patch("time.time", return_value=1_700_000_000 + second):
            sink = Sink()
            request = PlainRequest(
                {"REQUEST_METHOD": "GET", "RAW_URI": "/", "QUERY_STRING": ""}, 0, is_last=False
            )
            answer = Answer(request, sink, Config())
            answer.start_response("200 OK", [])
            answer.close()
            dates.append(sink.sent.partition(b"Date: ")[2][17:25])
    assert dates == [b"22:13:20", b"22:13:20", b"22:13:21", b"22:14:20"]
