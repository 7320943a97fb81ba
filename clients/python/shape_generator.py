"""Writes `quantum_wallet/shapes.py` from the platform's OpenAPI document, given as standard input."""

import json
import re
import sys
from typing import Any

PREFIXES = ("/wallet/", "/entry/", "/payments/")
HEAD = '''"""Requests and answers of the API. Generated from its OpenAPI document: `make client-types`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from quantum_wallet import wire
from quantum_wallet.calls import Call
from quantum_wallet.money import Money


def present(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what is absent."""
    return {name: value for name, value in body.items() if value is not None}
'''
SIMPLE = {
    "string": ("str", "wire.text"),
    "integer": ("int", "wire.whole"),
    "number": ("Decimal", "wire.number"),
    "boolean": ("bool", "wire.truth"),
}
MONEY = ("Money", "wire.money")
# What an amount is called in the document, sent and received.
AMOUNTS = ("Money", "AmountIn")
SECRETS = ("token",)
Schema = dict[str, Any]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def name_of(schema: Schema) -> str:
    """What a reference refers to."""
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]


def kind_of(schema: Schema) -> tuple[str, str]:
    """The Python type of a value, and what reads it."""
    either = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if either:
        kind, reader = kind_of(either[0])
        return f"{kind} | None", f"wire.optional({reader})"
    if name_of(schema):
        return MONEY if name_of(schema) in AMOUNTS else (name_of(schema), f"{name_of(schema)}.read")
    if schema.get("type") == "array":
        kind, reader = kind_of(schema["items"])
        return f"list[{kind}]", f"wire.many({reader})"
    if schema.get("format") == "date-time":
        return "datetime", "wire.time"
    return SIMPLE[schema["type"]]


def inner_of(schema: Schema) -> list[str]:
    """The other shapes that a value is made of."""
    parts = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    return [name for part in parts if (name := name_of(part)) and name not in AMOUNTS]


def sent(name: str, schema: Schema) -> str:
    """A member of a body; what has members itself is a body, too."""
    value = f"self.{snake(name)}"
    return f"{value} and {value}.body()" if inner_of(schema) else value


def members(shape: Schema) -> list[tuple[str, Schema, bool]]:
    """Name, schema and whether it must be there; what must comes first."""
    required = set(shape.get("required", []))
    found = [(name, schema, name in required) for name, schema in shape.get("properties", {}).items()]
    return sorted(found, key=lambda one: not one[2])


def attribute(name: str, schema: Schema, *, is_required: bool) -> str:
    kind = kind_of(schema)[0]
    if not is_required:
        return f"    {snake(name)}: {kind.removesuffix(' | None')} | None = None"
    return f"    {snake(name)}: {kind}" + (" = field(repr=False)" if name in SECRETS else "")


def heading(name: str, shape: Schema) -> list[str]:
    about = str(shape.get("description", "")).strip() or name
    lines = [f"    {attribute_line}" for attribute_line in [f'"""{about}"""', ""]]
    attributes = [attribute(each, schema, is_required=must) for each, schema, must in members(shape)]
    return [
        "",
        "",
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {name}:",
        *lines,
        *attributes,
        "",
    ]


def request(name: str, shape: Schema) -> list[str]:
    """A class that makes a body."""
    pairs = ", ".join(f'"{each}": {sent(each, schema)}' for each, schema, _ in members(shape))
    return [
        *heading(name, shape),
        "    def body(self) -> dict[str, Any]:",
        f"        return present({{{pairs}}})",
    ]


def answer(name: str, shape: Schema) -> list[str]:
    """A class that reads a body."""
    reads = ", ".join(
        f'{snake(each)}=wire.{"member" if must else "possible"}(body, "{each}", {kind_of(schema)[1]})'
        for each, schema, must in members(shape)
    )
    return [
        *heading(name, shape),
        "    @classmethod",
        f'    def read(cls, given: object) -> "{name}":',
        *(["        body = wire.members(given)"] if reads else []),
        f"        return cls({reads})",
    ]


def call(path: str, method: str, operation: Schema) -> tuple[str, str, str]:
    """The line of a call, and the names of its request, if it has a body, and its answer."""
    body = operation.get("requestBody")
    asked = name_of(body["content"]["application/json"]["schema"]) if body else ""
    answers = operation["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    told = name_of(answers[0])
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    constant = "_".join(snake(part) for part in parts).upper()
    line = f'{constant} = Call("{parts[-1]}", "{method.upper()}", "{path}", {told}.read)'
    return line, asked, told


def generate(document: Schema) -> str:
    """The module's text, not formatted."""
    shapes = document["components"]["schemas"]
    calls = [
        call(path, method, operation)
        for path, methods in sorted(document["paths"].items())
        if path.startswith(PREFIXES)
        for method, operation in methods.items()
    ]
    lines = [HEAD]
    for name in in_order(shapes, sorted({asked for _, asked, _ in calls if asked})):
        lines += request(name, shapes[name])
    for name in in_order(shapes, sorted({told for _, _, told in calls})):
        lines += answer(name, shapes[name])
    return "\n".join([*lines, "", "", *(line for line, _, _ in calls), ""])


def in_order(shapes: dict[str, Schema], names: list[str]) -> list[str]:
    """The names, each after those that it is made of."""
    found: list[str] = []
    for name in names:
        wanted = [one for _, schema, _ in members(shapes[name]) for one in inner_of(schema)]
        found += [one for one in [*in_order(shapes, wanted), name] if one not in found]
    return found


if __name__ == "__main__":
    sys.stdout.write(generate(json.load(sys.stdin)))
