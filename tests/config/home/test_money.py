"""What moved, who played and what players are owed, on the first page: from what was summed up beforehand."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.http import QueryDict

from config.home.charts import chart
from config.home.money import Money, read_money
from lib.clock import now
from players.models import Player
from tests.conftest import Clock
from tests.support.admin_pages import get, operator, queries, signed_in
from tests.support.callers import PlayerSession
from tests.support.owned import owned
from wallet.audit.daily_totals import DAY
from wallet.figures import fold_figures
from wallet.job_runs import Run
from wallet.models import (
    ActiveSession,
    ClosedDay,
    DailyActivity,
    FiguresDay,
    GameTotal,
    HourActivity,
    HourTotal,
    Liability,
)

MORNING, HOURS = datetime(2043, 5, 6, 3, tzinfo=UTC), timedelta(hours=9)
# Each test has a fortnight of its own, long after everything else.
fortnights = count()


@pytest.fixture
def morning() -> datetime:
    return MORNING + next(fortnights) * timedelta(days=14)


@pytest.fixture(autouse=True)
def nothing_summed_up(database: None) -> None:
    summed_up = (GameTotal, HourTotal, DailyActivity, HourActivity, ActiveSession, FiguresDay, Liability)
    for model in summed_up:
        owned(model).all().delete()


def bare(cell: object) -> str:
    return re.sub(r"<[^>]*>", "", str(cell))


def table(money: Money, title: str) -> dict[str, list[str]]:
    [section] = [section for section in money.sections if section.title.startswith(title)]
    return {bare(first): [bare(cell) for cell in rest] for first, *rest in section.rows}


def seen(morning: datetime, asked: str = "") -> Money:
    """What the page shows at noon."""
    return read_money(QueryDict(asked), morning + HOURS)


def play(known: PlayerSession, spent: str, won: str) -> None:
    """In a session that begins now: others have expired."""
    player_session = known.elsewhere("XAG")
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", spent))
    player_session.done("confirmDeposit", player_session.opened("deposit", won))


def fold(clock: Clock, at: datetime) -> None:
    """As every minute; the wallets are weighed anew."""
    clock.stand(at)
    owned(Liability).all().delete()
    fold_figures(Run("fold_figures"))


@pytest.fixture
def played(player_session: PlayerSession, clock: Clock, morning: datetime) -> PlayerSession:
    """One that played a week ago, yesterday and today: in the morning, in an hour after it, and at night."""
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    for days, spent, won in ((7, "1.00", "0.10"), (1, "2.00", "0.20"), (0, "3.00", "4.00")):
        begins = morning - days * DAY
        clock.stand(begins)
        play(player_session, spent, won)
        clock.stand(begins + hour)
        play(player_session, "0.50", "0.01")
        fold(clock, begins + hour + minute)
        if days:
            clock.stand(begins + 20 * hour)
            play(player_session, "9.00", "7.00")
            fold(clock, begins + 20 * hour + minute)
    return player_session


def test_money__days_are_compared_until_the_same_hour(played: PlayerSession, morning: datetime) -> None:
    money = seen(morning, f"game={played.game.slug}")
    assert table(money, "XAG moved") == {
        "Spent in games, and items sold": ["3.50", "3.00", "2.00", "1.00"],
        "Won in games": ["4.01", "4.00", "0.20", "0.10"],
        "Net of games: spent less won": ["-0.51", "-1.00", "1.80", "0.90"],
    }
    assert table(money, "Games") == {
        played.game.name: ["3.50 XAG", "4.01 XAG", "-1.00 XAG", "1.80 XAG", "0.90 XAG"]
    }
    assert table(money, "Players and sessions") == {
        "Active players": ["1", "1", "1", "1"],
        "Active sessions": ["2", "1", "1", "1"],
    }
    [section] = [section for section in money.sections if section.title == "XAG moved"]
    assert section.headers[1:] == (
        "Today so far",
        "Today until 04:00",
        "Yesterday until 04:00",
        "A week ago until 04:00",
    )
    assert money.notes[:2] == [
        f"Today is summed up to {morning:%Y-%m-%d} 04:00:30 UTC.",
        "The days before are compared until 04:00 UTC, the last full hour.",
    ]


def test_money__nothing_is_compared_in_the_first_hour_of_a_day(
    player_session: PlayerSession, clock: Clock, morning: datetime
) -> None:
    midnight = morning - timedelta(hours=3)
    clock.stand(midnight - DAY)
    play(player_session, "2.00", "0.20")
    fold(clock, midnight - timedelta(hours=1))
    clock.stand(midnight)
    play(player_session, "3.00", "4.00")
    fold(clock, midnight + timedelta(minutes=59))
    money = read_money(QueryDict(f"game={player_session.game.slug}"), midnight + timedelta(hours=1))
    assert table(money, "XAG moved")["Spent in games, and items sold"] == ["3.00", "0.00", "0.00", "0.00"]
    assert money.notes[1] == "No hour of today is over yet that the days before could be compared with."


def test_money__says_that_a_day_is_not_summed_up_by_the_hour(
    played: PlayerSession, morning: datetime
) -> None:
    owned(ClosedDay).get_or_create(day=morning.date() - DAY, defaults={"entries": 0, "closed_at": morning})
    words = "1 earlier day is not summed up yet, and counts as nothing."
    assert words not in seen(morning).notes
    FiguresDay.objects.filter(day=morning.date() - DAY).update(by_hour=False)
    assert words in seen(morning).notes
    owned(ClosedDay).filter(day=morning.date() - DAY).delete()


def test_money__a_filter_shows_one_currency_alone(played: PlayerSession, morning: datetime) -> None:
    money = seen(morning, "currency=EUR")
    assert [section.rows for section in money.sections[1:]] == [[], []]
    assert table(seen(morning, "currency=nonsense&game=none"), "XAG moved")


def test_money__test_players_are_left_out_and_can_be_shown(
    player_session: PlayerSession, clock: Clock, morning: datetime
) -> None:
    Player.objects.filter(pk=player_session.player.pk).update(is_test=True)
    clock.stand(morning)
    play(player_session, "3.00", "4.00")
    fold(clock, morning + timedelta(hours=1))
    assert table(seen(morning), "Players and sessions") == {}
    money = seen(morning, "test=1")
    assert table(money, "Players and sessions")["Active players"] == ["1", "0", "0", "0"]
    assert money.notes[2] == "Test players are counted in."
    Player.objects.filter(pk=player_session.player.pk).update(is_test=False)


def test_money__owed_is_what_all_wallets_hold(
    player_session: PlayerSession, clock: Clock, morning: datetime
) -> None:
    fold(clock, morning)
    before, again = owed(morning), player_session.elsewhere("XAG")
    again.opened("withdraw", "7.00")
    again.opened("deposit", "0.50")
    fold(clock, morning + timedelta(hours=1))
    changes = [new - old for old, new in zip(before, owed(morning), strict=True)]
    assert changes == [Decimal(text) for text in ("-7.00", "7.00", "0.50", "0.50", "0.00")]


def owed(morning: datetime) -> list[Decimal]:
    return [Decimal(cell.replace(",", "")) for cell in table(seen(morning), "Owed to players at")["XAG"]]


def test_money__days_that_are_not_summed_up_are_named(morning: datetime) -> None:
    assert seen(morning).notes == [
        "Today is not summed up yet: the job does that every minute.",
        "Test players are left out.",
    ]


def test_chart__has_a_bar_for_each_day_and_says_the_highest() -> None:
    days = {MORNING.date() - number * DAY: value for number, value in ((2, 50), (1, 200), (0, -3))}
    found = chart("Won", days, "{:,}".format)
    assert found
    assert [(bar.x, bar.y, bar.height) for bar in found.bars] == [(0, 75, 25), (10, 0, 100), (20, 100, 0)]
    assert found.bars[1].words == "2043-05-05: 200"
    assert found.words == "Highest on 2043-05-05: 200. Today so far: -3."
    assert chart("Won", dict.fromkeys(days, 0), str) is None


def test_home__shows_money_to_who_may_see_daily_totals(player_session: PlayerSession) -> None:
    assert "Figures" in get(signed_in(operator("wallet.view_closedday")), "/admin/")
    assert "Figures" not in get(signed_in(operator("wallet.view_alert")), "/admin/")


def test_money__takes_as_many_queries_for_a_month_of_games(player_session: PlayerSession) -> None:
    client, at = signed_in(operator("wallet.view_closedday")), now()
    few = len(queries(client, "/admin/"))
    for number in range(31):
        day = FiguresDay.objects.create(day=at.date() - number * DAY, read_up_to=at)
        GameTotal.objects.create(
            day=day,
            game=player_session.game,
            currency_id="XAG",
            is_test=False,
            account="game_revenue",
            debits=0,
            credits=number,
        )
        DailyActivity.objects.create(day=day, is_test=False, players=number, sessions=number)
        HourActivity.objects.create(day=day, hour=0, is_test=False, players=number, sessions=number)
        for hour in range(24):
            HourTotal.objects.create(
                day=day,
                hour=hour,
                game=player_session.game,
                currency_id="XAG",
                is_test=False,
                account="game_revenue",
                debits=0,
                credits=number,
            )
    assert len(queries(client, "/admin/")) == few
    text = get(client, "/admin/")
    assert text.count("<svg viewBox") == 3
    assert text.count('class="wallet-bar"') == 3 * 31
