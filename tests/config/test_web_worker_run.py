"""How a worker begins, turns and ends (config.web_worker), without its process."""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers import base

from config import web_worker
from config.web_admission import Urgency
from config.web_connection import State
from config.web_kinds import Kind, Kinds
from config.web_worker import ENDING_SECONDS, SWITCH_SECONDS, Worker, give_way_to_calls
from lib.event_loop import EventLoop
from tests.support.web_tables import GET, Pair, Table, ends, enter

PLACE = 3


class Running(Table):
    """A worker whose loop turns in a thread."""

    kinds: Kinds

    def __init__(self) -> None:
        super().__init__()
        # How long what is under way may take.
        self.cfg.set("graceful_timeout", 20)
        self.alive, self.ppid, self.place, self.next_sweep = True, os.getppid(), PLACE, 0.0
        self.kinds = Kinds()
        self.PIPE = os.pipe()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place_of = self.listener.getsockname()
        self.sockets = [self.listener]
        self.may_answer, self.has_request = threading.Event(), threading.Event()
        self.may_answer.set()
        self.problems: list[BaseException] = []
        self.given_way: list[bool] = []
        self.thread = threading.Thread(target=self.run_noting)

    def run_noting(self) -> None:
        try:
            self.run()
        except BaseException as problem:  # noqa: BLE001 (told by the fixture)
            self.problems.append(problem)

    def notify(self) -> None:
        """The first process, which ends who says nothing, is not there."""

    def wsgi(self, _: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.has_request.set()
        assert self.may_answer.wait(20)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place_of, 10)

    def end(self) -> None:
        self.alive = False
        os.write(self.PIPE[1], b"x")
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Not begun yet: `running.thread` is."""
    switch_seconds, worker = sys.getswitchinterval(), Running()
    monkeypatch.setattr(web_worker, "give_way_to_calls", lambda: worker.given_way.append(True))
    yield worker
    worker.may_answer.set()
    if worker.thread.is_alive():
        worker.end()
    sys.setswitchinterval(switch_seconds)
    for connection in list(worker.connections.values()):
        worker.close(connection)
    for descriptor in (*worker.PIPE, worker.loop.waker):
        os.close(descriptor)
    worker.listener.close()
    for end in ends(worker.kinds):
        end.close()
    assert worker.problems == []


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_run__answers_and_tells_the_others(running: Running) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    running.thread.start()
    with running.connect() as client:
        client.sendall(GET)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        assert running.listener.gettimeout() == 0
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
        wait_until(lambda: list(running.kinds.shares[Kind.CALLS].counts)[PLACE] == 2)
    # A thread that waits for a request keeps no process from its end.
    new = [
        thread
        for thread in threading.enumerate()
        if thread.ident not in before and thread is not running.thread
    ]
    assert len(new) == running.cfg.threads
    assert all(thread.daemon for thread in new)


def test_run__takes_over_what_another_worker_hands_over(running: Running) -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    running.thread.start()
    wait_until(lambda: running.kinds.hand_over(Kind.CALLS, ours, GET))
    ours.close()
    with theirs:
        assert theirs.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("kind", "paths", "runs_as"),
    [
        (Kind.CALLS, ("/wallet/",), Kind.CALLS),
        (Kind.PAGES, ("/wallet/",), Kind.PAGES),
        (Kind.PAGES, (), Kind.CALLS),
    ],
)
def test_run__is_for_one_kind_if_there_are_calls(
    kind: Kind, paths: tuple[str, ...], runs_as: Kind, running: Running
) -> None:
    running.kind, running.loop_paths = kind, paths
    running.thread.start()
    wait_until(lambda: bool(running.kinds.shares[runs_as].present()))
    assert running.call_paths == tuple(path.encode() for path in paths)
    # Pages take the processor from nobody who answers a call.
    assert running.given_way == ([True] if runs_as is Kind.PAGES else [])


def test_run__is_woken_by_a_signal(running: Running) -> None:
    """Python writes a byte into the pipe for each; it is taken out, or the loop would turn for ever."""
    running.thread.start()
    wait_until(lambda: bool(running.kinds.shares[Kind.CALLS].present()))
    os.write(running.PIPE[1], b"x")
    wait_until(lambda: not select.select([running.PIPE[0]], [], [], 0)[0])


def test_run__ends_with_the_first_process_and_answers_what_is_under_way(running: Running) -> None:
    running.may_answer.clear()
    running.thread.start()
    with running.connect() as client, running.connect() as silent:
        silent.sendall(GET[:4])
        client.sendall(GET)
        assert running.has_request.wait(10)
        shares = running.kinds.shares[Kind.CALLS]
        assert len(shares.present()) == 1
        running.ppid = 0
        os.write(running.PIPE[1], b"x")
        wait_until(lambda: running.listener.fileno() == -1)
        assert shares.present() == []
        # What others hand over is for those that go on.
        assert set(running.loop.handlers) == {running.loop.waker, running.PIPE[0]}
        running.may_answer.set()
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        # What has begun to come is waited for; its answer is the last one.
        silent.sendall(GET[4:])
        answer = silent.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer
    running.thread.join(10)
    assert not running.thread.is_alive()


def test_end__who_has_sent_nothing_is_let_go_soon(table: Table) -> None:
    table.cfg.set("graceful_timeout", 0)
    now = time.monotonic()
    late = now + 1000
    states = {state: table.add("10.0.0.1", state, late) for state in State}
    begun = table.add("10.0.0.1", State.HEAD, late)
    begun.received += b"G"
    early = table.add("10.0.0.1", State.IDLE, now + 1)
    table.end_connections()
    for state, connection in states.items():
        if state in (State.HEAD, State.IDLE):
            assert now + ENDING_SECONDS <= connection.deadline <= time.monotonic() + ENDING_SECONDS
        else:
            assert connection.deadline == late
    assert (begun.deadline, early.deadline) == (late, now + 1)
    # Nor is anybody kept for the next request.
    assert table.seconds[State.IDLE] == ENDING_SECONDS


def test_end__without_connections_waits_for_nothing(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "turn", lambda: pytest.fail("it turns"))
    table.cfg.set("graceful_timeout", 20)
    table.end_connections()


def test_turn__looks_at_times_now_and_then(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(table, "notify", lambda: done.append("notify"), raising=False)
    monkeypatch.setattr(table, "close_overdue", lambda: done.append("close_overdue"))
    monkeypatch.setattr(table.loop, "turn", lambda seconds, others: done.append((seconds, others)))
    monkeypatch.setattr(table.loop, "end_overdue_waits", lambda: done.append("end_overdue_waits"))
    table.next_sweep, before = 0.0, time.monotonic()
    swept = [(1.0, table.proceed_with), "notify", "close_overdue", "end_overdue_waits"]
    table.turn()
    assert done == swept
    assert before + 0.5 <= table.next_sweep <= time.monotonic() + 0.5
    table.next_sweep = before + 1000
    table.turn()
    assert done == [*swept, swept[0]]


def test_begin__makes_what_a_worker_has(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(base.Worker, "init_process", lambda own: begun.append(own))
    worker: Any = Worker.__new__(Worker)
    worker.cfg = Config()
    worker.init_process()
    assert begun == [worker]
    assert isinstance(worker.loop, EventLoop)
    assert (worker.connections, worker.next_sweep) == ({}, 0.0)
    os.close(worker.loop.waker)


def test_begin__speaks_no_tls() -> None:
    Worker.check_config(SimpleNamespace(is_ssl=False), None)
    with pytest.raises(RuntimeError, match=r"a proxy does \(deploy/nginx.conf\)"):
        Worker.check_config(SimpleNamespace(is_ssl=True), None)


@pytest.mark.parametrize("problem", [None, PermissionError])
def test_pages__give_way_if_that_may_be_set(
    problem: type[OSError] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []

    def tell(process: int, policy: int, how: os.sched_param) -> None:
        told.append((process, policy, how.sched_priority))
        if problem:
            raise problem

    monkeypatch.setattr(os, "sched_setscheduler", tell)
    give_way_to_calls()
    assert told == [(0, os.SCHED_BATCH, 0)]


def test_threads__take_what_waits_one_after_the_other(
    table: Table, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Any] = []

    def take(connection: Any) -> None:
        taken.append(connection)
        if taken.count(connection) == 2:
            raise SystemExit

    monkeypatch.setattr(table, "take", take)
    # After each the others are told that one less is under way.
    monkeypatch.setattr(table, "share_busy", lambda: taken.append("told"))
    connection = enter(table, pair[0], GET)
    for _ in range(2):
        table.waiting.put(connection, Urgency.PAGE)
        table.turns.put(None)
    with pytest.raises(SystemExit):
        table.answer_requests()
    assert taken == [connection, "told", connection]
