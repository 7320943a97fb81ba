"""Dormant accounts: which they are, and what is no sign of life."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.clock import now
from players.models import GameSession, Player
from tests.conftest import Clock
from tests.support.callers import PlayerSession, open_session
from tests.support.own_database import OwnLedger, own_ledger
from wallet.reports.dormant_accounts import REPORT
from wallet.reports.period import read_period
from wallet.reports.report import Asked, rows_of

BEGIN, DAY = datetime(2025, 1, 1, 12, tzinfo=UTC), timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which the time is the tests' own."""
    with own_ledger(f"{database_name}_dormant") as ledger:
        ledger.keep()
        yield ledger


@pytest.fixture
def clock(ledger: OwnLedger) -> Iterator[Clock]:
    clock = Clock(ledger.owner)
    clock.stand(BEGIN)
    yield clock
    clock.restore()
    ledger.restore()


@pytest.fixture
def story(ledger: OwnLedger, clock: Clock, settings: Any) -> PlayerSession:
    """Whoever has 10.00 since the first day. Sessions are made at the true time: after all this."""
    settings.DORMANT_DAYS = 30
    return ledger.callers.player_session(10_00)


def dormant(day: int, size: int = 200) -> list[tuple[Any, ...]]:
    """Player, currency, balance and last line at the end of so many days after the first one."""
    found = Asked(read_period("day", str((BEGIN + day * DAY).date()), now()))
    return [(row.values[0].text, *row.values[1:]) for row in rows_of(REPORT, found, size)]


def test_wallet__is_dormant_after_so_many_days(story: PlayerSession, clock: Clock) -> None:
    clock.stand(BEGIN + 40 * DAY)
    # The day ends at midnight, and 30 days before that the line was written at noon.
    assert dormant(29) == []
    assert dormant(30) == [(story.player.uid, "XAG", 10_00, BEGIN)]
    assert dormant(39) == [(story.player.uid, "XAG", 10_00, BEGIN)]


def test_wallet__is_dormant_no_more_after_a_line(story: PlayerSession, clock: Clock) -> None:
    clock.stand(BEGIN + 35 * DAY)
    story.adjust("debit", 50)
    clock.stand(BEGIN + 70 * DAY)
    assert [len(dormant(day)) for day in (34, 35, 64, 65)] == [1, 0, 0, 1]
    # As it was then, whatever came later.
    assert dormant(34) == [(story.player.uid, "XAG", 10_00, BEGIN)]
    assert dormant(65) == [(story.player.uid, "XAG", 9_50, BEGIN + 35 * DAY)]


def test_wallet__of_whoever_had_a_session_is_not_dormant(
    ledger: OwnLedger, story: PlayerSession, clock: Clock
) -> None:
    open_session(ledger.callers.game, story.player)
    latest = GameSession.objects.filter(player=story.player).latest("pk")
    for moment in (20, 29):
        ledger.owner.execute(
            "UPDATE players_gamesession SET created_at = %s WHERE id = %s",
            [BEGIN + moment * DAY, latest.pk],
        )
        clock.stand(BEGIN + 40 * DAY)
        assert dormant(39) == []
    clock.stand(BEGIN + 80 * DAY)
    assert len(dormant(79)) == 1


def test_wallets__come_each_once_in_any_size(ledger: OwnLedger, story: PlayerSession, clock: Clock) -> None:
    others = [ledger.callers.player_session(number * 100) for number in range(1, 6)]
    clock.stand(BEGIN + 20 * DAY)
    others[2].adjust("credit", 1)
    clock.stand(BEGIN + 40 * DAY)
    whole = dormant(39)
    assert [row[2] for row in whole] == [10_00, 1_00, 2_00, 4_00, 5_00]
    assert dormant(39, 1) == dormant(39, 2) == whole


def test_wallets__of_test_players_are_left_out(story: PlayerSession, clock: Clock) -> None:
    Player.objects.filter(pk=story.player.pk).update(is_test=True)
    clock.stand(BEGIN + 40 * DAY)
    assert dormant(39) == []
