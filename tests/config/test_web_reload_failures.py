"""What gunicorn's first process does with workers that do not start or cannot be replaced, step by step
(config.web_reload); tests/config/test_web_reload.py does it with processes.
"""

import logging
import os
import queue
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from config import web_reload
from config.web_reload import PAUSE_SECONDS, NotReloadedError, ReloadingArbiter

# What a reload takes from the settings anew.
SETTINGS = ("worker_class", "address", "_num_workers", "timeout", "proc_name")


def worker(age: int, *, serves: bool = True) -> Any:
    return SimpleNamespace(age=age, is_serving=b"\1" if serves else b"\0")


@pytest.fixture
def arbiter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """With two old workers that serve; nothing that gunicorn's own does is done."""
    made: Any = ReloadingArbiter.__new__(ReloadingArbiter)
    made.log, made.pid, made.worker_age = logging.getLogger(), os.getpid(), 2
    made.cfg = SimpleNamespace(workers=2)
    made.app = SimpleNamespace(cfg=made.cfg)
    for name in SETTINGS:
        setattr(made, name, f"old {name}")
    made.WORKERS = {101: worker(1), 102: worker(2)}
    made.SIG_QUEUE = queue.SimpleQueue()
    made.killed, made.slept = [], []

    def kill(pid: int, number: int) -> None:
        made.killed.append((pid, number))
        made.dead = [*made.dead, pid]

    def reap(own: Any) -> None:
        for pid in own.dead:
            own.WORKERS.pop(pid)
        own.dead = []

    def sleep(seconds: float) -> None:
        made.slept.append(seconds)

    made.dead, made.kill_worker = [], kill
    monkeypatch.setattr(Arbiter, "reap_workers", reap)
    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(web_reload, "time", clock)
    made.clock = clock
    return made


def reloads(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> None:
    """Has gunicorn's own reload do `steps`, each with the arbiter."""

    def reload(own: Any) -> None:
        for step in steps:
            step(own)

    monkeypatch.setattr(Arbiter, "reload", reload)


def take_new_settings(own: Any) -> None:
    own.cfg = own.app.cfg = SimpleNamespace(workers=3)
    for name in SETTINGS:
        setattr(own, name, f"new {name}")


def start_workers(own: Any) -> None:
    own.worker_age = 4
    own.WORKERS |= {103: worker(3), 104: worker(4)}


def end_with(problem: BaseException) -> Any:
    def fail(_: Any) -> None:
        raise problem

    return fail


@pytest.mark.parametrize("problem", [ImportError("no such class"), SystemExit(1)])
def test_reload__that_fails_leaves_everything_as_it_was(
    problem: BaseException,
    arbiter: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = arbiter.cfg
    reloads(monkeypatch, take_new_settings, start_workers, end_with(problem))
    arbiter.reload()
    assert sorted(arbiter.killed) == [(103, signal.SIGKILL), (104, signal.SIGKILL)]
    assert set(arbiter.WORKERS) == {101, 102}
    assert arbiter.cfg is old
    assert arbiter.app.cfg is old
    assert [getattr(arbiter, name) for name in SETTINGS] == [f"old {name}" for name in SETTINGS]
    assert arbiter.old_age is None
    assert f"The reload failed, and the old workers go on: {problem}" in caplog.text


def test_reload__failure_in_a_new_worker_is_its_own(arbiter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the first process's memory, and kills nobody."""

    def be_forked(own: Any) -> None:
        own.pid = os.getppid()

    reloads(monkeypatch, start_workers, be_forked, end_with(SystemExit(3)))
    with pytest.raises(SystemExit):
        arbiter.reload()
    assert arbiter.killed == []


def test_reload__ends_the_old_workers_when_the_new_ones_serve(
    arbiter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(Arbiter, "manage_workers", lambda own: done.append(own.old_age))
    monkeypatch.setattr(arbiter, "wait_for_new_workers", done.append)
    reloads(monkeypatch, start_workers, lambda own: own.manage_workers(), lambda own: own.manage_workers())
    arbiter.reload()
    # The second time nothing is waited for, as whenever there is no reload.
    assert done == [2, None, None]
    arbiter.manage_workers()
    assert done == [2, None, None, None]
    assert (arbiter.old_age, arbiter.killed) == (None, [])


def test_wait__for_all_new_workers(arbiter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    start_workers(arbiter)
    new = [arbiter.WORKERS[103], arbiter.WORKERS[104]]
    for one in new:
        one.is_serving = b"\0"

    def sleep(seconds: float) -> None:
        """One of them is there after each pause."""
        arbiter.slept.append(seconds)
        new[len(arbiter.slept) - 1].is_serving = b"\1"

    arbiter.clock.sleep = sleep
    arbiter.wait_for_new_workers(2)
    assert arbiter.slept == [0.05, 0.05]


def test_wait__ends_if_a_new_worker_has_ended(arbiter: Any) -> None:
    start_workers(arbiter)
    arbiter.dead = [104]
    with pytest.raises(NotReloadedError, match=r"^a new worker ended$"):
        arbiter.wait_for_new_workers(2)


def test_wait__ends_if_a_new_worker_takes_too_long(arbiter: Any) -> None:
    start_workers(arbiter)
    arbiter.WORKERS[104].is_serving = b"\0"
    moments = iter([1000.0, 1059.9, 1060.1])
    arbiter.clock.monotonic = lambda: next(moments)
    with pytest.raises(NotReloadedError, match=r"^a new worker took more than 60 s$"):
        arbiter.wait_for_new_workers(2)
    assert arbiter.slept == [0.05]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_wait__ends_for_a_signal_that_ends_the_server(number: signal.Signals, arbiter: Any) -> None:
    start_workers(arbiter)
    arbiter.WORKERS[104].is_serving = b"\0"
    arbiter.SIG_QUEUE.put_nowait(signal.SIGCHLD)
    arbiter.SIG_QUEUE.put_nowait(number)
    arbiter.wait_for_new_workers(2)
    # Whoever handles signals finds them as they came.
    waiting = [arbiter.SIG_QUEUE.get_nowait() for _ in range(2)]
    assert waiting == [signal.SIGCHLD, number]
    assert arbiter.SIG_QUEUE.empty()
    assert arbiter.slept == []


def test_signals__others_end_nothing(arbiter: Any) -> None:
    assert not arbiter.is_to_end()
    arbiter.SIG_QUEUE.put_nowait(signal.SIGCHLD)
    assert not arbiter.is_to_end()
    assert arbiter.SIG_QUEUE.get_nowait() == signal.SIGCHLD


def test_reap__takes_note_of_all_that_ended(arbiter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """gunicorn's own ends at the first that did not start."""
    problems = [HaltServer("Worker failed to boot.", 3), HaltServer("App failed to load.", 4)]
    left = list(problems)

    def reap(_: Any) -> None:
        if left:
            raise left.pop(0)

    monkeypatch.setattr(Arbiter, "reap_workers", reap)
    assert arbiter.reap() is problems[1]
    assert left == []
    assert arbiter.reap() is None


def test_reap__worker_that_cannot_start_ends_the_server_if_none_serves(
    arbiter: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    problem = HaltServer("App failed to load.", 4)
    monkeypatch.setattr(arbiter, "reap", lambda: problem)
    before = time.monotonic()
    arbiter.reap_workers()
    assert before + PAUSE_SECONDS <= arbiter.replace_at <= time.monotonic() + PAUSE_SECONDS
    assert "A worker cannot be replaced, and the others go on: App failed to load." in caplog.text
    for one in arbiter.WORKERS.values():
        one.is_serving = b"\0"
    with pytest.raises(HaltServer):
        arbiter.reap_workers()
    monkeypatch.setattr(arbiter, "reap", lambda: None)
    arbiter.reap_workers()


def test_replacement__is_put_off_while_others_serve(arbiter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []
    monkeypatch.setattr(Arbiter, "spawn_workers", lambda own: tried.append(own))
    arbiter.replace_at = time.monotonic() + 1000
    arbiter.spawn_workers()
    assert tried == []
    arbiter.replace_at = time.monotonic() - 1
    arbiter.spawn_workers()
    assert tried == [arbiter]
    # Nobody serves: at once.
    arbiter.replace_at = time.monotonic() + 1000
    for one in arbiter.WORKERS.values():
        one.is_serving = b"\0"
    arbiter.spawn_workers()
    assert tried == [arbiter, arbiter]


def test_kill__goes_on_until_none_is_left(arbiter: Any) -> None:
    """Who was told to end may need a moment."""
    start_workers(arbiter)
    late: list[int] = []

    def kill(pid: int, number: int) -> None:
        arbiter.killed.append((pid, number))
        if late:
            arbiter.dead = [*arbiter.dead, pid]

    arbiter.kill_worker = kill
    arbiter.clock.sleep = late.append
    arbiter.kill_younger_than(2)
    assert arbiter.killed == [(103, signal.SIGKILL), (104, signal.SIGKILL)] * 2
    assert set(arbiter.WORKERS) == {101, 102}
