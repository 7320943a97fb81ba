"""Operators at a player's limits in a browser."""

import pytest
from playwright.sync_api import Browser

from players.models import Player
from tests.browser.visits import looks, visiting
from tests.support.admin_pages import operator, page
from tests.support.callers import PlayerSession
from tests.support.limits import limit, make_limits

ACTS = {
    "set_limit": "Set a limit for",
    "loosen_limit": "Loosen or remove a limit of",
    "cancel_limit_change": "Cancel a pending change of",
}


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_limits__are_set_by_one_and_read_by_everybody(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    place = page(Player, player_session.player)
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        visit.open(place)
        visit.shows("No limit: nobody bounds what this player pays in")
        make_limits(player_session)
        visit.open(place)
        visit.press("Set a limit")
        visit.page.select_option("select[name=limit]", "loss.month")
        visit.page.fill("input[name=bound]", "1234.50")
        visit.page.fill("input[name=reason]", "As the player wished")
        visit.press("Set the limit")
        visit.shows("Lost per month, all games: at most 1,234.50 XAG from now on.")
        for amount in range(200, 0, -1):
            limit(player_session, "spend", "month", amount)
        visit.open(f"{place}?limit_changes=8")
        visit.shows("Changes of limits")
        for act, words in ACTS.items():
            visit.open(page(Player, player_session.player, act))
            visit.shows(words)
