"""The HTTP edge: reads a request exactly, calls one handler, answers with JSON (contract 1)."""

import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from lib.http.errors import invalid
from players.access.gate import Call

Shape = TypeVar("Shape", bound=msgspec.Struct)

JSON_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*\Z', re.IGNORECASE)


class BodyTooLong(APIException):
    """The body is longer than `API_BODY_LIMIT`."""

    status_code = 413
    default_detail = "The body is longer than 64 KiB."


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The request's body as a JSON object whose numbers are Decimals; members that are null are absent.

    The standard library's reader is used, not msgspec's: it takes lone surrogates in texts that never cause a refusal.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.API_BODY_LIMIT:
        raise BodyTooLong
    if not JSON_TYPE.match(request.META.get("CONTENT_TYPE", "")):
        raise invalid("The content type must be application/json.")
    try:
        body = json.loads(
            request.body.decode(), parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as problem:
        raise invalid("The body is not JSON in UTF-8.") from problem
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    return {name: value for name, value in body.items() if value is not None}


def fit(body: dict[str, Any], shape: type[Shape]) -> Shape:
    """`body` as a `shape`; unknown members are tolerated. Raises the refusal 101 that says what does not fit."""
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as problem:
        raise invalid(f"The request does not fit: {problem}.") from problem
    except UnicodeEncodeError as problem:
        raise invalid("The request does not fit: a text holds half a character.") from problem


def make_ready(shape: type[msgspec.Struct]) -> None:
    """Uses `shape` once, on the thread that imports: msgspec 0.22 crashes the process where several threads use a shape first at once."""
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, shape)


def whole_number(value: Any, name: str, least: int, most: int) -> int:
    """`value` as an int from `least` to `most`. Raises 101 otherwise."""
    if (
        not isinstance(value, Decimal)
        or not value.is_finite()
        or value.adjusted() > 18
        or value != value.to_integral_value()
    ):
        raise invalid(f"{name} must be a whole number.")
    if not least <= value <= most:
        raise invalid(f"{name} must be from {least} to {most}.")
    return int(value)


class CallerAuthentication(BaseAuthentication):
    """Hands over what the gate decided, for the API's description; the gate has long refused everybody else."""

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Basic"


def who_calls(request: Request) -> Call:
    """What the gate decided about a request of the API."""
    call: Call = request._request.call  # type: ignore[attr-defined]  # noqa: SLF001
    return call


class ApiView(APIView):
    """One call of the API. `shape` is what is sent; `handle` returns the answer or raises a Refusal."""

    http_method_names = ["post"]
    authentication_classes = [CallerAuthentication]
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JSONRenderer]
    parser_classes = []
    shape: ClassVar[type[msgspec.Struct]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "shape" in vars(cls):
            make_ready(cls.shape)

    def post(self, request: Request) -> HttpResponse:
        return self.answer(who_calls(request), read_object(request._request))  # noqa: SLF001 (DRF offers no other way to the bytes)

    def answer(self, call: Call, body: dict[str, Any]) -> HttpResponse:
        """The answer to a JSON object."""
        return self.handle(call, fit(body, self.shape))

    def handle(self, call: Call, given: Any) -> HttpResponse:
        """The answer to a request of the right shape. Raises Refusal."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to negotiate or to check: the gate has decided who calls, and every answer is JSON."""
