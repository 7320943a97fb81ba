"""The first page's figures: by day and game, once, and the same in the end whenever they were summed up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

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
        *(GameTotal, DailyActivity, ActiveSession, FiguresDay, Liability, DailyTotal, ClosedDay, JobRun)
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
    assert audit_ledger().problems == [f"figures: {MONDAY}: {says}"]
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
