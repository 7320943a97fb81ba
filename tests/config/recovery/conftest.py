"""A backup of the tests' own server, which many tests only look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from players.operations import set_query_password
from tests.support.callers import Callers, make_party
from tests.support.recovery import command, copying, linked, reachable_directory


@pytest.fixture(scope="session")
def own_backup(callers: Callers, django_db_blocker: Any) -> Iterator[Path]:
    with django_db_blocker.unblock(), copying(), reachable_directory() as directory:
        callers.player_session()
        # Something that only our encryption key opens.
        set_query_password(make_party().game, "a password of the game's")
        command("backup", directory / "made")
        yield directory / "made"


@pytest.fixture
def made(own_backup: Path) -> Iterator[Path]:
    with copying():
        yield own_backup


@pytest.fixture
def place(made: Path) -> Iterator[Path]:
    """An empty directory of the user that PostgreSQL runs as."""
    with reachable_directory() as directory:
        yield directory


@pytest.fixture
def copy(made: Path, place: Path) -> Path:
    """Another copy of the backup, which a test may spoil by `replaced`."""
    return linked(made, place / "copy")
