"""An empty platform shows the way to a first withdrawal, each step ticked as it happens."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from config.home.first_steps import KINDS
from players.access.credentials import CREDENTIALS
from players.models import Credential, Game, Operator
from tests.support.admin_pages import get, signed_in
from tests.support.callers import make_callers
from tests.support.doors import with_password
from tests.support.own_database import OwnLedger, own_ledger

STEP = r'wallet-step-state">(done|to do)</span>\s*<(a|span)[^>]*>([^<]*)<'


@pytest.fixture
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which there is nothing but currencies."""
    with own_ledger(f"{database_name}_steps") as ledger:
        ledger.clear(Credential, Game)
        CREDENTIALS.forget()
        yield ledger


def steps(who: Operator) -> list[tuple[str, bool, bool]]:
    """Each step's words, whether it is done, and whether it leads somewhere."""
    found = re.findall(STEP, get(signed_in(who), "/admin/"))
    return [(unescape(words), state == "done", mark == "a") for state, mark, words in found]


def done(who: Operator) -> list[bool]:
    return [is_done for _, is_done, _ in steps(who)]


def test_first_steps__are_ticked_as_they_happen(ledger: OwnLedger) -> None:
    viewer, integration = with_password("viewer"), with_password("integration")
    assert [words for words, _, _ in steps(viewer)] == [kind.words for kind in KINDS]
    assert done(viewer) == [False] * 7
    assert [leads for _, _, leads in steps(integration)] == [True] * 7
    # Who sees no credentials is led to none.
    assert [leads for _, _, leads in steps(viewer)] == [True, False, False, True, True, True, True]
    callers = make_callers()
    assert done(viewer) == [True, True, True, False, False, False, False]
    player_session = callers.player_session(100_00)
    assert done(viewer) == [True, True, True, True, True, True, False]
    player_session.opened("withdraw", "1.00")
    assert steps(viewer) == []
