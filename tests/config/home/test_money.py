"""What players own and what moved, on the first page: the same whether days are closed or not."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from config.home.money import MOVED_HEADERS, OWED_HEADERS, money_sections
from lib.backoffice.pages import Section
from lib.clock import now
from tests.conftest import Clock
from tests.support.admin_pages import get, operator, signed_in
from tests.support.callers import PlayerSession, holding
from wallet.audit.daily_totals import DAY, close_day

# Each test has a fortnight of its own, long after everything else.
fortnights = count()


@pytest.fixture
def noon() -> datetime:
    return datetime(2041, 1, 1, 12, tzinfo=UTC) + next(fortnights) * timedelta(days=14)


def bare(cell: object) -> str:
    return re.sub(r"<[^>]*>", "", str(cell))


def table(sections: list[Section], title: str) -> dict[str, list[str]]:
    [section] = [section for section in sections if section.title == title]
    return {bare(first): [bare(cell) for cell in rest] for first, *rest in section.rows}


class Play:
    """A withdrawal and a deposit that are opened now, and confirmed when it is said."""

    def __init__(self, player_session: PlayerSession, spent: str, won: str) -> None:
        self.player_session = player_session
        self.spent = player_session.opened("withdraw", spent)
        self.won = player_session.opened("deposit", won)

    def confirm(self) -> None:
        self.player_session.resolve(self.spent, "confirmed")
        self.player_session.resolve(self.won, "confirmed", "deposit")


def test_money__moved_today_yesterday_and_a_week_ago(
    player_session: PlayerSession, clock: Clock, noon: datetime
) -> None:
    plays = {
        7: Play(player_session, "1.00", "0.10"),
        1: Play(player_session, "2.00", "0.20"),
        0: Play(player_session, "3.00", "0.30"),
    }
    for days_ago, play in plays.items():
        clock.stand(noon - days_ago * DAY)
        play.confirm()
    moved = {
        "Spent in games, and items sold": ["3.00", "2.00", "1.00"],
        "Won in games": ["0.30", "0.20", "0.10"],
    }
    just_after = noon + timedelta(seconds=1)
    assert table(money_sections(just_after), "XAG moved") == moved
    for days_ago in (7, 1):
        close_day((noon - days_ago * DAY).date())
    assert table(money_sections(just_after), "XAG moved") == moved
    # At midnight a day has just begun, and the week before it another one.
    assert table(money_sections(noon.replace(hour=0) + DAY), "XAG moved") == {
        "Spent in games, and items sold": ["0.00", "3.00", "0.00"],
        "Won in games": ["0.00", "0.30", "0.00"],
    }


def test_money__owned_is_what_all_wallets_hold(player_session: PlayerSession) -> None:
    before = owned()
    play = Play(player_session, "2.00", "0.50")
    player_session.opened("withdraw", "7.00")
    assert changes(before) == [-9.00, 9.00, 0.00, 0.00]
    play.confirm()
    assert changes(before) == [-8.50, 7.00, -1.50, 0.00]
    player_session.adjust("debit", holding(player_session.player).spendable + 3_00, into_debt=True)
    assert changes(before)[3] == 3.00


def owned() -> list[float]:
    """The amounts of XAG that players own, and owe."""
    return [float(cell.replace(",", "")) for cell in table(money_sections(now()), "Money of players")["XAG"]]


def changes(before: list[float]) -> list[float]:
    return [round(new - old, 2) for old, new in zip(before, owned(), strict=True)]


def test_home__shows_money_to_who_may_see_daily_totals(player_session: PlayerSession) -> None:
    Play(player_session, "2.00", "0.50").confirm()
    text = get(signed_in(operator("wallet.view_closedday")), "/admin/")
    assert [words in text for words in (OWED_HEADERS[-1], MOVED_HEADERS[-1])] == [True, True]
    text = get(signed_in(operator("wallet.view_alert")), "/admin/")
    assert [words in text for words in (OWED_HEADERS[-1], MOVED_HEADERS[-1])] == [False, False]
