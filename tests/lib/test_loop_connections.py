"""Connections for calls in a loop: how many there are, who gets one, and which are not given again."""

import socket
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.waiting import Ready, Wait

from lib import loop_connections
from lib.event_loop import current_loop, off_loop
from lib.loop_connections import (
    CannotConnect,
    LoopConnection,
    LoopConnections,
    refuse_django_connection,
)
from tests.support.database_proxy import database_proxy
from tests.support.loops import SECONDS, RunningLoop, running_loop

PID, SLEEP = "SELECT pg_backend_pid()", "SELECT pg_sleep(0.1), pg_backend_pid()"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningLoop]:
    with running_loop() as running:
        yield running


@pytest.fixture
def two() -> Iterator[LoopConnections]:
    """At most two; closed afterwards."""
    connections = LoopConnections(2)
    yield connections
    connections.drop_idle()
    assert connections.made == 0


def ask(connections: LoopConnections, statement: str = PID) -> Any:
    """The last column of a statement's row."""
    with connections.use() as taken:
        row = taken.execute(statement).fetchone()
        assert row is not None
        return row[-1]


def asked_together(running: RunningLoop, connections: LoopConnections, *statements: str) -> list[Future[Any]]:
    return running.begin_together(lambda statement: ask(connections, statement), *statements)


def test_connections__are_made_when_needed_and_used_again(running: RunningLoop, two: LoopConnections) -> None:
    assert two.made == 0
    pids = {running.do(ask, two) for _ in range(3)}
    assert (len(pids), two.made) == (1, 1)


def test_connections__are_at_most_so_many(running: RunningLoop, two: LoopConnections) -> None:
    calls = asked_together(running, two, *[SLEEP] * 8)
    assert len({call.result(SECONDS) for call in calls}) == 2
    assert (two.made, len(two.idle), len(two.queue)) == (2, 2, 0)


def test_connections__are_at_most_so_many_while_they_break(
    running: RunningLoop, two: LoopConnections
) -> None:
    """The place of one that broke belongs to whoever waited for it, and not to who comes just then."""
    most = []

    def end_own(_: int) -> int:
        try:
            ask(two, "SELECT pg_terminate_backend(pg_backend_pid()), 1")
        except psycopg.OperationalError:
            pid: int = ask(two)
            most.append(two.made)
            return pid
        raise AssertionError("it has ended itself")

    for call in running.begin_together(end_own, *range(8)):
        call.result(SECONDS)
    assert max(most) <= 2


def test_connections__are_waited_for_in_turn(running: RunningLoop, two: LoopConnections) -> None:
    done: list[int] = []

    def note(number: int) -> None:
        ask(two, SLEEP)
        done.append(number)

    for call in running.begin_together(note, *range(6)):
        call.result(SECONDS)
    assert [set(done[first : first + 2]) for first in (0, 2, 4)] == [{0, 1}, {2, 3}, {4, 5}]


def test_connections__have_the_settings_of_their_kind(running: RunningLoop) -> None:
    own = LoopConnections(1, statement_seconds=3, lock_timeout="10ms")
    assert running.do(ask, own, "SELECT current_setting('statement_timeout')") == "3s"
    assert running.do(ask, own, "SELECT current_setting('lock_timeout')") == "10ms"
    assert running.do(ask, own, "SELECT current_setting('idle_in_transaction_session_timeout')") == "30s"
    assert own.idle[0].answer_seconds == 3 + loop_connections.GRACE_SECONDS
    own.drop_idle()


@pytest.mark.parametrize(("limit", "told", "waited"), [(7, "7s", 12.0), (0, "0", 65.0)])
def test_connections__have_the_usual_limit_if_none_is_given(
    limit: int,
    told: str,
    waited: float,
    running: RunningLoop,
    two: LoopConnections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In seconds; a server without a limit is not waited for without end."""
    monkeypatch.setattr(settings, "DATABASE_STATEMENT_TIMEOUT", limit)
    assert running.do(ask, two, "SELECT current_setting('statement_timeout')") == (
        f"{limit}s" if limit else "0"
    )
    assert two.idle[0].answer_seconds == waited


def test_connection__that_broke_is_not_given_again(running: RunningLoop, two: LoopConnections) -> None:
    for call in asked_together(running, two, SLEEP, SLEEP):
        call.result(SECONDS)
    before = {each.info.backend_pid for each in two.idle}
    idle = list(two.idle)
    with pytest.raises(psycopg.OperationalError):
        running.do(ask, two, "SELECT pg_terminate_backend(pg_backend_pid())")
    # Those that were idle with it have most likely ended as well.
    assert (two.made, two.idle, [each.closed for each in idle]) == (0, [], [True, True])
    assert running.do(ask, two) not in before


def test_connection__to_a_server_that_takes_no_writes_is_not_given_again(
    running: RunningLoop, two: LoopConnections
) -> None:
    for call in asked_together(running, two, SLEEP, SLEEP):
        call.result(SECONDS)
    idle = list(two.idle)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        running.do(ask, two, "DO $$ BEGIN RAISE EXCEPTION 'said by a test' USING ERRCODE = '25006'; END $$")
    assert (two.made, two.idle, [each.closed for each in idle]) == (0, [], [True, True])


def test_connection__that_ended_while_it_was_idle_is_replaced(
    running: RunningLoop, two: LoopConnections
) -> None:
    for call in asked_together(running, two, SLEEP, SLEEP):
        call.result(SECONDS)
    for each in two.idle:
        each.close()
    assert running.do(ask, two) > 0
    assert two.made == 1


def test_connection__is_given_again_after_a_refusal(running: RunningLoop, two: LoopConnections) -> None:
    before = running.do(ask, two)
    with pytest.raises(psycopg.errors.DivisionByZero):
        running.do(ask, two, "SELECT 1 / 0")
    assert running.do(ask, two) == before


def test_connection__in_a_transaction_is_not_given_again(running: RunningLoop, two: LoopConnections) -> None:
    before = running.do(ask, two)

    def leave_open() -> LoopConnection:
        with two.use() as taken:
            taken.execute("BEGIN")
            return taken

    assert running.do(leave_open).closed
    assert (two.made, two.idle) == (0, [])
    assert running.do(ask, two) != before


def test_connection__that_gets_no_answer_is_given_up(
    running: RunningLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_connections, "GRACE_SECONDS", -0.7)
    own = LoopConnections(1, statement_seconds=1)
    with database_proxy(monkeypatch) as proxy:
        running.do(ask, own)
        proxy.hangs = True
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match=r"no answer within 0\.3 s"):
            running.do(ask, own)
        assert time.monotonic() - began < 3
        assert (own.made, own.idle) == (0, [])
        proxy.hangs = False
        assert running.do(ask, own) > 0
        own.drop_idle()


def test_cannot_connect__reaches_all_that_wait(
    running: RunningLoop, two: LoopConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_proxy(monkeypatch) as proxy:
        proxy.refuses = True
        for call in asked_together(running, two, *[PID] * 8):
            with pytest.raises(CannotConnect):
                call.result(SECONDS)
        assert (two.made, len(two.queue)) == (0, 0)
        proxy.refuses = False
        assert running.do(ask, two) > 0
        two.drop_idle()


def test_wait__tells_what_can_be_done(running: RunningLoop) -> None:
    def asks() -> Generator[Wait, Ready, list[Ready]]:
        return [(yield Wait.R), (yield Wait.W), (yield Wait.RW)]

    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x")
        waiting: Any = SimpleNamespace(pgconn=SimpleNamespace(socket=ours.fileno()), answer_seconds=SECONDS)
        assert running.do(LoopConnection.wait, waiting, asks()) == [Ready.R, Ready.W, Ready.R]


def test_django_connection__cannot_be_used_in_the_loops_thread() -> None:
    def connect() -> bool:
        connection.ensure_connection()
        return True

    with running_loop() as running:
        assert running.do(connect)
        running.do(refuse_django_connection)
        with pytest.raises(AssertionError, match="must be done off the loop"):
            running.do(connect)
        assert running.do(off_loop, connect)


def test_connection__outside_a_loop_waits_as_it_stands(two: LoopConnections) -> None:
    with LoopConnection.connect(**connect_parameters()) as own:
        assert own.execute("SELECT 7").fetchone() == (7,)


def connect_parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = connection.get_connection_params()
    del parameters["cursor_factory"]
    return parameters


def test_loop__others_go_on_while_a_statement_runs(running: RunningLoop, two: LoopConnections) -> None:
    slow = running.begin(ask, two, "SELECT pg_sleep(0.3), 1")
    assert running.do(lambda: current_loop() is running.loop)
    assert not slow.done()
    assert slow.result(SECONDS) == 1
