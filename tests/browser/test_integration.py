"""Integration health in a browser: with nothing in it, with much, and the pages that it leads to."""

import pytest
from playwright.sync_api import Browser

from players.access.answer_counts import ANSWER_COUNTS
from players.models import Operator
from tests.browser.visits import looks, visiting
from tests.support.admin_pages import operator
from tests.support.callers import Callers, make_party, open_session, unique


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_health__leads_from_a_failure_to_what_helps(
    office: str, browser: Browser, callers: Callers, look: str
) -> None:
    session = open_session(make_party(name=unique("Failing")), callers.player())
    for endpoint in ("withdraw", "deposit", "confirmWithdrawal"):
        session.call(endpoint, unique("w"), "0.00", txDescription="x" * 500)
    session.call("withdraw", unique("w"), "9.00")
    ANSWER_COUNTS.write()
    boss: Operator = operator(is_superuser=True)
    with visiting(browser, office, look) as visit:
        visit.enter(boss)
        visit.open("/admin/integration/")
        visit.shows("Failed since yesterday")
        visit.press(session.game.name)
        visit.shows("3 calls failed since yesterday")
        visit.page.locator("summary").first.click()
        visit.shows("… (500 characters)")
        visit.page.get_by_role("link", name="101 Invalid request").first.click()
        visit.shows("101: Invalid request")
        visit.press("All errors")
        visit.shows("Errors of the API")
        visit.open(f"/admin/integration/{make_party().game.slug}/")
        visit.shows("This game has not called yet")
