"""A request of finance in a real browser, from the wallet's page to the second person's approval."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import launched
from tests.support.admin_fixtures import forget_work
from tests.support.admin_pages import operator
from tests.support.callers import Callers, PlayerSession
from tests.support.web_server import served

PASSWORD = "a password of a test"
FINANCE = ("players.view_approval", "wallet.view_wallet", "wallet.adjust_balance")
MOST_CLICKS = 12


@dataclass
class Person:
    """Somebody at a browser, whose clicks are counted."""

    page: Page
    clicks: list[str] = field(default_factory=list)

    def click(self, selector: str) -> None:
        self.clicks.append(selector)
        self.page.click(selector)


@dataclass(frozen=True)
class Office:
    """Where the admin is, two who work there, and a player."""

    url: str
    names: tuple[str, str]
    player_session: PlayerSession


@pytest.fixture(scope="module")
def office(
    chromium: str, callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    forget_work()
    people = [operator(*FINANCE) for _ in range(2)]
    for person in people:
        person.set_password(PASSWORD)
        person.save()
    log = tmp_path_factory.mktemp("office") / "log"
    with served(log, DATABASE_URL=database_url, DEBUG="1") as url:
        yield Office(url, (people[0].username, people[1].username), callers.player_session())


def logged_in(page: Page, office: Office, name: str) -> Person:
    page.goto(f"{office.url}/admin/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{office.url}/admin/")
    return Person(page)


def test_request_of_finance__is_completed_by_two_in_few_clicks(office: Office, chromium: str) -> None:
    wallet = office.player_session.wallet().pk
    with launched(chromium) as browser:
        first, second = (logged_in(browser.new_context().new_page(), office, name) for name in office.names)
        # Finding the wallet is no part of it.
        first.page.goto(f"{office.url}/admin/wallet/wallet/{wallet}/change/")
        first.click("text=Credit or debit")
        first.page.fill("input[name=amount]", "12.34")
        first.page.fill("input[name=reason]", "Goodwill")
        first.click("button:has-text('Continue')")
        expect(first.page.locator("main, body").first).to_contain_text("112.34 XAG")
        first.click("button:has-text('Credit or debit')")
        expect(first.page.locator("body")).to_contain_text("Requested, not done yet")

        second.click("a:has-text('Approvals')")
        second.click(f"text=Credit 12.34 XAG to {office.player_session.player.uid}")
        second.click("a:has-text('Approve')")
        expect(second.page.locator("body")).to_contain_text("112.34 XAG")
        second.click("button:has-text('Approve')")
        expect(second.page.locator("body")).to_contain_text("spendable after it: 112.34 XAG")
        assert len(first.clicks) + len(second.clicks) <= MOST_CLICKS
    assert office.player_session.holding().spendable == 112_34
