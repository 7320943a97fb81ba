"""What callers rely on, as lines that can be compared: made from the API's description.

A *promise* (what is taken, what is answered) breaks callers when it goes, a *demand* (what a request must
have, and how it must look) when it comes. `docs/released-api.txt` has the lines of the last release.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RELEASED = ROOT / "docs" / "released-api.txt"
# What narrows a text or a number.
BOUNDS = ("pattern", "minLength", "maxLength", "minimum", "maximum")
MOST_DEEP = 8


class Change(NamedTuple):
    """A line that breaks callers, and the path that it is about."""

    path: str
    words: str


def surface(description: dict[str, Any]) -> list[str]:
    """The lines of a description (OpenAPI 3), sorted."""
    return sorted(
        {line for path, calls in description["paths"].items() for line in of_path(path, calls, description)}
    )


def of_path(path: str, calls: dict[str, Any], description: dict[str, Any]) -> Iterator[str]:
    for method, call in calls.items():
        name = f"{method.upper()} {path}"
        yield f"{name} is there"
        for content, media in call.get("requestBody", {}).get("content", {}).items():
            for word, rest in members(media["schema"], description):
                yield f"{name} {content} {REQUEST[word]} {rest}"
        for status, answer in call["responses"].items():
            yield f"{name} answers {status}"
            # What says no has one body under every status (contract 1.5, 1.6).
            for media in answer.get("content", {}).values() if status == "200" else ():
                for word, rest in members(media.get("schema", {}), description):
                    if word != "bound":
                        yield f"{name} {ANSWER[word]} {status} {rest}"


REQUEST = {"has": "takes", "always": "demands", "bound": "demands"}
ANSWER = {"has": "answers", "always": "always answers"}


def members(
    schema: dict[str, Any], description: dict[str, Any], at: str = "", deep: int = 0
) -> Iterator[tuple[str, str]]:
    """Each member of a shape: it is there (`has`), has to be there (`always`), has a bound (`bound`)."""
    schema = resolved(schema, description)
    if deep > MOST_DEEP:
        return
    kinds = schema.get("anyOf") or schema.get("oneOf") or []
    for kind in kinds:
        # Of several shapes each may come: a shape's name tells what it always has from what the others have.
        shape = resolved(kind, description).get("title", "")
        yield from members(kind, description, f"{at}<{shape}>" if shape else at, deep + 1)
    if at and not at.endswith(">") and not kinds:
        yield "has", f"{at}: {schema.get('format') or schema.get('type', 'anything')}"
        yield from (("has", f"{at} = {value}") for value in schema.get("enum", ()))
        yield from (
            ("bound", f"{at} {bound} {schema[bound]}")
            for bound in BOUNDS
            if bound in schema and "enum" not in schema
        )
    if "items" in schema:
        yield from members(schema["items"], description, f"{at}[]", deep + 1)
    for name, member in schema.get("properties", {}).items():
        yield from members(member, description, f"{at}.{name}".lstrip("."), deep + 1)
    yield from (("always", f"{at}.{name}".lstrip(".")) for name in schema.get("required", ()))


def resolved(schema: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to."""
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def breaking(before: list[str], after: list[str]) -> list[Change]:
    """What breaks a caller of `before`: a promise that went, or a demand that came to a known call."""
    gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    known = {call_of(line) for line in before}
    return [
        *(Change(call_of(line)[1], f"no more: {line}") for line in gone if not is_demand(line)),
        *(
            Change(call_of(line)[1], f"new: {line}")
            for line in come
            if is_demand(line) and call_of(line) in known
        ),
    ]


def is_demand(line: str) -> bool:
    return line.split(" ")[3:4] == ["demands"]


def call_of(line: str) -> tuple[str, str]:
    """The method and the path of a line."""
    method, path, _ = line.split(" ", 2)
    return method, path


def untold(changes: list[Change], changelog: str) -> list[Change]:
    """Those that the section *Breaking* of what is unreleased does not name by their path."""
    _, _, unreleased = changelog.partition("\n## [Unreleased]\n")
    _, _, told = unreleased.partition("\n## ")[0].partition("\n### Breaking\n")
    told, _, _ = told.partition("\n### ")
    return [change for change in changes if f"`{change.path}`" not in told]


def read_released() -> list[str]:
    return RELEASED.read_text().splitlines()


def main() -> int:
    """Writes the lines of the present description, read from standard input: for a release."""
    RELEASED.write_text("".join(f"{line}\n" for line in surface(json.load(sys.stdin))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
