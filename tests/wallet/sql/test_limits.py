"""A player's limits: counted with the withdrawal, to the last minor unit, and given back exactly."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from lib.ids import new_id
from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, adjuster, make_party, open_session
from tests.support.invariants import problems_of
from tests.support.limits import change, limit, used
from wallet.models import Discrepancy, LimitUsage
from wallet.operations import correct_discrepancy

# A Wednesday, and not the first days of a month.
NOON = datetime(2027, 3, 17, 12, 0, tzinfo=UTC)
SUMMED = ("day", "week", "month", "rolling")


@pytest.fixture
def seat(callers: Callers, clock: Clock) -> PlayerSession:
    """A player with 1 000.00 at noon, in a game of its own."""
    clock.stand(NOON)
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 1000_00)
    return session


@pytest.mark.parametrize("period", SUMMED)
def test_spend__is_held_to_the_last_minor_unit_and_declined(seat: PlayerSession, period: str) -> None:
    limit(seat, "spend", period, 100_00)
    assert seat.call("withdraw", "w-1", "60.00").error is None
    refused = seat.call("withdraw", "w-2", "40.01")
    assert (refused.status, refused.error, refused.balance) == (200, 111, "940.00")
    assert seat.call("withdraw", "w-2", "40.01").raw == refused.raw
    assert seat.call("withdraw", "w-2", "40.00").error == 110
    assert seat.call("confirmWithdrawal", "w-2").error == 106
    assert seat.call("rollbackWithdrawal", "w-2").error is None
    assert seat.call("withdraw", "w-3", "40.00").error is None
    assert seat.call("withdraw", "w-4", "0.01").error == 111
    assert used(seat, "spend", period) == 100_00
    assert seat.holding()[:2] == (900_00, 100_00)


@pytest.mark.parametrize("period", SUMMED)
@pytest.mark.parametrize("event", ["rolled_back", "expired", "confirmed"])
def test_reservation__is_given_back_unless_it_is_confirmed(
    seat: PlayerSession, period: str, event: str
) -> None:
    limit(seat, "spend", period, 100_00)
    seat.call("withdraw", "w-1", "100.00")
    assert seat.call("withdraw", "w-2", "0.01").error == 111
    seat.resolve("w-1", event, "withdrawal")
    left = 0 if event == "confirmed" else 100_00
    assert used(seat, "spend", period) == 100_00 - left
    assert seat.call("withdraw", "w-3", "100.00").error == (111 if event == "confirmed" else None)


@pytest.mark.parametrize("period", SUMMED)
def test_loss__is_spent_less_won_when_it_is_confirmed(seat: PlayerSession, period: str) -> None:
    limit(seat, "loss", period, 100_00)
    seat.call("withdraw", "w-1", "100.00")
    seat.call("deposit", "d-1", "30.00")
    assert seat.call("withdraw", "w-2", "0.01").error == 111
    seat.call("confirmDeposit", "d-1")
    assert used(seat, "loss", period) == 70_00
    assert seat.call("withdraw", "w-3", "30.01").error == 111
    assert seat.call("withdraw", "w-4", "30.00").error is None


def test_single__bounds_one_withdrawal(seat: PlayerSession) -> None:
    limit(seat, "single", "", 50_00)
    assert seat.call("withdraw", "w-1", "50.01").error == 111
    assert seat.call("withdraw", "w-2", "50.00").error is None
    assert seat.call("withdraw", "w-3", "50.00").error is None


def test_limit__comes_before_missing_money(seat: PlayerSession) -> None:
    limit(seat, "spend", "day", 100_00)
    assert seat.call("withdraw", "w-1", "1000.01").error == 111
    assert seat.call("withdraw", "w-2", "1000.01", currency="EUR").error == 105


def test_strictest__of_several_applies(seat: PlayerSession) -> None:
    limit(seat, "spend", "month", 100_00)
    limit(seat, "spend", "month", 30_00, set_by="operator")
    assert seat.call("withdraw", "w-1", "30.01").error == 111
    assert seat.call("withdraw", "w-2", "30.00").error is None
    assert change(seat, "spend", "month", "remove", set_by="operator", is_approved=True) == "removed"
    assert seat.call("withdraw", "w-3", "70.00").error is None
    assert seat.call("withdraw", "w-4", "0.01").error == 111


def test_game__has_limits_of_its_own(seat: PlayerSession) -> None:
    other = open_session(make_party(), seat.player)
    limit(seat, "spend", "day", 100_00)
    limit(seat, "spend", "day", 30_00, game=seat.game)
    assert seat.call("withdraw", "w-1", "30.01").error == 111
    assert seat.call("withdraw", "w-2", "30.00").error is None
    assert other.call("withdraw", "w-1", "70.01").error == 111
    assert other.call("withdraw", "w-2", "70.00").error is None
    other.call("rollbackWithdrawal", "w-2")
    assert seat.call("withdraw", "w-3", "0.01").error == 111


def test_other_currency__has_limits_of_its_own(seat: PlayerSession) -> None:
    limit(seat, "spend", "day", 1_00)
    other = open_session(make_party(), seat.player, currency="EUR")
    other.adjust("credit", 10_00)
    assert other.call("withdraw", "w-1", "10.00").error is None
    assert seat.call("withdraw", "w-1", "1.01").error == 111


def test_first_limit__counts_what_was_spent_before_it(seat: PlayerSession) -> None:
    seat.call("withdraw", "w-1", "60.00")
    seat.call("withdraw", "w-2", "20.00")
    seat.call("rollbackWithdrawal", "w-2")
    seat.call("deposit", "d-1", "5.00")
    seat.call("confirmDeposit", "d-1")
    for period in SUMMED:
        limit(seat, "spend", period, 100_00)
        limit(seat, "loss", period, 100_00)
        assert (used(seat, "spend", period), used(seat, "loss", period)) == (60_00, 55_00)
    seat.call("rollbackWithdrawal", "w-1")
    assert [used(seat, "spend", period) for period in SUMMED] == [0, 0, 0, 0]
    assert [used(seat, "loss", period) for period in SUMMED] == [-5_00] * 4


# When the period ends that Wednesday noon belongs to.
ENDS = {
    "day": datetime(2027, 3, 18, tzinfo=UTC),
    "week": datetime(2027, 3, 22, tzinfo=UTC),
    "month": datetime(2027, 4, 1, tzinfo=UTC),
    "rolling": NOON + timedelta(hours=24),
}


@pytest.mark.parametrize("period", SUMMED)
def test_period__gives_the_allowance_back_at_its_end(seat: PlayerSession, clock: Clock, period: str) -> None:
    limit(seat, "spend", period, 100_00)
    seat.call("withdraw", "w-1", "100.00")
    seat.call("confirmWithdrawal", "w-1")
    clock.stand(ENDS[period] - timedelta(microseconds=1))
    before = seat.elsewhere()
    assert before.call("withdraw", "w-2", "0.01").error == 111
    clock.stand(ENDS[period])
    after = seat.elsewhere()
    assert used(after, "spend", period) == 0
    assert after.call("withdraw", "w-3", "100.01").error == 111
    assert after.call("withdraw", "w-4", "100.00").error is None
    assert after.call("withdraw", "w-5", "0.01").error == 111


def test_rolling__lets_each_withdrawal_go_after_its_own_24_hours(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "rolling", 100_00)
    for hour in range(5):
        clock.stand(NOON + timedelta(hours=hour))
        seat.call("withdraw", f"w-{hour}", "20.00")
    # Given back before it leaves, and after.
    seat.call("rollbackWithdrawal", "w-1")
    assert used(seat, "spend", "rolling") == 80_00
    clock.stand(NOON + timedelta(hours=24))
    session = seat.elsewhere()
    assert session.call("withdraw", "x-1", "40.01").error == 111
    assert session.call("withdraw", "x-2", "40.00").error is None
    clock.stand(NOON + timedelta(hours=25))
    session.call("rollbackWithdrawal", "w-0")
    assert used(seat, "spend", "rolling") == 100_00
    assert session.call("withdraw", "x-3", "0.01").error == 111
    clock.stand(NOON + timedelta(hours=26))
    assert session.call("withdraw", "x-4", "20.00").error is None
    assert used(seat, "spend", "rolling") == 100_00
    agree(seat)


@pytest.mark.parametrize("hours", [25, 47, 49, 24 * 40])
def test_rolling__that_rested_begins_anew(seat: PlayerSession, clock: Clock, hours: int) -> None:
    limit(seat, "loss", "rolling", 100_00)
    seat.call("withdraw", "w-1", "60.00")
    clock.stand(NOON + timedelta(hours=1))
    seat.call("withdraw", "w-2", "10.00")
    clock.stand(NOON + timedelta(hours=hours))
    session = seat.elsewhere()
    assert session.call("withdraw", "w-3", "100.01").error == 111
    assert session.call("withdraw", "w-4", "100.00").error is None
    assert session.call("withdraw", "w-5", "0.01").error == 111
    agree(seat)


def test_rollback__of_another_day_leaves_today_alone(seat: PlayerSession, clock: Clock) -> None:
    for period in SUMMED:
        limit(seat, "spend", period, 500_00)
    seat.call("withdraw", "w-1", "100.00")
    clock.stand(NOON + timedelta(days=1))
    session = seat.elsewhere()
    session.call("withdraw", "w-2", "10.00")
    session.call("rollbackWithdrawal", "w-1")
    assert [used(seat, "spend", period) for period in SUMMED] == [10_00] * 4
    agree(seat)


def agree(seat: PlayerSession) -> None:
    """What is counted is what the journal says."""
    assert LimitUsage.objects.filter(player=seat.player).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_limit_differences() WHERE wallet = %s", [seat.wallet().pk])
        assert cursor.fetchall() == []


def test_time__refuses_when_the_minutes_are_used_and_settles_on(callers: Callers, clock: Clock) -> None:
    clock.stand(NOON)
    seat = open_session(make_party(), callers.player())
    seat.adjust("credit", 100_00)
    limit(seat, "time", "day", 60)
    clock.stand(NOON + timedelta(minutes=30))
    # Beside the first one: the time counts once.
    other = open_session(make_party(), seat.player)
    seat.call("withdraw", "w-1", "1.00")
    clock.stand(NOON + timedelta(minutes=60) - timedelta(microseconds=1))
    assert used(seat, "time", "day") == 59
    assert other.call("withdraw", "w-1", "1.00").error is None
    clock.stand(NOON + timedelta(minutes=60))
    assert used(seat, "time", "day") == 60
    assert seat.call("withdraw", "w-2", "1.00").error == 111
    assert other.call("withdraw", "w-2", "1.00").error == 111
    assert seat.call("confirmWithdrawal", "w-1").error is None
    clock.stand(datetime(2027, 3, 18, tzinfo=UTC))
    assert seat.call("withdraw", "w-3", "1.00").error is None


def corrected(seat: PlayerSession, mm: str, type: str, word: str) -> None:
    """The game contradicts how a transaction ended, and an operator books it as the game says."""
    seat.call(f"{word}{type.capitalize()}", mm)
    transaction = seat.transaction(mm, type)
    row = Discrepancy.objects.get(transaction=transaction, closed_at=None)
    correct_discrepancy(row, transaction_id=new_id(), operator=adjuster(), reason="They say so")


def summed(seat: PlayerSession) -> tuple[set[int | None], set[int | None]]:
    """Spent and lost, which all four periods have the same of."""
    return (
        {used(seat, "spend", period) for period in SUMMED},
        {used(seat, "loss", period) for period in SUMMED},
    )


def test_correction__counts_as_what_it_corrects_however_often(seat: PlayerSession) -> None:
    for period in SUMMED:
        limit(seat, "spend", period, 500_00)
        limit(seat, "loss", period, 500_00)
    # Ended by the platform, booked as the game says, and booked back as it says later.
    seat.call("withdraw", "w-1", "30.00")
    seat.resolve("w-1", "expired")
    assert summed(seat) == ({0}, {0})
    corrected(seat, "w-1", "withdrawal", "confirm")
    assert summed(seat) == ({30_00}, {30_00})
    corrected(seat, "w-1", "withdrawal", "rollback")
    assert summed(seat) == ({0}, {0})
    seat.call("withdraw", "w-2", "30.00")
    seat.resolve("w-2", "confirmed")
    corrected(seat, "w-2", "withdrawal", "rollback")
    assert summed(seat) == ({0}, {0})
    corrected(seat, "w-2", "withdrawal", "confirm")
    assert summed(seat) == ({30_00}, {30_00})
    seat.call("deposit", "d-1", "7.00")
    seat.resolve("d-1", "expired", "deposit")
    corrected(seat, "d-1", "deposit", "confirm")
    assert summed(seat) == ({30_00}, {23_00})
    corrected(seat, "d-1", "deposit", "rollback")
    seat.call("deposit", "d-2", "5.00")
    seat.resolve("d-2", "confirmed", "deposit")
    assert summed(seat) == ({30_00}, {25_00})
    corrected(seat, "d-2", "deposit", "rollback")
    assert summed(seat) == ({30_00}, {30_00})
    agree(seat)
    assert problems_of(seat.player) == []


def test_money_of_others__counts_as_nothing(seat: PlayerSession) -> None:
    limit(seat, "spend", "day", 500_00)
    limit(seat, "loss", "day", 500_00)
    seat.adjust("debit", 10_00)
    seat.adjust("credit", 20_00)
    assert (used(seat, "spend", "day"), used(seat, "loss", "day")) == (0, 0)


def test_declined__for_a_limit_is_right_to_the_audit(seat: PlayerSession) -> None:
    limit(seat, "spend", "day", 5_00)
    assert seat.call("withdraw", "w-1", "5.01").error == 111
    assert seat.call("withdraw", "w-2", "5.00").error is None
    assert problems_of(seat.player) == []
