"""The examples in a document: what a reader would paste into a terminal and into Python, in order."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

# Within a list a block is indented.
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Made anew by each run.
VOLATILE = {
    "playerId",
    "uid",
    "mmTransactionId",
    "qwTransactionId",
    "orderId",
    "token",
    "expiresAt",
    "launchUrl",
}
MARK = "--- example"


class Example(NamedTuple):
    """A block of shell, and the answer that the document shows below it, if it shows one."""

    text: str
    answer: Any


def blocks(document: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(document.read_text())


def shell_examples(document: Path) -> list[Example]:
    """The blocks of shell; a block of JSON that follows one is the last line that it prints."""
    found = blocks(document)
    follows = [*found[1:], ("", "")]
    return [
        Example(text, read(after) if kind == "json" else None)
        for (language, text), (kind, after) in zip(found, follows, strict=True)
        if language == "sh"
    ]


def python_examples(document: Path) -> list[str]:
    return [text for language, text in blocks(document) if language == "python"]


def read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def script(examples: list[Example]) -> str:
    """All of them for one shell, which stops at the first that fails; marks stand between their outputs."""
    return "set -euo pipefail\nset -a\n" + "".join(f"{one.text}echo '{MARK}'\n" for one in examples)


def outputs(printed: str) -> list[str]:
    """What each example printed."""
    return printed.split(f"{MARK}\n")[:-1]


def without_volatile(answer: Any) -> Any:
    """An answer without what differs at each run."""
    if isinstance(answer, dict):
        return {
            name: type(value).__name__ if name in VOLATILE else without_volatile(value)
            for name, value in answer.items()
        }
    return [without_volatile(one) for one in answer] if isinstance(answer, list) else answer
