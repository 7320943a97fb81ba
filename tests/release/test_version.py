"""A version has to follow from what the changelog says."""

import pytest

from tests.release.version import problems

NEW = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A lobby.\n"
BREAKING = NEW.replace("Added", "Breaking")
OLD = "\n## [0.3.1] - 2026-10-02\n\n- A game.\n\n## [0.3.0] - 2026-09-01\n\n- A wallet.\n"
DONE = "# Changelog\n\n## [Unreleased]\n" + OLD


@pytest.mark.parametrize(
    ("version", "changelog"),
    [
        ("0.1.0", NEW),
        ("0.3.2", NEW + OLD),
        ("0.4.0", BREAKING + OLD),
        ("1.0.0", BREAKING + OLD),
        ("0.3.1", DONE),
    ],
)
def test_version__follows_from_the_changelog(version: str, changelog: str) -> None:
    assert problems(version, changelog) == []


@pytest.mark.parametrize(
    ("version", "changelog", "said"),
    [
        ("0.3.1", NEW + OLD, "something is unreleased"),
        ("0.2.0", NEW + OLD, "is out already"),
        ("0.3.2", DONE, "Unreleased is empty"),
        ("0.3.2", BREAKING + OLD, "Callers break"),
        ("0.4.0", NEW + OLD.replace("0.3.0", "0.9.0"), "not in order"),
    ],
)
def test_version__that_cannot_be_is_said(version: str, changelog: str, said: str) -> None:
    assert said in " ".join(problems(version, changelog))
