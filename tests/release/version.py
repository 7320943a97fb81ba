"""Whether the version and the changelog agree: `python -m tests.release.version`.

Before a release the section *Unreleased* tells of the version in `pyproject.toml`, which has no section yet;
afterwards the newest section has its number, and nothing is unreleased.
"""

import re
import sys
from pathlib import Path

from config.version import read_version

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
SECTION = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", re.MULTILINE)
BREAKING = "\n### Breaking\n"


def problems(version: str, changelog: str) -> list[str]:
    """What is wrong, in sentences; the newest section comes first."""
    _, _, rest = changelog.partition("\n## [Unreleased]\n")
    unreleased = rest.partition("\n## ")[0].strip()
    released = SECTION.findall(changelog)
    found = []
    if released != sorted(released, key=numbers, reverse=True):
        found.append("The sections are not in order, the newest first.")
    newest = released[0] if released else "0.0.0"
    if numbers(version) < numbers(newest):
        found.append(f"The version is {version}, and {newest} is out already.")
    if version == newest and unreleased:
        found.append(f"{version} is out already, and something is unreleased: take the next version.")
    if version != newest and not unreleased:
        found.append(f"Nobody would know what is new in {version}: Unreleased is empty.")
    if BREAKING in f"\n{unreleased}\n" and not is_major(version, newest):
        found.append(f"Callers break, so {version} is no version that may follow {newest}.")
    return found


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def is_major(version: str, before: str) -> bool:
    """Whether callers may break: another first number, or, before 1.0.0, another second one."""
    (major, minor, _), (before_major, before_minor, _) = numbers(version), numbers(before)
    return major > before_major or (major == 0 and minor > before_minor)


def main() -> int:
    found = problems(read_version(), CHANGELOG.read_text())
    print(*found, sep="\n", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
