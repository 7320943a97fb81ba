"""What breaks a caller is found, and does not land without a word in the changelog."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.release.api_surface import ROOT, breaking, read_released, surface, untold
from tests.support.callers import Caller

Description = dict[str, Any]
DESCRIPTION: Description = {
    "paths": {
        "/wallet/pay": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "anyOf": [
                                        {"$ref": "#/components/schemas/Paid"},
                                        {"$ref": "#/components/schemas/Refused"},
                                    ]
                                }
                            }
                        }
                    },
                    "401": {},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Ask": {
                "title": "Ask",
                "type": "object",
                "properties": {
                    "token": {"type": "string", "format": "uuid"},
                    "note": {"type": "string", "maxLength": 255},
                    "kind": {"type": "string", "enum": ["card", "cash"]},
                },
                "required": ["token"],
            },
            "Paid": {
                "title": "Paid",
                "type": "object",
                "properties": {
                    "lines": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"id": {"type": "string"}}},
                    }
                },
                "required": ["lines"],
            },
            "Refused": {
                "title": "Refused",
                "type": "object",
                "properties": {"errorCode": {"type": "integer"}},
            },
        }
    },
}


def changed(change: Callable[[Description, Description], object]) -> list[str]:
    """What a change of the description breaks, in words."""
    after = copy.deepcopy(DESCRIPTION)
    change(after["paths"]["/wallet/pay"]["post"], after["components"]["schemas"])
    return [one.words for one in breaking(surface(DESCRIPTION), surface(after))]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda call, shapes: call["responses"].pop("401"), "no more: POST /wallet/pay answers 401"),
        (
            lambda call, shapes: shapes["Ask"]["properties"].pop("note"),
            "no more: POST /wallet/pay application/json takes note: string",
        ),
        (
            lambda call, shapes: shapes["Ask"]["required"].append("note"),
            "new: POST /wallet/pay application/json demands note",
        ),
        (
            lambda call, shapes: shapes["Ask"]["properties"]["note"].update(maxLength=100),
            "new: POST /wallet/pay application/json demands note maxLength 100",
        ),
        (
            lambda call, shapes: shapes["Ask"]["properties"]["kind"]["enum"].remove("cash"),
            "no more: POST /wallet/pay application/json takes kind = cash",
        ),
        (
            lambda call, shapes: shapes["Paid"]["required"].remove("lines"),
            "no more: POST /wallet/pay always answers 200 <Paid>.lines",
        ),
        (
            lambda call, shapes: shapes["Paid"]["properties"]["lines"]["items"]["properties"].update(
                id={"type": "integer"}
            ),
            "no more: POST /wallet/pay answers 200 <Paid>.lines[].id: string",
        ),
    ],
)  # fmt: skip
def test_breaking__is_found(change: Callable[[Description, Description], object], words: str) -> None:
    assert changed(change) == [words]


@pytest.mark.parametrize(
    "change",
    [
        lambda call, shapes: call["responses"].update({"429": {}}),
        lambda call, shapes: shapes["Ask"]["properties"].update(extra={"type": "string"}),
        lambda call, shapes: shapes["Ask"]["properties"]["kind"]["enum"].append("wire"),
        lambda call, shapes: shapes["Ask"]["required"].remove("token"),
        lambda call, shapes: shapes["Ask"]["properties"]["note"].pop("maxLength"),
        lambda call, shapes: shapes["Paid"]["properties"].update(extra={"type": "string"}),
        lambda call, shapes: shapes["Refused"].update(description="In other words."),
    ],
)
def test_breaking__lets_callers_have_more(change: Callable[[Description, Description], object]) -> None:
    assert changed(change) == []


def test_breaking__a_call_that_goes_breaks_and_one_that_comes_does_not() -> None:
    nothing: list[str] = []
    assert {one.path for one in breaking(surface(DESCRIPTION), nothing)} == {"/wallet/pay"}
    assert breaking(nothing, surface(DESCRIPTION)) == []


@pytest.mark.parametrize(
    ("changelog", "is_told"),
    [
        ("# C\n\n## [Unreleased]\n\n### Breaking\n\n- `/wallet/pay` takes no notes.\n\n### Added\n", True),
        ("# C\n\n## [Unreleased]\n\n### Breaking\n\n- `/wallet/other` takes no notes.\n", False),
        ("# C\n\n## [Unreleased]\n\n### Added\n\n- `/wallet/pay` takes no notes.\n", False),
        ("# C\n\n## [Unreleased]\n\n## [1.0.0]\n\n### Breaking\n\n- `/wallet/pay` takes no notes.\n", False),
    ],
)
def test_changelog__has_to_name_the_path(changelog: str, *, is_told: bool) -> None:
    changes = breaking(surface(DESCRIPTION), [])
    assert (untold(changes, changelog) == []) is is_told


def test_api__breaks_nobody_without_a_word_in_the_changelog() -> None:
    description = json.loads(Caller(None).send("GET", "/api/schema/?format=json").raw)
    changes = breaking(read_released(), surface(description))
    told = untold(changes, (ROOT / "CHANGELOG.md").read_text())
    assert told == [], "name each path in CHANGELOG.md under Unreleased, ### Breaking"
