"""Links in the documents lead somewhere: to a file of this repository, and to a heading in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        ROOT / "llms.txt",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("clients/**/*.md"),
    ]
)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


def links(document: Path) -> list[str]:
    """What a document links to, but for other sites."""
    found = LINK.findall(CODE.sub("", document.read_text()))
    return [link for link in found if not link.startswith(("https://", "http://", "mailto:"))]


def anchors(document: Path) -> set[str]:
    """The headings of a document, as links name them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def is_dead(document: Path, link: str) -> bool:
    """Whether nothing is there."""
    path, _, anchor = link.partition("#")
    target = document if not path else (document.parent / path).resolve()
    if not target.exists() or ROOT not in (target, *target.parents):
        return True
    return bool(anchor) and anchor not in anchors(target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document__has_no_dead_link(document: Path) -> None:
    assert [link for link in links(document) if is_dead(document, link)] == []


def test_dead_link__is_found(tmp_path: Path) -> None:
    here = ROOT / "docs" / "api.md"
    assert is_dead(here, "no-such-page.md")
    assert is_dead(here, "contract.md#no-such-heading")
    assert is_dead(here, f"../../{tmp_path.name}")
    assert not is_dead(here, "contract.md")
