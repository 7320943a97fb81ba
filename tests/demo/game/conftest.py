"""A game that plays at a platform which does as it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.game.play import Game
from demo.game.store import Visit
from tests.demo.game.fake_platform import TOKEN, FakePlatform, playing


@pytest.fixture
def played(tmp_path: Path) -> Iterator[tuple[FakePlatform, Game]]:
    """A platform, and a game that has not called it yet."""
    with playing(tmp_path) as both:
        yield both


@pytest.fixture
def platform(played: tuple[FakePlatform, Game]) -> FakePlatform:
    return played[0]


@pytest.fixture
def game(played: tuple[FakePlatform, Game]) -> Game:
    return played[1]


@pytest.fixture
def visit(platform: FakePlatform, game: Game) -> Visit:
    """A player who has come in with 100.00 XAG."""
    visit = game.enter(TOKEN)
    platform.calls.clear()
    return visit
