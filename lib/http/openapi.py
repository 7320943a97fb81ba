"""How a call of the API is described in the OpenAPI document (contract 5)."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from django.utils.translation import gettext_noop as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from lib.http.errors import INTERNAL_ERROR, ErrorCode

View = TypeVar("View", bound=type[Any])

REFERENCE = "#/components/schemas/{name}"
# Every described shape, collected as the views are imported, for `add_components`.
SHAPES: list[type[msgspec.Struct]] = []

# The API says them in English; the operators' page translates them.
CODES = {
    ErrorCode.OTHER: _("Another error; repeat the call."),
    ErrorCode.INVALID_REQUEST: _("The request is invalid."),
    ErrorCode.UNKNOWN_SESSION: _("The session token is unknown, ended or expired."),
    ErrorCode.PLAYER_BARRED: _("The player is blocked, self-excluded or closed, or the wallet is frozen."),
    ErrorCode.INSUFFICIENT_FUNDS: _("The player has insufficient funds."),
    ErrorCode.FOREIGN_CURRENCY: _("The currency is unknown, or not the session's."),
    ErrorCode.TRANSACTION_NOT_FOUND: _("There is no such transaction."),
    ErrorCode.ALREADY_CONFIRMED: _("The transaction is already confirmed."),
    ErrorCode.ALREADY_ROLLED_BACK: _("The transaction is already rolled back."),
    ErrorCode.EXPIRED: _("The transaction has expired and was settled as rolled back."),
    ErrorCode.OTHER_CONTENT: _("The transaction id was used before with other content."),
    ErrorCode.LIMIT_REACHED: _("A limit is reached."),
}
FAILURES = {
    401: (
        "No or wrong authorization (400 where the platform is set so).",
        "Authorization is missing or wrong.",
    ),
    413: ("The body is longer than 64 KiB.", "The body is longer than 64 KiB."),
    429: (
        "Too many failed authentications from this address; see Retry-After.",
        "Too many failed authentications from this address.",
    ),
    500: ("An unhandled failure; repeat the call.", INTERNAL_ERROR),
    503: ("The database is unavailable; repeat the call after Retry-After seconds.", INTERNAL_ERROR),
}


def described(
    *,
    tag: str,
    request: type[msgspec.Struct],
    answer: type[msgspec.Struct],
    error: type[msgspec.Struct],
    refusals: tuple[ErrorCode, ...],
    sends: dict[str, Any],
    gets: dict[str, Any],
    method: str = "post",
    parameters: tuple[Any, ...] = (),
    adds: Callable[[ErrorCode], dict[str, Any]] = lambda code: {},
) -> Callable[[View], View]:
    """Describes a view: what it is sent, what it answers, each refusal, and an example of both.

    `adds` gives what a refusal of that code holds besides its code and its description.
    """
    SHAPES.extend((request, answer, error))

    def describe(view: View) -> View:
        summary = (view.__doc__ or "").strip()
        schema = extend_schema(
            tags=[tag],
            operation_id=view.__name__[0].lower() + view.__name__[1:],
            summary=summary.split(":")[0].rstrip("."),
            description=summary,
            parameters=list(parameters),
            request={"application/json": {"$ref": REFERENCE.format(name=request.__name__)}},
            responses={200: success(answer, error, refusals, gets, adds), **failures(error)},
            examples=[OpenApiExample("request", value=sends, request_only=True)],
        )
        decorated: View = extend_schema_view(**{method: schema})(view)
        return decorated

    return describe


def success(
    answer: type[msgspec.Struct],
    error: type[msgspec.Struct],
    refusals: tuple[ErrorCode, ...],
    gets: dict[str, Any],
    adds: Callable[[ErrorCode], dict[str, Any]],
) -> OpenApiResponse:
    """HTTP 200: the answer, or a refusal with its code."""
    examples = [OpenApiExample("success", value=gets, response_only=True)]
    for code in refusals:
        body = {"errorCode": int(code), "errorDescription": CODES[code], **adds(code)}
        examples.append(OpenApiExample(f"{int(code)} {CODES[code]}", value=body, response_only=True))
    schema = {"anyOf": [{"$ref": REFERENCE.format(name=shape.__name__)} for shape in (answer, error)]}
    return OpenApiResponse(
        schema, description="Done, or refused: a refusal has an errorCode.", examples=examples
    )


def failures(error: type[msgspec.Struct]) -> dict[int, OpenApiResponse]:
    """Everything that is no answer (contract 1.6)."""
    return {
        status: OpenApiResponse(
            {"$ref": REFERENCE.format(name=error.__name__)},
            description=description,
            examples=[
                OpenApiExample(
                    f"{status}",
                    value={"errorCode": 101 if status == 413 else 100, "errorDescription": text},
                    response_only=True,
                ),
            ],
        )
        for status, (description, text) in FAILURES.items()
    }


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Puts the described shapes among the document's components (a postprocessing hook)."""
    _, components = msgspec.json.schema_components(dict.fromkeys(SHAPES), ref_template=REFERENCE)
    result.setdefault("components", {}).setdefault("schemas", {}).update(components)
    return result
