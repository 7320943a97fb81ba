"""The scripted wallet on a real socket, and a game that does with it what a test says."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.scripted_wallet import Game, scripted_wallet


@pytest.fixture
def begin() -> Iterator[Callable[..., Game]]:
    """Begins a scenario; further arguments are the wallet's options."""
    with ExitStack() as stack:

        def start(name: str, **options: object) -> Game:
            wallet = stack.enter_context(scripted_wallet(**options))
            return Game(wallet, wallet.choose(name))

        yield start
