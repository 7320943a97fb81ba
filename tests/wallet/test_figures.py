"""The first page's figures: by day and game, once, and the same in the end whenever they were summed up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Sum

from players.models import Player
from tests.conftest import Clock
from tests.support.callers import PlayerSession
from tests.support.own_database import OwnLedger, own_ledger
from wallet.audit.daily_totals import close_days, reclose_day
from wallet.audit.ledger import audit_ledger
from wallet.figures import MARGIN, fold_figures
from wallet.job_runs import Run
from wallet.models import (
    ActiveSession,
    ClosedDay,
    DailyActivity,
    DailyTotal,
    FiguresDay,
    GameTotal,
    HourActivity,
    HourTotal,
    JobRun,
    Liability,
)

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which the time is the tests' own."""
    with own_ledger(f"{database_name}_figures") as ledger:
        ledger.keep()
        yield ledger


@pytest.fixture
def clock(ledger: OwnLedger) -> Iterator[Clock]:
    """Each test begins at noon, with an empty ledger of which nothing is summed up."""
    clock = Clock(ledger.owner)
    clock.stand(NOON)
    yield clock
    clock.restore()
    ledger.restore()
    ledger.clear(
        *(GameTotal, HourTotal, DailyActivity, HourActivity, ActiveSession, FiguresDay, Liability),
        *(DailyTotal, ClosedDay, JobRun),
    )


@pytest.fixture
def player_session(ledger: OwnLedger, clock: Clock) -> PlayerSession:
    """One that has spent 3.00 of 100.00, and waits for 0.50."""
    player_session = ledger.callers.player_session(100_00)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "3.00"))
    player_session.opened("deposit", "0.50")
    return player_session


def fold() -> Run:
    run = Run("fold_figures")
    fold_figures(run)
    return run


def totals(day: date = MONDAY, *, is_test: bool = False) -> dict[tuple[bool, str], tuple[int, int]]:
    """Debits and credits by whether it was through a game, and by account."""
    rows = GameTotal.objects.filter(day=day, is_test=is_test)
    return {(row.game_id is not None, row.account): (int(row.debits), int(row.credits)) for row in rows}


SPENT = {
    (False, "adjustments"): (100_00, 0),
    (False, "spendable"): (0, 100_00),
    (True, "spendable"): (3_00, 0),
    (True, "reserved"): (3_00, 3_00),
    (True, "game_revenue"): (0, 3_00),
}


def test_figures__are_of_the_game_and_the_day(player_session: PlayerSession, clock: Clock) -> None:
    fold()
    # What happened a moment ago may not be committed yet.
    assert totals() == {}
    clock.stand(NOON + MARGIN + timedelta(seconds=1))
    fold()
    assert totals() == SPENT
    assert {row.game_id for row in GameTotal.objects.all()} == {None, player_session.game.pk}
    [held] = Liability.objects.all()
    assert [*map(int, (held.spendable, held.reserved, held.announced, held.debt))] == [97_00, 0, 50, 0]


def test_figures__count_nothing_twice(player_session: PlayerSession, clock: Clock) -> None:
    clock.stand(NOON + HOUR)
    fold()
    fold()
    assert totals() == SPENT
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    clock.stand(NOON + 2 * HOUR)
    fold()
    assert totals()[True, "game_revenue"] == (0, 4_00)


def test_figures__are_the_same_in_the_end_whenever_they_began(
    player_session: PlayerSession, clock: Clock
) -> None:
    clock.stand(NOON + HOUR)
    fold()
    clock.stand(NOON + 2 * DAY)
    close_days(Run("daily_totals"))
    assert fold().done == 2
    assert totals() == SPENT
    assert list(FiguresDay.objects.order_by("day").values_list("day", "is_final")) == [
        # Nothing has ever happened on it, so that it is never closed.
        (MONDAY - DAY, False),
        (MONDAY, True),
        (MONDAY + DAY, True),
        (MONDAY + 2 * DAY, False),
    ]
    before = activity()
    FiguresDay.objects.filter(day=MONDAY).update(is_final=False)
    assert (fold().done, totals(), activity()) == (1, SPENT, before)
    assert not ActiveSession.objects.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "UPDATE wallet_hourtotal SET debits = 1 WHERE account = 'game_revenue'",
            (
                "of game revenue the hours have 0.01 XAG debited and 3.00 XAG credited, "
                "the figures 0.00 XAG and 3.00 XAG"
            ),
        ),
        (
            "DELETE FROM wallet_hourtotal WHERE account = 'game_revenue'",
            (
                "of game revenue the hours have 0.00 XAG debited and 0.00 XAG credited, "
                "the figures 0.00 XAG and 3.00 XAG"
            ),
        ),
        (
            "UPDATE wallet_gametotal SET credits = 200 WHERE account = 'game_revenue'",
            (
                "of game revenue the figures have 0.00 XAG debited and 2.00 XAG credited, "
                "the daily totals 0.00 XAG and 3.00 XAG"
            ),
        ),
        (
            "DELETE FROM wallet_gametotal WHERE account = 'game_revenue'",
            (
                "of game revenue the figures have 0.00 XAG debited and 0.00 XAG credited, "
                "the daily totals 0.00 XAG and 3.00 XAG"
            ),
        ),
    ],
)
def test_figures__that_are_not_the_daily_totals_are_found(
    player_session: PlayerSession, clock: Clock, ledger: OwnLedger, change: str, says: str
) -> None:
    fold()
    clock.stand(NOON + 2 * DAY)
    close_days(Run("daily_totals"))
    # What is summed up so far may be less.
    assert audit_ledger().problems == []
    fold()
    assert audit_ledger().problems == []
    assert ledger.owner.execute(change.encode()).rowcount == 1
    assert f"figures: {MONDAY}: {says}" in audit_ledger().problems
    reclose_day(MONDAY)
    fold()
    assert audit_ledger().problems == []


def test_figures__a_day_that_is_put_right_is_summed_up_anew(
    player_session: PlayerSession, clock: Clock, ledger: OwnLedger
) -> None:
    clock.stand(NOON + 2 * DAY)
    close_days(Run("daily_totals"))
    fold()
    ledger.owner.execute(
        "UPDATE wallet_entry SET amount = 200 WHERE player_id = %s AND credit = 'game_revenue'",
        [player_session.player.pk],
    )
    assert (fold().done, totals()) == (0, SPENT)
    reclose_day(MONDAY)
    assert (fold().done, totals()[True, "game_revenue"]) == (1, (0, 2_00))


def hours(day: date = MONDAY) -> dict[tuple[int, str], tuple[int, int]]:
    """Debits and credits by hour and account, through any game or none."""
    found = HourTotal.objects.filter(day=day).values_list("hour", "account")
    sums = found.annotate(Sum("debits"), Sum("credits"))
    return {(hour, account): (int(debits), int(credits)) for hour, account, debits, credits in sums}


def arrivals(day: date = MONDAY) -> dict[int, tuple[int, int]]:
    """Players and sessions, in all, by the hour in which they came."""
    rows = HourActivity.objects.filter(day=day, game=None, currency=None)
    return {row.hour: (row.players, row.sessions) for row in rows}


def test_figures__hours_have_what_moved_and_who_came_in_them(
    player_session: PlayerSession, clock: Clock
) -> None:
    clock.stand(NOON + HOUR)
    fold()
    before = hours()
    assert before[12, "game_revenue"] == (0, 3_00)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    again = player_session.elsewhere()
    again.opened("withdraw", "1.00")
    clock.stand(NOON + 2 * HOUR)
    fold()
    assert hours() == before | {
        (13, "spendable"): (2_00, 0),
        (13, "reserved"): (1_00, 2_00),
        (13, "game_revenue"): (0, 1_00),
    }
    # The player had come before, with another session.
    assert arrivals() == {12: (1, 1), 13: (0, 1)}
    # A day that is summed up anew has the same.
    known = hours(), arrivals()
    clock.stand(NOON + DAY)
    close_days(Run("daily_totals"))
    fold()
    assert (FiguresDay.objects.get(day=MONDAY).is_final, hours(), arrivals()) == (True, *known)


def test_figures__hours_are_kept_for_nine_days(player_session: PlayerSession, clock: Clock) -> None:
    clock.stand(NOON + DAY)
    close_days(Run("daily_totals"))
    fold()
    clock.stand(NOON + 8 * DAY)
    close_days(Run("daily_totals"))
    fold()
    assert (hours() != {}, arrivals() != {}, FiguresDay.objects.get(day=MONDAY).by_hour) == (True, True, True)
    clock.stand(NOON + 9 * DAY)
    fold()
    assert (hours(), arrivals(), FiguresDay.objects.get(day=MONDAY).by_hour) == ({}, {}, False)
    # The day itself stays, and is not summed up again for its hours.
    assert (totals(), fold().done) == (SPENT, 0)


@pytest.mark.parametrize("is_over", [False, True])
def test_figures__a_day_of_an_earlier_release_gets_its_hours(
    player_session: PlayerSession, clock: Clock, ledger: OwnLedger, is_over: bool
) -> None:
    clock.stand(NOON + HOUR)
    fold()
    if is_over:
        clock.stand(NOON + DAY)
        close_days(Run("daily_totals"))
        fold()
    known = hours(), arrivals(), totals(), activity()
    HourTotal.objects.all().delete()
    HourActivity.objects.all().delete()
    FiguresDay.objects.update(by_hour=False)
    clock.stand(NOON + HOUR + (DAY if is_over else HOUR))
    assert fold().done == is_over
    assert (hours(), arrivals(), totals(), activity()) == known


def activity(day: date = MONDAY) -> set[tuple[bool, str | None, bool, int, int]]:
    """By whether it is of one game, by currency and test: players and sessions."""
    rows = DailyActivity.objects.filter(day=day)
    return {
        (row.game_id is not None, row.currency_id, row.is_test, row.players, row.sessions) for row in rows
    }


def test_figures__count_each_player_and_session_once_a_day(
    player_session: PlayerSession, clock: Clock, ledger: OwnLedger
) -> None:
    player_session.opened("withdraw", "1.00")
    other = ledger.callers.player_session(50_00, "EUR")
    other.opened("withdraw", "1.00")
    clock.stand(NOON + HOUR)
    fold()
    player_session.opened("withdraw", "1.00")
    clock.stand(NOON + 2 * HOUR)
    fold()
    of_each = {(of_game, code, False, 1, 1) for of_game in (True, False) for code in ("XAG", "EUR")}
    assert activity() == of_each | {(True, None, False, 2, 2), (False, None, False, 2, 2)}


def test_figures__have_test_players_apart(player_session: PlayerSession, clock: Clock) -> None:
    Player.objects.filter(pk=player_session.player.pk).update(is_test=True)
    clock.stand(NOON + HOUR)
    fold()
    assert (totals(), totals(is_test=True)) == ({}, SPENT)
    assert {is_test for _, _, is_test, _, _ in activity()} == {True}
    [held] = Liability.objects.all()
    assert (held.is_test, int(held.spendable)) == (True, 97_00)
