"""Approval rules in a real browser: two administrators make one, and somebody of finance acts alone by it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from players.models import ApprovalRule
from tests.browser.visits import Visit, looks, visiting
from tests.support.callers import PlayerSession
from tests.support.doors import with_password

RULES = "/admin/players/approvalrule/"


@pytest.fixture(autouse=True)
def no_rules(office: str) -> Iterator[None]:
    ApprovalRule.objects.all().delete()
    yield
    ApprovalRule.objects.all().delete()


def make_rule(visit: Visit) -> None:
    """From the empty list to the request's page, over a form that is wrong at first."""
    visit.open(RULES)
    visit.shows("Without a rule it takes two people always")
    visit.open(f"{RULES}add/")
    visit.shows("Split amounts count together")
    visit.page.select_option("select[name=kind]", "adjust_balance")
    visit.page.fill("input[name=alone_up_to]", "10.00")
    visit.page.fill("input[name=alone_per_day]", "50.00")
    visit.page.fill("input[name=reason]", "Small goodwill")
    visit.press("Save")
    visit.shows("Choose the currency of the amounts")
    visit.page.select_option("select[name=currency_code]", "XAG")
    visit.press("Save")
    visit.shows("Requested, not done yet: Add the approval rule adjust balance, XAG")


def adjust_alone(visit: Visit, player_session: PlayerSession) -> None:
    """A credit that the rule lets one person do."""
    visit.open(f"/admin/wallet/wallet/{player_session.wallet().pk}/adjust/")
    visit.page.fill("input[name=amount]", "10.00")
    visit.page.fill("input[name=reason]", "Goodwill")
    visit.press("Continue")
    visit.shows("it is done at once, and recorded as executed alone")
    visit.press("Credit or debit")
    visit.shows("Executed alone. Credit of 10.00 XAG posted")


@pytest.mark.parametrize("look", looks("phone"))
def test_rule__is_made_by_two_and_lets_one_act_alone(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    finance = with_password("finance")
    with_password("finance")
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(with_password("administrator"))
        make_rule(first)
        second.enter(with_password("administrator"))
        second.open(first.page.url.removeprefix(office))
        second.begin("Approve")
        second.shows("without anybody's approval")
        second.press("Approve")
        second.shows("The approval rule adjust balance, XAG is added.")
        second.open(RULES)
        second.shows("10.00 XAG on one object, 50.00 XAG in total")
        second.open(f"{RULES}{ApprovalRule.objects.get().pk}/change/")
        second.shows("Who may")
        second.begin("Remove")
        second.shows("There is no rule any more for adjust balance, XAG.")
    with visiting(browser, office, look) as visit:
        visit.enter(finance)
        adjust_alone(visit, player_session)
    assert player_session.holding().spendable == 110_00
