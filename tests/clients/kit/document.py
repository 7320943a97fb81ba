"""The list of checks in `docs/conformance.md`; `python -m tests.clients.kit.document` renews it."""

from collections.abc import Iterator
from pathlib import Path

from clients.kit.checks import CATEGORIES, CHECKS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "conformance.md"
HEADING = "## The checks\n"


def listed() -> str:
    """The section as it must stand in the document."""
    return "\n".join([HEADING, f"{len(CHECKS)} checks in {len(CATEGORIES)} categories.\n", *tables()])


def tables() -> Iterator[str]:
    for category in CATEGORIES:
        yield f"### {category.title} (`{category.name}`)\n"
        yield "| check | proves | contract |\n|---|---|---|"
        for check in category:
            yield f"| `{check.id}` | {check.title} | {check.paragraph} |"
        yield ""


def main() -> None:
    before = DOCUMENT.read_text().partition(HEADING)[0]
    DOCUMENT.write_text(before + listed())


if __name__ == "__main__":
    main()
