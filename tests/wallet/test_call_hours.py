"""The call log is summed up by game and hour, each call once, and what a game did is remembered."""

from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from django.db.models import Sum
from django.db.utils import OperationalError

from lib.ids import new_id
from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, make_party, open_session, unique
from wallet import call_hours
from wallet.call_hours import BOUNDS, DAYS_KEPT, LATE, MARGIN, fold_calls, percentile
from wallet.job_runs import Run
from wallet.models import CallHour, CallLogReading, IntegrationStep

NOON = datetime(2031, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def session(callers: Callers, clock: Clock) -> PlayerSession:
    """A player with 100.00 in a game of its own, at noon; what is summed up begins now."""
    clock.stand(NOON)
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 100_00)
    CallLogReading.objects.update_or_create(id=1, defaults={"up_to": datetime.now(UTC)})
    return session


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call of a test is under way when it is read. A test that sets the clock does not set that of ids."""
    monkeypatch.setattr(call_hours, "clock_of_ids", lambda: datetime.now(UTC))
    monkeypatch.setattr(call_hours, "MARGIN", timedelta())


def fold() -> Run:
    # Ids tell milliseconds.
    sleep(0.002)
    run = Run("fold_calls")
    fold_calls(run)
    return run


def sums(session: PlayerSession) -> dict[str, tuple[int, int, int, int]]:
    """Calls, refused, repeats and late ones by endpoint."""
    rows = CallHour.objects.filter(game=session.game).values("endpoint")
    totals = rows.annotate(a=Sum("calls"), b=Sum("refused"), c=Sum("repeats"), d=Sum("late"))
    return {row["endpoint"]: (row["a"], row["b"], row["c"], row["d"]) for row in totals}


def steps(session: PlayerSession) -> set[str]:
    return set(IntegrationStep.objects.filter(game=session.game).values_list("name", flat=True))


def test_calls__are_summed_up_once(session: PlayerSession, clock: Clock) -> None:
    mm = session.opened("withdraw", "1.00")
    session.call("withdraw", mm, "1.00")
    session.call("withdraw", unique("mm"), "500.00")
    clock.stand(NOON + LATE)
    session.done("confirmWithdrawal", mm)
    session.done("confirmWithdrawal", mm)
    fold()
    known = {"withdraw": (3, 1, 1, 0), "confirmWithdrawal": (2, 0, 1, 1)}
    assert sums(session) == known
    assert set(CallHour.objects.filter(game=session.game).values_list("hour", flat=True)) == {NOON}
    fold()
    assert sums(session) == known
    session.done("confirmWithdrawal", mm)
    fold()
    assert sums(session) == known | {"confirmWithdrawal": (3, 0, 2, 1)}


def test_confirmation__before_its_time_is_not_late(session: PlayerSession, clock: Clock) -> None:
    mm = session.opened("deposit", "1.00")
    clock.stand(NOON + LATE - SECOND)
    session.done("confirmDeposit", mm)
    fold()
    assert sums(session)["confirmDeposit"] == (1, 0, 0, 0)


def test_run__that_is_cut_off_has_added_whole_spans(session: PlayerSession) -> None:
    session.opened("withdraw", "1.00")
    with (
        patch.object(CallLogReading, "save", side_effect=OperationalError),
        pytest.raises(OperationalError),
    ):
        fold()
    assert sums(session) == {}
    fold()
    assert sums(session) == {"withdraw": (1, 0, 0, 0)}


def test_run__goes_on_where_the_last_one_stopped(
    session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_hours, "SPAN", timedelta(milliseconds=5))
    monkeypatch.setattr(call_hours, "RUN_SECONDS", 0.0)
    session.opened("withdraw", "1.00")
    sleep(0.05)
    session.opened("withdraw", "1.00")
    assert (fold().done, sums(session)) == (1, {"withdraw": (1, 0, 0, 0)})
    monkeypatch.setattr(call_hours, "RUN_SECONDS", 60.0)
    fold()
    assert sums(session) == {"withdraw": (2, 0, 0, 0)}


def test_run__passes_over_time_without_calls(session: PlayerSession) -> None:
    CallLogReading.objects.update(up_to=datetime.now(UTC) + timedelta(days=1))
    assert fold().done == 1
    CallLogReading.objects.update(up_to=datetime.now(UTC))
    session.opened("withdraw", "1.00")
    assert fold().done == 1
    assert sums(session) == {"withdraw": (1, 0, 0, 0)}


def test_call__of_a_game_that_is_not_there_holds_up_no_other(
    session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    session.opened("withdraw", "1.00")
    owner.execute("UPDATE wallet_apicall SET game_id = %s WHERE game_id = %s", [new_id(), session.game.pk])
    session.opened("deposit", "1.00")
    fold()
    assert sums(session) == {"deposit": (1, 0, 0, 0)}


def test_call__under_way_is_left_for_the_next_run(
    session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.opened("withdraw", "1.00")
    monkeypatch.setattr(call_hours, "MARGIN", MARGIN)
    fold()
    assert sums(session) == {}


def test_hours__are_kept_for_some_days(session: PlayerSession, clock: Clock) -> None:
    session.opened("withdraw", "1.00")
    fold()
    clock.stand(NOON + DAYS_KEPT)
    fold()
    assert sums(session) == {"withdraw": (1, 0, 0, 0)}
    clock.stand(NOON + DAYS_KEPT + SECOND)
    fold()
    assert (sums(session), steps(session)) == ({}, set())


def test_steps__are_what_the_game_did(session: PlayerSession) -> None:
    for kind, open in (("Withdrawal", "withdraw"), ("Deposit", "deposit")):
        session.done(f"confirm{kind}", session.opened(open, "1.00"))
        session.done(f"rollback{kind}", session.opened(open, "1.00"))
    fold()
    known = {"withdrawal_confirmed", "withdrawal_rolled_back", "deposit_confirmed", "deposit_rolled_back"}
    assert steps(session) == known


def test_step__of_a_repeat(session: PlayerSession) -> None:
    mm = session.opened("deposit", "1.00")
    session.done("deposit", mm, "1.00")
    fold()
    assert steps(session) == {"opening_repeated"}
    session.done("rollbackDeposit", mm)
    session.done("rollbackDeposit", mm)
    fold()
    assert steps(session) == {"opening_repeated", "deposit_rolled_back", "settlement_repeated"}


def test_step__of_a_rollback_that_comes_first(session: PlayerSession) -> None:
    session.done("rollbackWithdrawal", unique("mm"))
    fold()
    assert steps(session) == {"tombstone"}


def test_step__of_a_withdrawal_that_is_declined(session: PlayerSession) -> None:
    mm = unique("mm")
    session.call("withdraw", mm, "500.00")
    session.done("rollbackWithdrawal", mm)
    fold()
    assert steps(session) == {"declined"}
    session.call("confirmWithdrawal", mm)
    fold()
    assert steps(session) == {"declined", "declined_confirmed"}


def test_step__of_a_query(session: PlayerSession) -> None:
    session.call("queryTransaction", unique("mm"), type="withdrawal")
    fold()
    assert steps(session) == set()
    session.done("queryTransaction", session.opened("withdraw", "1.00"), type="withdrawal")
    fold()
    assert steps(session) == {"queried"}


def test_step__has_its_first_and_its_last_time(session: PlayerSession, clock: Clock) -> None:
    session.done("confirmDeposit", session.opened("deposit", "1.00"))
    fold()
    clock.stand(NOON + timedelta(hours=5))
    session.done("confirmDeposit", session.opened("deposit", "1.00"))
    fold()
    step = IntegrationStep.objects.get(game=session.game)
    assert (step.first_seen_at, step.last_seen_at) == (NOON, NOON + timedelta(hours=5))


@pytest.mark.parametrize(
    ("calls", "share", "milliseconds"),
    [
        ({}, 0.5, None),
        ({0: 0}, 0.5, None),
        # 1 ms is the first bound, 2.5 ms the second.
        ({0: 100}, 0.5, 0.5),
        ({1: 100}, 0.99, 2.485),
        ({0: 50, 1: 50}, 0.5, 1.0),
        ({0: 98, 1: 2}, 0.99, 1.75),
        ({0: 1, len(BOUNDS): 99}, 0.5, 10_000.0),
    ],
)
def test_percentile__is_estimated_within_its_bucket(
    calls: dict[int, int], share: float, milliseconds: float | None
) -> None:
    assert percentile(calls, share) == pytest.approx(milliseconds)
