"""Reports in a browser: all of them, with rows, and of a day on which nothing happened."""

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.visits import looks, visiting
from tests.support.admin_pages import operator
from tests.support.callers import PlayerSession
from wallet.reports.registry import REPORTS

ALL = "/admin/reports/"


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_reports__can_be_read_by_everybody(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    player_session.done("withdraw", "w-1", "12.34")
    player_session.done("confirmWithdrawal", "w-1")
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        visit.open(ALL)
        visit.shows("Test players are in none of them.")
        for report in REPORTS.values():
            visit.open(f"{ALL}{report.name}/?period=year")
            visit.shows(
                re.compile(f"{re.escape(str(report.title))}.*It is recorded as an act of yours", re.DOTALL)
            )
            visit.open(f"{ALL}{report.name}/?period=day&day=2020-01-31")
            visit.shows("No activity")
        visit.open(f"{ALL}account-summary/?period=day&day=2999-01-31")
        visit.shows("Choose a period that has begun")
