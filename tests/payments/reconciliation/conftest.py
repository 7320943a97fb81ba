"""A game of its own for each test: a file is compared with all that its game has played."""

import pytest

from lib.ids import new_id
from tests.support.callers import Callers, PlayerSession, make_party, open_session


@pytest.fixture
def player_session(callers: Callers) -> PlayerSession:
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 1_000_00, id=new_id())
    return session
