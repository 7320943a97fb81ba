"""Times are read in one's own zone, and the user's menu by the keyboard."""

import re

from playwright.sync_api import Browser, expect

from players.models import Player
from tests.browser.visits import visiting
from tests.support.admin_pages import operator, page
from tests.support.callers import PlayerSession

UTC = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def test_times__are_in_the_readers_zone_and_say_utc(
    office: str, browser: Browser, player_session: PlayerSession
) -> None:
    with visiting(browser, office, zone="America/Sao_Paulo") as visit:
        visit.enter(operator(is_superuser=True))
        visit.open(page(Player, player_session.player))
        shown = visit.page.locator("time:not(.wallet-time)").first
        expect(shown).to_contain_text("GMT-3")
        assert UTC.fullmatch(shown.get_attribute("title") or "")
        assert not UTC.search(visit.page.locator("main").inner_text())
        expect(visit.page.get_by_role("columnheader", name="When (your time)").first).to_be_visible()
        visit.is_sound()
        # By the keyboard alone: the user's menu, and back to UTC.
        visit.page.get_by_role("button", name=re.compile("op-")).focus()
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_role("button", name="America/Sao Paulo")).to_have_attribute(
            "aria-pressed", "true"
        )
        visit.is_sound()
        visit.page.get_by_role("button", name="UTC", exact=True).focus()
        visit.page.keyboard.press("Enter")
        expect(visit.page.locator("time[title]")).to_have_count(0)
        expect(visit.page.get_by_role("columnheader", name="When (UTC)").first).to_be_visible()
        assert UTC.search(visit.page.locator("main").inner_text())


def test_times__in_utc_offer_no_choice(office: str, browser: Browser) -> None:
    with visiting(browser, office, zone="UTC") as visit:
        visit.enter(operator(is_superuser=True))
        visit.open("/admin/")
        visit.page.get_by_role("button", name=re.compile("op-")).click()
        expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
        expect(visit.page.get_by_role("group", name="Zone of times")).to_be_hidden()
