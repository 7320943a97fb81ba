"""How a call of the API is described in the OpenAPI document (contract 5)."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from lib.http.error_documents import DOCUMENTS, ERRORS
from lib.http.errors import ErrorCode

View = TypeVar("View", bound=type[Any])

REFERENCE = "#/components/schemas/{name}"
# Every described shape, collected as the views are imported, for `add_components`.
SHAPES: list[type[msgspec.Struct]] = []

# The statuses that are no answer of the contract, and may come from any call.
FAILURES = (401, 413, 429, 500, 503)


def described(
    *,
    tag: str,
    request: type[msgspec.Struct] | None,
    answer: type[msgspec.Struct],
    error: type[msgspec.Struct],
    refusals: tuple[ErrorCode, ...],
    sends: dict[str, Any],
    gets: dict[str, Any],
    method: str = "post",
    parameters: tuple[Any, ...] = (),
    adds: Callable[[ErrorCode], dict[str, Any]] = lambda code: {},
) -> Callable[[View], View]:
    """Describes a view: what it is sent, what it answers, each refusal, and an example of both. One that is
    sent no body has no `request`.

    `adds` gives what a refusal of that code holds besides its code and its description.
    """
    SHAPES.extend(shape for shape in (request, answer, error) if shape)

    def describe(view: View) -> View:
        summary = (view.__doc__ or "").strip()
        schema = extend_schema(
            tags=[tag],
            operation_id=view.__name__[0].lower() + view.__name__[1:],
            summary=summary.split(":")[0].rstrip("."),
            description=summary,
            parameters=list(parameters),
            request={"application/json": {"$ref": REFERENCE.format(name=request.__name__)}}
            if request
            else None,
            responses={200: success(answer, error, refusals, gets, adds), **failures(error)},
            examples=[OpenApiExample("request", value=sends, request_only=True)] if request else [],
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
        meaning = DOCUMENTS[code].meaning
        body = {"errorCode": int(code), "errorDescription": meaning, **adds(code)}
        examples.append(OpenApiExample(f"{int(code)} {meaning}", value=body, response_only=True))
    schema = {"anyOf": [{"$ref": REFERENCE.format(name=shape.__name__)} for shape in (answer, error)]}
    return OpenApiResponse(
        schema,
        description=(
            f"Done, or refused: a refusal has an errorCode. [Its page]({ERRORS}) says why, and what to do."
        ),
        examples=examples,
    )


def failures(error: type[msgspec.Struct]) -> dict[int, OpenApiResponse]:
    """Everything that is no answer (contract 1.6)."""
    return {
        status: OpenApiResponse(
            {"$ref": REFERENCE.format(name=error.__name__)},
            description=DOCUMENTS[status].meaning,
            examples=[
                OpenApiExample(
                    f"{status}",
                    value={
                        "errorCode": 101 if status == 413 else 100,
                        "errorDescription": DOCUMENTS[status].description,
                    },
                    response_only=True,
                ),
            ],
        )
        for status in FAILURES
    }


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Puts the described shapes among the document's components (a postprocessing hook)."""
    _, components = msgspec.json.schema_components(dict.fromkeys(SHAPES), ref_template=REFERENCE)
    result.setdefault("components", {}).setdefault("schemas", {}).update(as_numbers(components))
    return result


# How msgspec describes a Decimal, whatever its annotation says; it is sent as a number (lib.http.responses).
DECIMAL_TEXT = {"type": "string", "format": "decimal"}


def as_numbers(schema: Any) -> Any:
    """The schema with every decimal described as the JSON number that it is sent as."""
    if isinstance(schema, dict):
        described = {name: as_numbers(member) for name, member in schema.items()}
        is_decimal = described.items() >= DECIMAL_TEXT.items()
        return {**without(described, "format"), "type": "number"} if is_decimal else described
    return [as_numbers(member) for member in schema] if isinstance(schema, list) else schema


def without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: member for each, member in schema.items() if each != name}
