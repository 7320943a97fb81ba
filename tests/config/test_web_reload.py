"""A reload (SIGHUP) is felt by no caller, whether the new code works or not (docs/operations.md)."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.arbiter import Arbiter

from config import gunicorn
from config.web_kinds import Kinds
from config.web_reload import ReloadingArbiter
from tests.attack.clients import place_of
from tests.support.callers import PlayerSession
from tests.support.web_server import served
from tests.support.web_tables import ends

ROOT = Path(__file__).parents[2]
IMPORT_SECONDS = 2.0
SLOW = "tests.attack.slow_application:application"


class Load:
    """Calls one after the other in some threads, half of them over connections that are kept open."""

    def __init__(self, url: str) -> None:
        self.url, self.is_over = url, threading.Event()
        self.seconds: list[float] = []
        self.pids: list[bytes] = []
        self.failed: list[BaseException] = []

    def call_on(self, *, keeps: bool) -> None:
        connection = HTTPConnection(*place_of(self.url), timeout=30)
        while not self.is_over.wait(0.01):
            began = time.monotonic()
            try:
                connection.request("GET", "/healthz", headers={} if keeps else {"Connection": "close"})
                answer = connection.getresponse()
                assert answer.status == 200
                self.pids.append(answer.read())
            except Exception as problem:  # noqa: BLE001 (counted)
                self.failed.append(problem)
                connection.close()
            self.seconds.append(time.monotonic() - began)
        connection.close()


@contextmanager
def load(url: str) -> Iterator[Load]:
    made = Load(url)
    threads = [threading.Thread(target=made.call_on, kwargs={"keeps": bool(n % 2)}) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.is_over.set()
        for thread in threads:
            thread.join()


def reload(log: Path) -> None:
    os.kill(int(re.findall(r"Listening at: \S+ \((\d+)\)", log.read_text())[0]), signal.SIGHUP)


def have_exited(log: Path, count: int) -> bool:
    return log.read_text().count("Worker exiting") == count


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_reload__old_workers_answer_until_new_ones_do(tmp_path: Path) -> None:
    log, broken = tmp_path / "log", tmp_path / "broken"
    settings = {"BROKEN_IF_THERE": str(broken), "IMPORT_SECONDS": str(IMPORT_SECONDS)}
    with served(log, SLOW, **settings) as url, load(url) as calls:
        wait_until(lambda: len(set(calls.pids)) == 2)
        reload(log)
        wait_until(partial(have_exited, log, 2))
        wait_until(lambda: len(set(calls.pids)) == 4)
        # New code that does not start changes nothing.
        broken.touch()
        reload(log)
        wait_until(lambda: "The reload failed, and the old workers go on" in log.read_text())
        before = set(calls.pids)
        answered = len(calls.pids)
        wait_until(lambda: len(calls.pids) > answered + 20)
        assert set(calls.pids) == before
        # Nor does the end of the whole server wait for a reload.
        broken.unlink()
        reload(log)
        time.sleep(0.3)
        calls.is_over.set()
    assert calls.failed == []
    assert max(calls.seconds) < IMPORT_SECONDS


def answering(url: str) -> set[int]:
    """The workers that answer some calls, each over a connection of its own."""
    pids = set()
    for _ in range(30):
        connection = HTTPConnection(*place_of(url), timeout=30)
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        pids.add(int(connection.getresponse().read()))
        connection.close()
    return pids


def test_broken_code__ends_no_worker_that_serves(tmp_path: Path) -> None:
    log, broken, worker = tmp_path / "log", tmp_path / "broken", tmp_path / "worker"
    settings = {
        "BROKEN_IF_THERE": str(broken),
        "IMPORT_SECONDS": "0",
        "BROKEN_WORKER": str(worker),
        "GUNICORN_CMD_ARGS": "--worker-class tests.attack.breaking_worker.Worker",
    }
    with served(log, SLOW, **settings) as url:
        before: set[int] = set()
        while len(before) < 2:
            before |= answering(url)
        # The worker's class cannot be imported, or a new worker not be made.
        for number, problem in enumerate(("import", "fork"), start=1):
            worker.write_text(problem)
            reload(log)
            wait_until(lambda: log.read_text().count("The reload failed") == number, 20)  # noqa: B023
            assert answering(url) <= before
        worker.unlink()
        # A worker that ends is not replaced before the code is right, and the other one serves.
        broken.touch()
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: "A worker cannot be replaced, and the others go on" in log.read_text(), 20)
        assert answering(url) == before - {killed}
        broken.unlink()
        wait_until(lambda: len(answering(url)) == 2)
        reload(log)
        wait_until(lambda: not answering(url) & before)


def test_replacement__that_cannot_be_forked_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def spawn_workers(_: Arbiter) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Arbiter, "spawn_workers", spawn_workers)
    arbiter = ReloadingArbiter.__new__(ReloadingArbiter)
    arbiter.log = logging.getLogger()
    arbiter.WORKERS = {1: SimpleNamespace(is_serving=b"\1")}
    arbiter.spawn_workers()
    assert arbiter.replace_at > time.monotonic()
    arbiter.WORKERS = {1: SimpleNamespace(is_serving=b"\0")}
    with pytest.raises(BlockingIOError):
        arbiter.spawn_workers()


@pytest.mark.long
def test_reload__no_wallet_call_over_a_second_in_ten(
    player_session: PlayerSession, database_url: str, tmp_path: Path
) -> None:
    log, seconds = tmp_path / "log", []
    is_over = threading.Event()

    def call_on(session: PlayerSession) -> None:
        while not is_over.is_set():
            began = time.monotonic()
            session.done("getBalance")
            seconds.append(time.monotonic() - began)

    with served(log, DATABASE_URL=database_url) as url:
        threads = [
            threading.Thread(target=call_on, args=(player_session.elsewhere(at=url),)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        try:
            for number in range(10):
                reload(log)
                wait_until(partial(have_exited, log, 2 * (number + 1)))
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
    print(f"{len(seconds)} calls, slowest {max(seconds):.2f} s")
    assert max(seconds) < 1


OLD_MODULES = """
import runpy, sys
import config.web_kinds
runpy.run_path("config/gunicorn.py", run_name="__config__")
sys.exit("config.web_kinds" in sys.modules)
"""


def test_reload__loads_the_worker_without_modules_of_the_old_code() -> None:
    subprocess.run([sys.executable, "-c", OLD_MODULES], cwd=ROOT, check=True)


def test_worker__shares_with_none_of_the_old_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts no requests is left to the workers that have it already."""
    monkeypatch.setattr(gunicorn, "forget_project", lambda: None)
    server = SimpleNamespace(WORKERS={}, counts="", kinds=SimpleNamespace())
    first, second = SimpleNamespace(), SimpleNamespace()
    gunicorn.pre_fork(server, first)
    gunicorn.pre_fork(server, second)
    assert isinstance(first.kinds, Kinds)
    assert second.kinds is first.kinds is server.kinds
    for end in ends(first.kinds):
        end.close()
