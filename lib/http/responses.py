"""Answers of the API: exact JSON, and the bodies of errors (contract 1.5, 1.6)."""

from http.cookies import SimpleCookie
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.http.response import ResponseHeaders
from msgspec import Meta

from lib.http.error_documents import HELP
from lib.http.errors import INTERNAL_ERROR, ErrorCode

READY = {
    "content-type": ("Content-Type", "application/json"),
    "x-content-type-options": ("X-Content-Type-Options", "nosniff"),
}
ENCODER = msgspec.json.Encoder(decimal_format="number")


class ErrorAnswer(msgspec.Struct):
    """An answer that says no."""

    errorCode: Annotated[int, Meta(ge=100, le=111)]  # noqa: N815 (the partner's names)
    errorDescription: Annotated[str, Meta(description="For debugging.")]  # noqa: N815


class NoAnswer(HttpResponse):
    """Stands for no answer at all: config.wsgi closes the connection instead of sending it (contract 1.3)."""

    status_code = 403


class OwnHeaders(ResponseHeaders):
    """Headers that Django need not check for line breaks: names and values are ours."""

    def __init__(self, **named: tuple[str, str]) -> None:
        self._store = named

    def put(self, name: str, value: str) -> None:
        self._store[name.lower()] = (name, value)

    def items(self) -> Any:
        return self._store.values()


class JsonAnswer(HttpResponse):
    """An answer in JSON. `error_code` is that of its body, 0 for success."""

    headers: OwnHeaders
    error_code = 0

    def __init__(self, content: bytes, status: int) -> None:
        # All that Django's own sets: it would read and check again what is known here.
        self.headers = OwnHeaders(**READY)
        self.headers.put("Content-Length", str(len(content)))
        self.status_code = status
        self.cookies = SimpleCookie()
        self.closed = False
        self._charset = self._reason_phrase = self._handler_class = None
        self._resource_closers: list[Any] = []
        self._container = [content]


def json_answer(body: Any, status: int = 200) -> JsonAnswer:
    """`body` as JSON; a Decimal is a JSON number with its own digits."""
    return JsonAnswer(ENCODER.encode(body), status)


def error_answer(code: ErrorCode, description: str, status: int = 200, **members: Any) -> JsonAnswer:
    """The body that says no, with further `members` such as the balance; a header leads to what helps."""
    number = int(code)
    answer = json_answer({"errorCode": number, "errorDescription": description, **members}, status)
    answer.error_code = number
    if link := HELP.get(number if status == 200 else status):
        answer.headers.put(*link)
    return answer


def unauthorized() -> HttpResponse:
    """Missing, malformed or wrong authorization (contract 1.4)."""
    answer = error_answer(
        ErrorCode.OTHER, "Authorization is missing or wrong.", settings.WALLET_UNAUTHORIZED_STATUS
    )
    # Also where the status is set to 400.
    answer.headers.put(*HELP[401])
    answer["WWW-Authenticate"] = 'Basic realm="Quantum Wallet", charset="UTF-8"'
    return answer


def too_many_failures(retry_after: int) -> HttpResponse:
    """A failed authentication past the limit of its address (contract 1.2); `retry_after` in seconds."""
    answer = error_answer(ErrorCode.OTHER, "Too many failed authentications from this address.", 429)
    answer["Retry-After"] = str(retry_after)
    return answer


def internal_error() -> HttpResponse:
    """An unhandled failure (contract 1.6)."""
    return error_answer(ErrorCode.OTHER, INTERNAL_ERROR, 500)


def unavailable(retry_after: int = 5) -> HttpResponse:
    """What it takes to answer cannot be reached, or does not answer in time (contract 1.6), or nothing new
    may begin (2.5); `retry_after` in seconds.
    """
    answer = error_answer(ErrorCode.OTHER, INTERNAL_ERROR, 503)
    answer["Retry-After"] = str(retry_after)
    return answer
