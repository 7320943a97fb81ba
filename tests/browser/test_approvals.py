"""Requests of finance in a real browser: how two people complete one, and how it ends otherwise."""

import pytest
from playwright.sync_api import Browser

from players.models import Operator
from tests.browser.visits import Visit, looks, visiting
from tests.support import approvals as support
from tests.support.callers import PlayerSession
from tests.support.doors import with_password

MOST_CLICKS = 12
ADJUST = "Credit or debit"


def finance() -> Operator:
    return with_password("finance")


def request_credit(visit: Visit, player_session: PlayerSession, amount: str = "12.34") -> None:
    """From the wallet's page to the request. Finding the wallet is no part of it."""
    visit.open(f"/admin/wallet/wallet/{player_session.wallet().pk}/change/")
    visit.begin(ADJUST)
    visit.shows("Amount")
    visit.page.fill("input[name=amount]", amount)
    visit.page.fill("input[name=reason]", "Goodwill")
    visit.press("Continue")
    visit.shows(f"Credit {amount} XAG to {player_session.player.uid}?")
    visit.press(ADJUST)
    visit.shows("Requested, not done yet")


def open_request(visit: Visit, player_session: PlayerSession) -> None:
    """From wherever one is, by the menu, to the latest request about a player."""
    if not visit.is_wide:
        visit.press("Menu")
    visit.page.get_by_role("navigation").get_by_role("link", name="Approvals").click()
    visit.clicks.append("Approvals")
    visit.shows("Waiting for me")
    row = visit.page.get_by_role("link").filter(has_text=f"XAG to {player_session.player.uid}")
    row.first.click()
    visit.clicks.append("the request")
    visit.shows("Effect, as it was requested")


@pytest.mark.parametrize("look", looks("wide"))
def test_request_of_finance__is_completed_by_two_in_few_clicks(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(finance())
        request_credit(first, player_session)
        second.enter(finance())
        second.open("/admin/")
        open_request(second, player_session)
        second.begin("Approve")
        second.shows("112.34 XAG")
        second.press("Approve")
        second.shows("spendable after it: 112.34 XAG")
        assert len(first.clicks) + len(second.clicks) <= MOST_CLICKS
    assert player_session.holding().spendable == 112_34


def end_with(visit: Visit, word: str, reason: str) -> None:
    visit.begin(word)
    visit.shows("Nothing is done. The request ends.")
    visit.page.fill("input[name=reason]", reason)
    visit.press(word)


@pytest.mark.parametrize("look", looks("phone"))
def test_request_of_finance__is_declined_or_withdrawn_and_moves_nothing(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    who = finance()
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(who)
        request_credit(first, player_session, "7.00")
        second.enter(finance())
        second.open("/admin/")
        open_request(second, player_session)
        end_with(second, "Decline", "Not agreed with the game")
        second.shows("The request is declined.")
        requested = support.request_credit(who, player_session, 8_00)
        first.open("/admin/players/approval/?requests=mine")
        first.shows("declined")
        first.page.get_by_role("link").filter(has_text="Credit 7.00 XAG").click()
        first.shows("Not agreed with the game")
        first.open(f"/admin/players/approval/{requested.pk}/change/")
        end_with(first, "Withdraw", "Already declined once")
        first.shows("The request is withdrawn.")
    assert player_session.holding().spendable == 100_00


@pytest.mark.parametrize("look", looks("wide"))
def test_history__shows_before_and_after(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    with visiting(browser, office, look) as visit:
        visit.enter(with_password("support", "auditor"))
        place = f"/admin/players/player/{player_session.player.pk}/"
        visit.open(f"{place}change_status/")
        visit.page.get_by_label("blocked").check()
        visit.page.fill("input[name=reason]", "Ticket 7")
        visit.press("Change status")
        visit.shows(f"{player_session.player.uid} is now blocked.")
        visit.open(f"{place}history/")
        visit.shows("status: active → blocked")
        # Opening the player's page is an act, too.
        visit.page.locator("main tr").filter(has_text="active → blocked").locator("a").first.click()
        visit.shows("Before and after")
        line = visit.page.locator("#before-and-after tr").filter(has_text="status").first
        assert line.locator("td").all_inner_texts()[1:] == ["active", "blocked"]
