"""A loop in a thread of its own, and what a call in it returns."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connections

from lib.event_loop import EventLoop

Result = TypeVar("Result")
# For a call that never ends.
SECONDS = 30.0


class RunningLoop:
    """`loop` turns in a thread until the end of the test."""

    def __init__(self, turn_seconds: float) -> None:
        self.turn_seconds = turn_seconds
        self.loop: EventLoop
        self.has_ended = False
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        self.loop = EventLoop()
        self.is_ready.set()
        while not self.has_ended:
            self.loop.turn(self.turn_seconds)
            self.loop.end_overdue_waits()

    def end(self) -> None:
        self.has_ended = True

    def begin(self, work: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Starts a call; what it returns or raises comes later."""
        future: Future[Result] = Future()
        self.loop.call_soon(lambda: self.loop.start(settle, future, work, arguments))
        return future

    def begin_together(self, work: Callable[..., Result], *arguments: Any) -> "list[Future[Result]]":
        """Starts a call for each argument, all in one turn of the loop."""
        calls: list[tuple[Future[Result], Any]] = [(Future(), argument) for argument in arguments]

        def start() -> None:
            for future, argument in calls:
                self.loop.start(settle, future, work, (argument,))

        self.loop.call_soon(start)
        return [future for future, _ in calls]

    def do(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """What a call returns or raises."""
        return self.begin(work, *arguments).result(SECONDS)


def settle(future: "Future[Any]", work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        future.set_result(work(*arguments))
    except BaseException as problem:  # noqa: BLE001 (it is the test's)
        future.set_exception(problem)


@contextmanager
def running_loop(turn_seconds: float = 0.02) -> Iterator[RunningLoop]:
    """A loop whose turns last so long at most."""
    running = RunningLoop(turn_seconds)
    running.thread.start()
    running.is_ready.wait(SECONDS)
    try:
        yield running
    finally:
        running.end()
        running.thread.join(SECONDS)
        close_connections(running.loop.threads)
        running.loop.threads.shutdown()


def close_own(together: threading.Barrier) -> None:
    together.wait(SECONDS)
    connections.close_all()


def close_connections(threads: ThreadPoolExecutor) -> None:
    """Has each thread close the database connections that it has."""
    together = threading.Barrier(len(threads._threads) or 1)
    for _ in range(together.parties if threads._threads else 0):
        threads.submit(close_own, together)
