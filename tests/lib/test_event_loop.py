"""Calls in a loop: each waits, and the others go on."""

import select
import socket
import threading
import weakref
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
from greenlet import getcurrent
from structlog.contextvars import bind_contextvars, get_contextvars

from lib.event_loop import MOST_ENDED_CALLS, EventLoop, current_loop, in_loop, off_loop
from tests.support.loops import SECONDS, RunningLoop, running_loop


@pytest.fixture(scope="module")
def running() -> Iterator[RunningLoop]:
    with running_loop() as running:
        yield running


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def readable(sock: socket.socket, seconds: float = SECONDS) -> int:
    return current_loop().wait(sock.fileno(), select.EPOLLIN, seconds)


def thread_name() -> str:
    return threading.current_thread().name


def fail() -> None:
    raise LookupError("said by a test")


def test_event_loop__a_call_knows_that_it_is_in_one(running: RunningLoop) -> None:
    assert running.do(in_loop) is True
    assert in_loop() is False


def test_event_loop__another_call_goes_on_while_one_waits(
    running: RunningLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    waiting = running.begin(readable, ours)
    assert running.do(thread_name) == running.thread.name
    assert not waiting.done()
    theirs.send(b"x")
    assert waiting.result(SECONDS) == select.EPOLLIN


def test_event_loop__a_wait_ends_at_its_time(
    running: RunningLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    assert running.do(readable, ours, 0.05) == 0
    theirs.send(b"x")
    assert running.do(readable, ours) == select.EPOLLIN


def test_event_loop__a_descriptor_given_anew_is_waited_for(running: RunningLoop) -> None:
    for _ in range(3):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")
            assert running.do(readable, ours) == select.EPOLLIN


def test_watch__ends_with_unwatch(pair: tuple[socket.socket, socket.socket]) -> None:
    (ours, theirs), loop = pair, EventLoop()
    told: list[int] = []
    others: list[int] = []
    loop.watch(ours.fileno(), select.EPOLLIN, told.append)
    theirs.send(b"x")
    loop.turn(SECONDS, others.append)
    loop.unwatch(ours.fileno())
    loop.turn(0.0, others.append)
    assert (told, others) == ([select.EPOLLIN], [])
    loop.poll.register(ours.fileno(), select.EPOLLIN)
    loop.turn(SECONDS, others.append)
    assert (told, others) == ([select.EPOLLIN], [ours.fileno()])


def test_off_loop__works_in_a_thread_if_in_a_loop(running: RunningLoop) -> None:
    assert running.do(off_loop, thread_name).startswith("blocking")
    assert off_loop(thread_name) == thread_name()


def test_off_loop__others_go_on_meanwhile(running: RunningLoop) -> None:
    may_end = threading.Event()
    blocked = running.begin(off_loop, may_end.wait, SECONDS)
    assert running.do(in_loop)
    assert not blocked.done()
    may_end.set()
    assert blocked.result(SECONDS) is True


def test_off_loop__raises_what_the_work_raises(running: RunningLoop) -> None:
    with pytest.raises(LookupError, match="said by a test"):
        running.do(off_loop, fail)


def test_event_loop__each_call_has_its_own_request_id(running: RunningLoop) -> None:
    may_end = threading.Event()

    def call(name: str) -> tuple[object, object]:
        bind_contextvars(request_id=name)
        seen = off_loop(lambda: (may_end.wait(SECONDS), get_contextvars()["request_id"])[1])
        return seen, get_contextvars()["request_id"]

    calls = [running.begin(call, name) for name in ("a", "b", "c")]
    may_end.set()
    assert [each.result(SECONDS) for each in calls] == [("a", "a"), ("b", "b"), ("c", "c")]
    assert running.do(get_contextvars) == {}


def test_event_loop__goes_on_after_a_call_that_fails(
    running: RunningLoop, caplog: pytest.LogCaptureFixture
) -> None:
    running.loop.call_soon(lambda: running.loop.start(fail))
    assert running.do(in_loop)
    assert "Error in a call" in caplog.text


def test_event_loop__does_what_threads_ask_for_once_each(running: RunningLoop) -> None:
    done: list[int] = []
    all_done = threading.Event()

    def note(number: int) -> None:
        done.append(number)
        if len(done) == 400:
            all_done.set()

    def ask(first: int) -> None:
        for number in range(first, first + 100):
            running.loop.call_soon(lambda number=number: note(number))  # type: ignore[misc]

    threads = [threading.Thread(target=ask, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    assert all_done.wait(SECONDS)
    assert sorted(done) == list(range(400))
    for thread in threads:
        thread.join()


def test_event_loop__what_a_thread_asks_for_ends_its_waiting() -> None:
    with running_loop(turn_seconds=SECONDS) as running:
        done = threading.Event()
        # It waits for what happens.
        assert not done.wait(0.1)
        running.loop.call_soon_threadsafe(done.set)
        assert done.wait(SECONDS / 3)
        running.loop.call_soon_threadsafe(running.end)


def test_start__greenlet_of_an_ended_call_brings_nothing_along() -> None:
    told: ContextVar[str] = ContextVar("told", default="nothing")

    def call() -> tuple[int, str]:
        found = id(getcurrent()), told.get()
        told.set("something")
        return found

    with running_loop() as running:
        first, second = running.do(call), running.do(call)
    assert first == second
    assert second[1] == "nothing"


def test_start__what_a_call_was_given_is_let_go_with_its_end() -> None:
    class Given:
        pass

    given = Given()
    is_there = weakref.ref(given)
    with running_loop() as running:
        running.do(id, given)
        del given
        assert running.do(is_there) is None


def test_start__more_calls_at_once_than_are_kept() -> None:
    count = 2 * MOST_ENDED_CALLS + 1
    arrived = threading.Semaphore(0)

    def call(sock: socket.socket) -> int:
        arrived.release()
        return readable(sock)

    with running_loop() as running:
        for _ in range(2):
            pairs = [socket.socketpair() for _ in range(count)]
            calls = [running.begin(call, ours) for ours, _ in pairs]
            for _ in range(count):
                assert arrived.acquire(timeout=SECONDS)
            for _, theirs in pairs:
                theirs.sendall(b"!")
            assert [one.result(SECONDS) for one in calls] == [select.EPOLLIN] * count
            for ours, theirs in pairs:
                ours.close()
                theirs.close()
        assert len(running.loop.ended_calls) == MOST_ENDED_CALLS
