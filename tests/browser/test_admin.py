"""Operators' pages in a real browser: they fit, everybody can use them, and their policy refuses nothing."""

import re

import pytest
from playwright.sync_api import Browser

from players.operations import put_player
from tests.browser.visits import Visit, looks, visiting
from tests.support.admin_pages import operator
from tests.support.callers import PlayerSession, unique
from tests.support.names import NAMES

# How many kinds of pages are opened.
KINDS = {"wide": 45, "phone": 15}
# What differs from row to row; of each kind of page one is opened.
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|\?.*")
# Whether everybody can use the others, `test_accessibility.py` finds out with LONG=1.
CHECKED = re.compile(r"/(account|approval|auditevent|group|operator|payoutlimit)/|^/admin/$")
LEFT_OUT = ("/logout/", "/jsi18n/", "/password_change/")


def visit_all(visit: Visit, most: int) -> set[str]:
    """Opens a page of each kind that links lead to, and presses what opens something on it."""
    waiting, seen = ["/admin/"], set[str]()
    while waiting and len(seen) < most:
        place = waiting.pop(0)
        kind = KEY.sub("…", place)
        if kind in seen or any(word in place for word in LEFT_OUT):
            continue
        seen.add(kind)
        visit.open(place)
        visit.fits()
        if CHECKED.search(place):
            visit.is_sound()
        open_everything(visit)
        links = visit.page.eval_on_selector_all(
            "a[href^='/admin/']", "all => all.map(a => a.getAttribute('href'))"
        )
        waiting += dict.fromkeys(links)
    return seen


def open_everything(visit: Visit) -> None:
    """Clicks what Alpine listens to, without leaving the page."""
    visit.page.evaluate(
        "[...document.querySelectorAll('[x-on\\\\:click]')]"
        ".filter(one => !one.closest('a[href]') && one.getAttribute('type') !== 'submit')"
        ".slice(0, 12).forEach(one => one.click())"
    )


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_admin_pages__break_no_policy_in_a_browser(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    # A name that is long in every script.
    nickname, uid = " ".join(NAMES.values())[:24] + "\u05d0" * 40, unique("p")
    put_player(uid, attributes={"nickname": nickname}, status=None, actor="test")
    most = KINDS[look.split()[0]]
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        seen = visit_all(visit, most)
        visit.open(f"/admin/players/player/?q={uid}")
        assert visit.page.locator("bdi.wallet-name").text_content() == nickname
        visit.open("/api/docs/")
        visit.page.locator(".opblock").first.wait_for()
    assert len(seen) == most
