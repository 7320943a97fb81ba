"""Answers of the API: exact JSON, and the bodies of errors (contract 1.5, 1.6)."""

from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from msgspec import Meta

from lib.http.errors import INTERNAL_ERROR, ErrorCode

HEADERS = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
ENCODER = msgspec.json.Encoder(decimal_format="number")


class ErrorAnswer(msgspec.Struct):
    """An answer that says no."""

    errorCode: Annotated[int, Meta(ge=100, le=111)]  # noqa: N815 (the partner's names)
    errorDescription: Annotated[str, Meta(description="For debugging.")]  # noqa: N815


class NoAnswer(HttpResponse):
    """Stands for no answer at all: config.wsgi closes the connection instead of sending it (contract 1.3)."""

    status_code = 403


class JsonAnswer(HttpResponse):
    """An answer in JSON. `error_code` is that of its body, 0 for success."""

    error_code = 0


def json_answer(body: Any, status: int = 200) -> JsonAnswer:
    """`body` as JSON; a Decimal is a JSON number with its own digits."""
    content = ENCODER.encode(body)
    return JsonAnswer(content, status=status, headers={**HEADERS, "Content-Length": str(len(content))})


def error_answer(code: ErrorCode, description: str, status: int = 200, **members: Any) -> JsonAnswer:
    """The body that says no, with further `members` such as the balance."""
    answer = json_answer({"errorCode": int(code), "errorDescription": description, **members}, status)
    answer.error_code = int(code)
    return answer


def unauthorized() -> HttpResponse:
    """Missing, malformed or wrong authorization (contract 1.4)."""
    answer = error_answer(
        ErrorCode.OTHER, "Authorization is missing or wrong.", settings.WALLET_UNAUTHORIZED_STATUS
    )
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


def unavailable() -> HttpResponse:
    """What it takes to answer cannot be reached, or does not answer in time (contract 1.6)."""
    answer = error_answer(ErrorCode.OTHER, INTERNAL_ERROR, 503)
    answer["Retry-After"] = "5"
    return answer
