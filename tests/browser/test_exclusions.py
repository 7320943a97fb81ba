"""Players who are kept out, in a browser: by one operator, and let in again by two and their own word."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from players.exclusions import confirm_lifting
from players.models import Approval, Player
from tests.browser.visits import Visit, looks, visiting
from tests.conftest import Clock
from tests.support.admin_pages import operator, page
from tests.support.callers import PlayerSession


def send(visit: Visit, act: str, reason: str) -> None:
    visit.page.fill("input[name=reason]", reason)
    visit.press(act)


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_exclusion__is_begun_by_one_and_lifted_by_two_and_the_player(
    office: str, browser: Browser, player_session: PlayerSession, clock: Clock, look: str
) -> None:
    player = player_session.player
    place = page(Player, player)
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(operator(is_superuser=True))
        first.open(place)
        first.begin("Time-out")
        first.shows(f"A time-out for {player.uid}?")
        send(first, "Time-out", "Wished for a rest")
        first.shows(f"{player.uid} is self-excluded, until")
        first.begin("Self-exclude")
        first.shows("To lift it before takes two people, and then the player's own word.")
        send(first, "Self-exclude", "Wished so by mail")
        first.shows(f"{player.uid} is self-excluded, without an end.")
        first.begin("Change status")
        first.shows("Nothing changes until the player confirms it")
        first.page.check("input[name=status][value=active]")
        send(first, "Change status", "Asked to come back")
        first.shows("Requested, not done yet")
        second.enter(operator(is_superuser=True))
        second.open(page(Approval, Approval.objects.get(subject_id=player.pk), "approve"))
        second.shows("Status, once the player confirms it")
        second.press("Approve")
        second.shows(f"{player.uid} is active once the player confirms it, from")
        first.open(place)
        first.shows("Lifted by two operators: it ends when the player confirms it")
    clock.go_ahead(timedelta(days=1))
    assert confirm_lifting(player.pk, actor="platform:front").status == "active"
