"""That `make quick` stays quick: its list is true, and no file that it takes starts a process."""

import re
from pathlib import Path

import pytest

from tests.support.slow import SLOW_PLACES, TESTS

PROCESS = re.compile(r"\bsubprocess\b|\bPopen\b|\bserved\(|\bown_ledger\(|\bmultiprocessing\b")
# Those of their tests that start one are marked.
MARKED = {"config/test_environment.py", "lib/http/test_addresses.py"}


def quick_files() -> list[Path]:
    return [
        path
        for path in sorted(TESTS.rglob("test_*.py"))
        if not any(path.is_relative_to(TESTS / place) for place in SLOW_PLACES)
    ]


@pytest.mark.parametrize("place", SLOW_PLACES)
def test_slow_places__exist(place: str) -> None:
    assert (TESTS / place).exists()


def test_quick_files__start_no_process() -> None:
    found = [path for path in quick_files() if PROCESS.search(path.read_text())]
    assert {path.relative_to(TESTS).as_posix() for path in found} - {"support/test_slow.py"} == MARKED
