"""The licence of each package that is installed: `docs/licences.md`, made from what the packages say."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LOCKS, PAGE = ("requirements.lock", "requirements-telemetry.lock"), ROOT / "docs" / "licences.md"
# One of these words stands in each licence that was agreed to.
AGREED = ("MIT", "BSD", "Apache", "PSF", "Mozilla", "MPL-2.0", "LGPL-3.0", "Unlicense")
HEAD = """\
# Licences

Quantum Wallet is under the Apache License 2.0. These are the packages that it installs, as locked, and
what each says of its own licence. They are used as they are; none of their code stands in this
repository. `python -m tests.release.licences` writes this page.

| package | licence |
|---|---|
"""


class Licensed(NamedTuple):
    """A package, and the licence that it names."""

    package: str
    licence: str


def locked() -> list[str]:
    """The names of all packages in the locks that this Python and system install."""
    texts = [(ROOT / lock).read_text() for lock in LOCKS]
    lines = [line.split(" \\")[0] for text in texts for line in text.splitlines() if line[:1].isalnum()]
    wanted = [Requirement(line) for line in lines]
    return sorted({one.name for one in wanted if one.marker is None or one.marker.evaluate()})


def licensed() -> Iterator[Licensed]:
    return (Licensed(name, licence_of(name)) for name in locked())


def licence_of(package: str) -> str:
    """What a package says: its expression, else its classifiers, else its own words."""
    said: Any = metadata.metadata(package)
    classified = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or [] if line.startswith("License")
    ]
    words: str = said.get("License-Expression") or ", ".join(classified) or said.get("License") or ""
    return words.partition("\n")[0]


def is_agreed(licence: str) -> bool:
    return any(word in licence for word in AGREED)


def page() -> str:
    return HEAD + "".join(f"| {one.package} | {one.licence} |\n" for one in licensed())


if __name__ == "__main__":
    PAGE.write_text(page())
