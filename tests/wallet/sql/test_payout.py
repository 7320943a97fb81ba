"""A game's bounds: its largest deposit, and its net payout per day, to the last minor unit."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError

from players.models import Credential
from tests.conftest import Clock
from tests.support.call_batches import done_alone, done_together, opening
from tests.support.callers import Callers, Party, PlayerSession, make_party, open_session
from tests.support.payout import counters, limit, net_payout_today
from wallet.models import PayoutCounter, PayoutLimit

Owner = psycopg.Connection[Any]
COUNTERS = 16
NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def seat(callers: Callers, clock: Clock) -> PlayerSession:
    """A player without money at noon, in a game of its own."""
    clock.stand(NOON)
    return open_session(make_party(), callers.player())


def test_deposit__above_the_largest_is_111_and_stays_declined(seat: PlayerSession) -> None:
    limit(seat, largest=50_00)
    answer = seat.call("deposit", "d-1", "50.01")
    assert (answer.status, answer.error, answer.balance) == (200, 111, "0.00")
    assert seat.holding()[:4] == (0, 0, 0, 0)
    assert seat.call("deposit", "d-2", "50.00").error is None
    # It is remembered under its id, whatever the limit is later.
    limit(seat)
    assert seat.call("deposit", "d-1", "50.01").error == 111
    assert seat.call("deposit", "d-1", "50.00").error == 110
    assert seat.call("confirmDeposit", "d-1").error == 106
    assert seat.call("rollbackDeposit", "d-1").error is None
    assert seat.call("deposit", "d-3", "50.01").error is None


def test_deposit__counts_when_it_is_announced(seat: PlayerSession) -> None:
    row = limit(seat, daily=100_00)
    assert seat.call("deposit", "d-1", "60.00").error is None
    assert seat.call("deposit", "d-2", "40.01").error == 111
    assert seat.call("deposit", "d-3", "40.00").error is None
    assert net_payout_today(row) == 100_00
    assert seat.call("deposit", "d-4", "0.01").error == 111
    assert seat.call("confirmDeposit", "d-1").error is None
    assert net_payout_today(row) == 100_00


def test_deposit__repeated_counts_once_and_is_answered_when_all_is_paid(
    seat: PlayerSession,
) -> None:
    row = limit(seat, daily=60_00)
    first = seat.call("deposit", "d-1", "60.00")
    for _ in range(3):
        assert seat.call("deposit", "d-1", "60.00").raw == first.raw
    assert seat.call("deposit", "d-1", "59.00").error == 110
    assert net_payout_today(row) == 60_00


def test_withdrawal__makes_room_when_it_is_confirmed(seat: PlayerSession) -> None:
    row = limit(seat, daily=10_00)
    seat.adjust("credit", 100_00)
    seat.call("withdraw", "w-1", "30.00")
    seat.call("withdraw", "w-2", "30.00")
    seat.call("rollbackWithdrawal", "w-2")
    assert seat.call("deposit", "d-1", "10.01").error == 111
    seat.call("confirmWithdrawal", "w-1")
    assert net_payout_today(row) == -30_00
    assert seat.call("deposit", "d-2", "40.00").error is None
    assert seat.call("deposit", "d-3", "0.01").error == 111
    assert net_payout_today(row) == 10_00


@pytest.mark.parametrize("event", ["rolled_back", "expired", "confirmed"])
def test_deposit__that_the_platform_ends_is_given_back_unless_it_is_paid(
    seat: PlayerSession, clock: Clock, event: str
) -> None:
    row = limit(seat, daily=100_00)
    clock.stand(NOON + timedelta(minutes=1))
    seat.call("deposit", "d-1", "60.00")
    seat.resolve("d-1", event, "deposit")
    assert net_payout_today(row) == (60_00 if event == "confirmed" else 0)


def test_deposit__rolled_back_is_given_back_once(seat: PlayerSession, clock: Clock) -> None:
    row = limit(seat, daily=100_00)
    clock.stand(NOON + timedelta(minutes=1))
    seat.call("deposit", "d-1", "60.00")
    for _ in range(2):
        assert seat.call("rollbackDeposit", "d-1").error is None
    assert net_payout_today(row) == 0


def test_deposit__of_yesterday_or_of_before_the_limit_is_not_given_back(
    seat: PlayerSession, clock: Clock
) -> None:
    seat.call("deposit", "d-0", "5.00")
    row = limit(seat, daily=100_00)
    seat.call("rollbackDeposit", "d-0")
    # Announced within the first minute: it may not have been counted.
    seat.call("deposit", "d-1", "7.00")
    seat.call("rollbackDeposit", "d-1")
    assert net_payout_today(row) == 7_00
    clock.stand(NOON + timedelta(hours=11, minutes=59))
    seat.call("deposit", "d-2", "9.00")
    clock.stand(NOON + timedelta(hours=12))
    seat.call("rollbackDeposit", "d-2")
    assert net_payout_today(row) == 0
    clock.stand(NOON)
    assert net_payout_today(row) == 16_00


def test_limit__is_one_games_and_one_currencys(seat: PlayerSession) -> None:
    limit(seat, daily=1_00, largest=1_00)
    elsewhere = seat.elsewhere(party=make_party())
    assert elsewhere.call("deposit", "d-1", "5.00").error is None
    yen = seat.elsewhere("JPY")
    assert yen.call("deposit", "d-1", "500").error is None


def test_counters__are_one_games_and_one_currencys(seat: PlayerSession) -> None:
    elsewhere = [seat.elsewhere("JPY"), seat.elsewhere(party=make_party())]
    others = [limit(one, daily=COUNTERS) for one in elsewhere]
    row = limit(seat, daily=COUNTERS)
    for number in range(COUNTERS):
        assert seat.call("deposit", f"d-{number}", "0.01").error is None
    assert seat.call("deposit", "d-16", "0.01").error == 111
    assert counters(row) == [1] * COUNTERS
    for one, mine, amount in zip(elsewhere, others, ("1", "0.01"), strict=True):
        assert counters(mine) == [0] * COUNTERS
        assert one.call("deposit", "e-1", amount).error is None
        assert sum(counters(mine)) == 1
    before = [counters(mine) for mine in others]
    limit(seat, daily=2 * COUNTERS)
    assert counters(row) == [1] * COUNTERS
    assert [counters(mine) for mine in others] == before


def test_limit__of_a_new_day_begins_anew(seat: PlayerSession, clock: Clock) -> None:
    row = limit(seat, daily=100_00)
    seat.call("deposit", "d-1", "100.00")
    clock.stand(NOON + timedelta(hours=12))
    assert net_payout_today(row) == 0
    seat.call("confirmDeposit", "d-1")
    seat.call("withdraw", "w-1", "20.00")
    seat.call("confirmWithdrawal", "w-1")
    assert net_payout_today(row) == -20_00
    assert seat.call("deposit", "d-2", "0.05").error is None
    assert seat.call("deposit", "d-3", "119.95").error is None
    assert seat.call("deposit", "d-4", "0.01").error == 111
    clock.stand(NOON)
    assert counters(row) == [100_00 // COUNTERS] * COUNTERS


def test_limit__that_is_changed_counts_at_once(seat: PlayerSession) -> None:
    row = limit(seat, daily=1600_00)
    for number in range(10):
        seat.call("deposit", f"d-{number}", "100.00")
    began = row.counting_since
    row = limit(seat, daily=1100_00)
    assert row.counting_since == began
    assert [seat.call("deposit", f"e-{number}", "20.00").error for number in range(6)] == [None] * 5 + [111]
    assert net_payout_today(row) == 1100_00
    limit(seat, daily=900_00)
    assert seat.call("deposit", "f", "0.01").error == 111
    limit(seat, daily=1100_01)
    assert seat.call("deposit", "g", "0.01").error is None
    assert limit(seat, daily=None).counting_since is None
    assert seat.call("deposit", "h", "9000.00").error is None


def test_counters__are_evenly_filled_and_few(seat: PlayerSession) -> None:
    row = limit(seat, daily=160)
    for number in range(160):
        assert seat.call("deposit", f"d-{number}", "0.01").error is None
    assert seat.call("deposit", "d-161", "0.01").error == 111
    assert counters(row) == [10] * COUNTERS


@pytest.mark.parametrize("whole", [-33, -16, -1, 0, 1, 15, 16, 17, 10**19 + 7])
def test_spread__is_even_and_keeps_the_whole(seat: PlayerSession, owner: Owner, whole: int) -> None:
    row = limit(seat, daily=1)
    owner.execute(
        "UPDATE wallet_payoutcounter SET net = CASE number WHEN 3 THEN %s ELSE 0 END WHERE game_id = %s",
        [whole, row.game_id],
    )
    limit(seat, daily=2)
    parts = counters(row)
    assert sum(parts) == whole
    assert max(parts) - min(parts) <= 1


def test_race__pays_exactly_the_limit(seat: PlayerSession, callers: Callers) -> None:
    """Eight players of one game at once; each deposit is one or three units of a limit of 100."""
    row = limit(seat, daily=100)
    party = Party(seat.game, Credential(), seat.caller)
    seats = [open_session(party, callers.player()) for _ in range(8)]
    outcomes: Counter[tuple[str, int | None]] = Counter()

    def play(seat: PlayerSession) -> None:
        for number in range(16):
            amount = "0.01" if number % 2 else "0.03"
            outcomes[amount, seat.call("deposit", f"d-{number}", amount).error] += 1
        connection.close()

    threads = [threading.Thread(target=play, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {(amount, error) for amount in ("0.01", "0.03") for error in (None, 111)}
    paid = outcomes["0.01", None] + 3 * outcomes["0.03", None]
    assert net_payout_today(row) == paid
    # What was refused would have exceeded it at that moment, and what is left is less than three.
    assert 98 <= paid <= 100


def test_busy_counters__are_passed_over_and_waited_for_if_all_are(seat: PlayerSession, owner: Owner) -> None:
    row = limit(seat, daily=1600)
    seat.adjust("credit", 1_00)
    seat.call("withdraw", "w-1", "0.10")
    with owner.transaction():
        owner.execute(
            "SELECT FROM wallet_payoutcounter WHERE game_id = %s AND number <> 5 FOR UPDATE", [row.game_id]
        )
        assert seat.call("deposit", "d-1", "0.50").error is None
        assert counters(row)[5] == 50
        seat.call("confirmWithdrawal", "w-1")
        assert counters(row)[5] == 40
        # More than is left in the free one: the others must be waited for.
        with pytest.raises(psycopg.errors.LockNotAvailable), transaction.atomic():
            open_impatiently(seat, "d-2", 90)
    assert seat.call("deposit", "d-2", "0.90").error is None


def test_spread__counts_what_it_waited_for(seat: PlayerSession, owner: Owner) -> None:
    row = limit(seat, daily=100)
    errors: list[int | None] = []

    def ask() -> None:
        errors.append(seat.call("deposit", "d-1", "0.90").error)
        connection.close()

    with owner.transaction():
        owner.execute(
            "UPDATE wallet_payoutcounter SET net = 50 WHERE game_id = %s AND number = 5", [row.game_id]
        )
        asking = threading.Thread(target=ask)
        asking.start()
        wait_for_one_who_waits(owner)
    asking.join()
    assert errors == [111]
    assert net_payout_today(row) == 50


def wait_for_one_who_waits(owner: Owner) -> None:
    """Until a statement waits for a row that the owner holds."""
    blocked = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    until = time.monotonic() + 10
    while owner.execute(blocked).fetchall() == [(0,)] and time.monotonic() < until:
        time.sleep(0.02)


def open_impatiently(seat: PlayerSession, mm: str, amount: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
    done_alone(opening(seat, mm, amount, type="deposit"))


def test_batch__takes_the_same_path(seat: PlayerSession) -> None:
    row = limit(seat, daily=100, largest=40)
    amounts = [40, 41, 40, 30, 20]
    answers = done_together(
        [opening(seat, f"d-{n}", amount, type="deposit") for n, amount in enumerate(amounts)]
    )
    assert [answers[place].outcome for place in range(5)] == [
        "opened",
        "limit_reached",
        "opened",
        "limit_reached",
        "opened",
    ]
    assert net_payout_today(row) == 100


def test_limit__rows_are_the_databases_to_keep(seat: PlayerSession, owner: Owner) -> None:
    row = limit(seat, daily=100)
    for statement in (
        "UPDATE wallet_payoutlimit SET currency_id = 'EUR' WHERE id = %s",
        "DELETE FROM wallet_payoutlimit WHERE id = %s",
        "UPDATE wallet_payoutlimit SET largest_deposit = 0 WHERE id = %s",
    ):
        with pytest.raises(psycopg.Error):
            owner.execute(statement, [row.pk])
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        PayoutCounter.objects.filter(game=row.game).update(net=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutLimit.objects.create(game=row.game, currency=row.currency)
