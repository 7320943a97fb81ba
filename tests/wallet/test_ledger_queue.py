"""Calls in a loop go to the ledger together: what waits for what, and what becomes of a call when a statement
fails.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import Model
from django.db.utils import OperationalError
from greenlet import getcurrent
from psycopg import sql

from lib import loop_connections
from lib.http.metrics import REGISTRY
from lib.loop_connections import LoopConnections
from tests.conftest import in_database
from tests.support.call_batches import Parameters, is_opening, opening, settling
from tests.support.callers import Callers, Holding, PlayerSession, unique
from tests.support.database_proxy import DatabaseProxy, database_proxy
from tests.support.invariants import problems_of
from tests.support.loops import RunningLoop, running_loop
from wallet import ledger, ledger_queue, ledger_tries
from wallet.ledger import Answer
from wallet.ledger_queue import MOST_CALLS, Batches
from wallet.ledger_statements import OPEN, SETTLE
from wallet.models import ApiCall

# No call here takes longer.
SECONDS = 12.0
Owner = psycopg.Connection[Any]
# What a transaction's id may begin with here: its row takes this long, or cannot be.
SLOW_SECONDS = 0.3
TRIGGER = f"""
    CREATE FUNCTION test_ledger_queue() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.mm_transaction_id LIKE 'slow-%' THEN
            PERFORM pg_sleep({SLOW_SECONDS});
        ELSIF NEW.mm_transaction_id LIKE 'impossible-%' THEN
            RAISE EXCEPTION 'said by a test';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER test_ledger_queue BEFORE INSERT ON wallet_transaction FOR EACH ROW
    EXECUTE FUNCTION test_ledger_queue()
"""
CLOSE = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE %s
"""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningLoop]:
    with running_loop() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def trigger(owner: Owner, database: None) -> Iterator[None]:
    owner.execute(TRIGGER)
    yield
    owner.execute("DROP TRIGGER test_ledger_queue ON wallet_transaction; DROP FUNCTION test_ledger_queue()")


@pytest.fixture(autouse=True)
def pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections of the test's own, which can be told from others and have less patience."""
    monkeypatch.setattr(loop_connections, "GRACE_SECONDS", 0.0)
    batches = Batches()
    monkeypatch.setattr(ledger, "BATCHES", batches)
    pools = {
        "lane": LoopConnections(1, statement_seconds=1, lock_timeout="10ms", application_name="test-lane"),
        "held": LoopConnections(6, lock_timeout="1s", application_name="test-held"),
        "single": LoopConnections(6, statement_seconds=1, application_name="test-single"),
    }
    monkeypatch.setattr(ledger_queue, "LANE", pools["lane"])
    monkeypatch.setattr(ledger_queue, "HELD", pools["held"])
    monkeypatch.setattr(ledger_tries, "CONNECTIONS", pools["single"])
    yield
    for pool in pools.values():
        pool.drop_idle()
        assert (pool.made, len(pool.queue)) == (0, 0)
    assert (batches.held, len(batches.waiting), batches.is_under_way) == ({}, 0, False)


def ask(call: Parameters) -> Answer:
    return ledger.answer_in_batch(OPEN if is_opening(call) else SETTLE, dict(call))


def asked(running: RunningLoop, calls: Sequence[Parameters]) -> list[Future[Answer]]:
    """Calls that come in one turn of the loop."""
    return running.begin_together(ask, *calls)


def outcomes(futures: Sequence[Future[Answer]]) -> list[str]:
    return [future.result(SECONDS).outcome for future in futures]


def openings(sessions: Sequence[PlayerSession]) -> list[Parameters]:
    return [opening(session, unique("mm")) for session in sessions]


def transactions(calls: Sequence[Parameters]) -> list[int]:
    """How many of these openings each transaction of the database committed, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM wallet_transaction WHERE mm_transaction_id = ANY(%s)"
            " GROUP BY xmin ORDER BY min(id::text)",
            [[call["mm"] for call in calls]],
        )
        return [row[0] for row in cursor.fetchall()]


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def locked(owner_url: str, session: PlayerSession) -> Iterator[None]:
    """Somebody else works on the session's wallet until the block ends."""
    with locked_row(owner_url, session.wallet()):
        yield


@contextmanager
def locked_row(owner_url: str, row: Model) -> Iterator[None]:
    with psycopg.connect(owner_url) as other:
        table = sql.Identifier(row._meta.db_table)
        other.execute(sql.SQL("SELECT 1 FROM {} WHERE id = %s FOR UPDATE").format(table), [row.pk])
        yield
        other.rollback()


@pytest.fixture
def owner_url(database_name: str) -> str:
    return in_database(os.environ["DATABASE_OWNER_URL"], database_name)


@pytest.fixture
def sessions(callers: Callers) -> list[PlayerSession]:
    return [callers.player_session() for _ in range(5)]


def assert_each_is_there_once(sessions: Sequence[PlayerSession], opened: int) -> None:
    """`opened`: how many withdrawals of 1.00 each of them had asked for, who had 100.00."""
    for session in sessions:
        spendable = 100_00 - opened * 1_00
        # The entries beside: the wallet is opened, and credited.
        assert session.holding() == Holding(spendable, opened * 1_00, 0, 0, opened + 2)
        assert problems_of(session.player) == []


# --- What goes together ---


def test_lone_call__goes_alone(running: RunningLoop, player_session: PlayerSession) -> None:
    mm = unique("mm")
    before = counted("wallet_statement_calls_count"), counted("wallet_statement_calls_sum")
    for call in (opening(player_session, mm), settling(player_session, mm)):
        assert running.do(ask, call).outcome in {"opened", "confirmed"}
    assert (
        counted("wallet_statement_calls_count") - before[0],
        counted("wallet_statement_calls_sum") - before[1],
    ) == (2, 2)
    prepared = ledger_queue.LANE.idle[0].execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert ["ledger_open(" in row[0] for row in prepared].count(True) == 1
    assert ["ledger_settle(" in row[0] for row in prepared].count(True) == 1
    assert not any("_many(" in row[0] for row in prepared)


def test_calls__that_come_meanwhile_go_together_at_most_64(
    running: RunningLoop, sessions: list[PlayerSession]
) -> None:
    slow = opening(sessions[0], unique("slow"))
    first = running.begin(ask, slow)
    time.sleep(SLOW_SECONDS / 3)
    before = counted("wallet_statement_calls_count"), counted("wallet_statement_calls_sum")
    calls = openings(sessions * 14)
    futures = asked(running, calls)
    assert not first.done()
    assert outcomes(futures) == ["opened"] * 70
    assert first.result(SECONDS).outcome == "opened"
    assert transactions([slow, *calls]) == [1, MOST_CALLS, 6]
    assert (
        counted("wallet_statement_calls_count") - before[0],
        counted("wallet_statement_calls_sum") - before[1],
    ) == (2, 70)
    assert {future.result().balance for future in futures} == {
        100_00 - number * 1_00 for number in range(1, 16)
    }
    assert_each_is_there_once(sessions[1:], 14)


def test_calls__that_come_one_by_one_meanwhile_go_together(
    running: RunningLoop, sessions: list[PlayerSession]
) -> None:
    slow = opening(sessions[0], unique("slow"))
    first = running.begin(ask, slow)
    time.sleep(SLOW_SECONDS / 3)
    calls, futures = openings(sessions[1:]), []
    for call in calls:
        futures += asked(running, [call])
        # The loop has turned.
        running.do(getcurrent)
    assert not first.done()
    assert outcomes([first, *futures]) == ["opened"] * 5
    assert transactions([slow, *calls]) == [1, 4]


def test_calls__openings_and_settlings_are_one_transaction(
    running: RunningLoop, sessions: list[PlayerSession]
) -> None:
    known = openings(sessions)
    assert outcomes(asked(running, known)) == ["opened"] * 5
    settlings = [settling(session, call["mm"]) for session, call in zip(sessions, known, strict=True)]
    more = openings(sessions)
    assert outcomes(asked(running, [*settlings, *more])) == ["confirmed"] * 5 + ["opened"] * 5
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM wallet_entry WHERE player_id = ANY(%s) AND event IN ('opened', 'confirmed')"
            " GROUP BY xmin ORDER BY count(*)",
            [[session.player.pk for session in sessions]],
        )
        assert cursor.fetchall() == [(5,), (10,)]
    assert transactions(more) == [5]


# --- Wallets that somebody else has locked ---


def test_locked_wallet__holds_up_no_other_player(
    running: RunningLoop, owner_url: str, sessions: list[PlayerSession]
) -> None:
    theirs, others = sessions[0], sessions[1:]
    mm = unique("mm")
    running.do(ask, opening(theirs, mm))
    first = [*openings([theirs] * 3), settling(theirs, mm)]
    later = openings([theirs] * 4)
    with locked(owner_url, theirs):
        waiting = asked(running, [*first, *openings(others)])
        for _ in range(5):
            assert outcomes(asked(running, openings(others))) == ["opened"] * 4
        assert [future.done() for future in waiting[:4]] == [False] * 4
        assert outcomes(waiting[4:]) == ["opened"] * 4
        waiting += asked(running, later)
        assert outcomes(asked(running, openings(others))) == ["opened"] * 4
        assert not any(future.done() for future in waiting[:4] + waiting[8:])
    assert outcomes(waiting[:4] + waiting[8:]) == ["opened"] * 3 + ["confirmed"] + ["opened"] * 4
    assert transactions([*first[:3], *later]) == [3, 4]
    assert_each_is_there_once(others, 7)
    assert theirs.holding()[:4] == (92_00, 7_00, 0, 0)


def test_locked_wallet__a_lone_call_waits_for_it_too(
    running: RunningLoop, owner_url: str, player_session: PlayerSession
) -> None:
    before = counted("wallet_batch_repeated_calls_total", failure="LockNotAvailable")
    with locked(owner_url, player_session):
        waiting = running.begin(ask, opening(player_session, unique("mm")))
        time.sleep(0.1)
        assert not waiting.done()
    assert waiting.result(SECONDS).outcome == "opened"
    assert counted("wallet_batch_repeated_calls_total", failure="LockNotAvailable") == before
    assert_each_is_there_once([player_session], 1)


def test_locked_wallet__is_given_up_after_the_lock_timeout(
    running: RunningLoop, owner_url: str, sessions: list[PlayerSession]
) -> None:
    theirs, others = sessions[0], sessions[1:]
    with locked(owner_url, theirs):
        began = time.monotonic()
        waiting = asked(running, openings([theirs] * 3 + others))
        time.sleep(0.2)
        waiting += asked(running, openings([theirs] * 3))
        for future in waiting[:3] + waiting[7:]:
            with pytest.raises(OperationalError, match="the database did not answer") as raised:
                future.result(SECONDS)
            assert isinstance(raised.value.__cause__, psycopg.errors.LockNotAvailable)
        assert 1.0 <= time.monotonic() - began < 2.5
        assert outcomes(waiting[3:7]) == ["opened"] * 4
    assert_each_is_there_once([theirs], 0)
    assert_each_is_there_once(others, 1)
    assert running.do(ask, opening(theirs, unique("mm"))).outcome == "opened"


def test_locked_wallet__impossible_row_fails_alone(
    running: RunningLoop, owner_url: str, player_session: PlayerSession
) -> None:
    before = counted("wallet_batch_repeated_calls_total", failure="RaiseException")
    with locked(owner_url, player_session):
        calls = [*openings([player_session] * 2), opening(player_session, unique("impossible"))]
        futures = asked(running, calls)
        time.sleep(0.1)
    with pytest.raises(psycopg.errors.RaiseException, match="said by a test"):
        futures.pop().result(SECONDS)
    assert outcomes(futures) == ["opened"] * 2
    assert counted("wallet_batch_repeated_calls_total", failure="RaiseException") - before == 3
    assert_each_is_there_once([player_session], 2)


def test_locked_session__holds_up_no_other_player(
    running: RunningLoop, owner_url: str, sessions: list[PlayerSession]
) -> None:
    """The first opening of a session writes it: a lock that is no wallet's."""
    ledger_tries.CONNECTIONS.statement_seconds = 10
    with locked_row(owner_url, sessions[0].session()):
        futures = asked(running, openings(sessions))
        assert outcomes(futures[1:]) == ["opened"] * 4
        assert not futures[0].done()
    assert outcomes(futures[:1]) == ["opened"]
    assert_each_is_there_once(sessions, 1)


# --- A statement that fails ---


def test_impossible_row__fails_alone(
    running: RunningLoop, sessions: list[PlayerSession], caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("wallet_batch_repeated_calls_total", failure="RaiseException")
    calls = openings(sessions * 2)
    futures = asked(running, [*calls[:4], opening(sessions[0], unique("impossible")), *calls[4:]])
    with pytest.raises(psycopg.errors.RaiseException, match="said by a test"):
        futures.pop(4).result(SECONDS)
    assert outcomes(futures) == ["opened"] * 10
    assert_each_is_there_once(sessions, 2)
    assert counted("wallet_batch_repeated_calls_total", failure="RaiseException") - before == 11
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "A statement of 11 calls failed, and each is repeated alone: RaiseException P0001")
    ]


@pytest.mark.parametrize("which", ["test-lane", "test-%"])
def test_lost_connection__in_the_middle_of_a_batch(
    which: str, running: RunningLoop, owner: Owner, sessions: list[PlayerSession]
) -> None:
    fill_pools(running, sessions)
    slow = opening(sessions[0], unique("slow"))
    futures = asked(running, [*openings(sessions), slow])
    time.sleep(SLOW_SECONDS / 3)
    more = asked(running, openings(sessions))
    owner.execute(CLOSE, [which])
    assert outcomes([*futures, *more]) == ["opened"] * 11
    assert transactions([slow]) == [1]
    assert_each_is_there_once(sessions[1:], 3)


def test_lost_connections__while_they_are_idle(
    running: RunningLoop, owner: Owner, sessions: list[PlayerSession]
) -> None:
    fill_pools(running, sessions)
    owner.execute(CLOSE, ["test-%"])
    assert outcomes(asked(running, openings(sessions * 4))) == ["opened"] * 20
    assert_each_is_there_once(sessions, 5)


def fill_pools(running: RunningLoop, sessions: list[PlayerSession]) -> None:
    """Each pool has idle connections that know their statements, and each session one withdrawal."""
    calls = openings(sessions)
    futures = asked(running, [*calls, opening(sessions[0], unique("impossible"))])
    with pytest.raises(psycopg.errors.RaiseException):
        futures.pop().result(SECONDS)
    assert outcomes(futures) == ["opened"] * 5
    assert outcomes(asked(running, calls)) == ["opened"] * 5
    assert (len(ledger_queue.LANE.idle), len(ledger_tries.CONNECTIONS.idle)) == (1, 6)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseProxy]:
    with database_proxy(monkeypatch) as proxy:
        yield proxy


def test_lost_connection__between_commit_and_answer(
    running: RunningLoop, proxy: DatabaseProxy, sessions: list[PlayerSession]
) -> None:
    """What was committed is answered when it is asked again, and is not there twice."""
    fill_pools(running, sessions)
    calls = openings(sessions)
    proxy.cuts = True
    futures = asked(running, calls)
    assert outcomes(futures) == ["opened"] * 5
    assert transactions(calls) == [5]
    assert {future.result().balance for future in futures} == {98_00}
    assert_each_is_there_once(sessions, 2)


def test_no_answer__the_lane_gives_up_and_the_calls_are_repeated(
    running: RunningLoop, proxy: DatabaseProxy, sessions: list[PlayerSession]
) -> None:
    fill_pools(running, sessions)
    calls, began = openings(sessions), time.monotonic()
    proxy.hangs = True
    futures = asked(running, calls)
    # By then it has been carried out, and nobody knows.
    time.sleep(0.5)
    proxy.hangs = False
    assert outcomes(futures) == ["opened"] * 5
    assert time.monotonic() - began < 4
    assert transactions(calls) == [5]
    assert_each_is_there_once(sessions, 2)


@pytest.mark.long
def test_no_answer__from_any_connection_is_an_answer_in_time(
    running: RunningLoop,
    proxy: DatabaseProxy,
    sessions: list[PlayerSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
    fill_pools(running, sessions)
    began = time.monotonic()
    proxy.hangs = True
    for future in asked(running, openings(sessions)):
        with pytest.raises(OperationalError):
            future.result(SECONDS)
    # 1 s for the lane, 1 for a connection that was idle, 2 to connect in vain.
    assert time.monotonic() - began < 9
    proxy.hangs = False
    assert outcomes(asked(running, openings(sessions))) == ["opened"] * 5


def test_database__that_is_down_and_comes_back(
    running: RunningLoop, owner: Owner, proxy: DatabaseProxy, sessions: list[PlayerSession]
) -> None:
    fill_pools(running, sessions)
    calls, began = [*openings(sessions[1:]), opening(sessions[0], unique("slow"))], time.monotonic()
    futures = asked(running, calls)
    time.sleep(SLOW_SECONDS / 3)
    proxy.refuses = True
    owner.execute(CLOSE, ["test-%"])
    # Some may have been answered by a connection that was ended after the lane's.
    assert {outcome_or_none(future) for future in futures} <= {"opened", None}
    later = openings(sessions * 4)
    assert {outcome_or_none(future) for future in asked(running, later)} == {None}
    assert time.monotonic() - began < 5
    proxy.refuses = False
    assert outcomes(asked(running, calls)) == ["opened"] * 5
    assert_each_is_there_once(sessions, 2)


def outcome_or_none(future: Future[Answer]) -> str | None:
    """None if the database was not there."""
    try:
        return future.result(SECONDS).outcome
    except OperationalError:
        return None


# --- What is written down ---


def took_us(call: Parameters) -> int:
    return ApiCall.objects.get(mm_transaction_id=call["mm"]).took_us


def test_took__counts_the_time_in_each_queue_once(
    running: RunningLoop, owner_url: str, sessions: list[PlayerSession]
) -> None:
    """Behind a slow statement, and then for a lock."""
    first = running.begin(ask, opening(sessions[0], unique("slow")))
    time.sleep(SLOW_SECONDS / 3)
    behind, locked_out = openings(sessions[1:3])
    with locked(owner_url, sessions[2]):
        began = time.perf_counter()
        queued, waiting = asked(running, [behind, locked_out])
        assert outcomes([first, queued]) == ["opened"] * 2
        time.sleep(SLOW_SECONDS)
        least = time.perf_counter() - began
    assert waiting.result(SECONDS).outcome == "opened"
    most = time.perf_counter() - began
    assert SLOW_SECONDS / 3 < took_us(behind) / 1e6 < least
    # But for what a new connection takes to prepare the statement.
    assert least - 0.1 < took_us(locked_out) / 1e6 < most


def test_took__counts_the_statement_that_failed(running: RunningLoop, sessions: list[PlayerSession]) -> None:
    calls = [opening(sessions[0], unique("slow")), *openings(sessions[1:3])]
    futures = asked(running, [*calls, opening(sessions[3], unique("impossible"))])
    assert outcomes(futures[:3]) == ["opened"] * 3
    assert [took_us(call) / 1e6 > SLOW_SECONDS for call in calls] == [True] * 3
    with pytest.raises(psycopg.errors.RaiseException):
        futures[3].result(SECONDS)


def test_session__is_kept_by_what_names_it_alone(running: RunningLoop, sessions: list[PlayerSession]) -> None:
    opener, decliner, confirmer, foreign, roller = sessions
    calls = [
        opening(opener, unique("mm")),
        opening(decliner, unique("mm"), 100_01),
        settling(confirmer, unique("mm")),
        opening(foreign, unique("mm"), currency="EUR"),
        settling(roller, unique("mm"), "rolled_back"),
    ]
    assert outcomes(asked(running, calls)) == [
        "opened",
        "insufficient_funds",
        "not_found",
        "foreign_currency",
        "rolled_back",
    ]
    assert [session.session().is_kept for session in sessions] == [True, True, False, False, True]


def test_threads__ask_one_by_one(player_session: PlayerSession) -> None:
    calls, answers = openings([player_session] * 4), []
    before = counted("wallet_statement_calls_count")

    def work(call: Parameters) -> None:
        try:
            answers.append(ask(call).outcome)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert answers == ["opened"] * 4
    assert counted("wallet_statement_calls_count") == before
    assert_each_is_there_once([player_session], 4)
