"""That a commit is checked by what `make lint` checks, and by nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_hooks__are_the_parts_of_make_lint() -> None:
    lint = re.search(r"^lint: ([^#]+)##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert lint is not None
    assert re.findall(r"entry: make (\S+)", hooks) == lint[1].split()


def test_hooks__download_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}
