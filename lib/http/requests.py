"""Reads a request of the API exactly: a JSON object, and what it holds (contract 1, Reading a request)."""

import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException

from lib.http.errors import invalid

Shape = TypeVar("Shape", bound=msgspec.Struct)

JSON_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*\Z', re.IGNORECASE)


class BodyTooLong(APIException):
    """The body is longer than `API_BODY_LIMIT`."""

    status_code = 413
    default_detail = "The body is longer than 64 KiB."


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


# Made once: `json.loads` would make one for each request.
DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant)


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The request's body as a JSON object whose numbers are Decimals; members that are null are absent. The
    request has it as `given` afterwards.

    The standard library's reader is used, not msgspec's: it takes lone surrogates in texts that never cause a
    refusal.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.API_BODY_LIMIT:
        raise BodyTooLong
    if not JSON_TYPE.match(request.META.get("CONTENT_TYPE", "")):
        raise invalid("The content type must be application/json.")
    try:
        body = DECODER.decode(request.read().decode())
    except (ValueError, ArithmeticError, RecursionError) as problem:
        raise invalid("The body is not JSON in UTF-8.") from problem
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    # Kept for whoever asks afterwards why it was refused.
    given = request.given = {name: value for name, value in body.items() if value is not None}  # type: ignore[attr-defined]
    return given


def fit(body: dict[str, Any], shape: type[Shape]) -> Shape:
    """`body` as a `shape`; unknown members are tolerated.

    Raises the refusal 101 that says what does not fit.
    """
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as problem:
        raise invalid(f"The request does not fit: {problem}.") from problem
    except UnicodeEncodeError as problem:
        raise invalid("The request does not fit: a text holds half a character.") from problem


def make_ready(shape: type[msgspec.Struct]) -> None:
    """Uses `shape` once, on the thread that imports.

    msgspec 0.22 crashes the process if several threads use a shape first at once.
    """
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
