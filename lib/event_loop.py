"""A loop that runs calls as greenlets: while one waits, for the database or for a thread, others go on.

The web server's worker has one (config.web_worker), and the wallet's calls run in it. The same code runs in
threads, tasks and commands too, where it waits as it stands. Nothing in the loop's own thread may block.
"""

import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, NamedTuple, TypeVar

from greenlet import getcurrent, greenlet

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

# Threads for what a call cannot do without blocking: rare things, such as credentials that are read anew.
BLOCKING_THREADS = 4
# Greenlets that are kept for further calls.
MOST_ENDED_CALLS = 128


def ignore(_: int) -> None:
    """Nobody waits for this descriptor any more."""


class CallGreenlet(greenlet):  # type: ignore[misc]
    """Runs in a loop; `loop` is the one."""

    loop: "EventLoop"


class Wait(NamedTuple):
    """A greenlet that waits for a descriptor, until `deadline` on the monotonic clock."""

    waiter: greenlet
    deadline: float


def in_loop() -> bool:
    """Whether this code runs as a call in a loop, and so must not block."""
    # Not by its class: after a reload, the web server's process may have this module twice.
    return hasattr(getcurrent(), "loop")


def current_loop() -> "EventLoop":
    """The loop that the present call runs in."""
    loop: EventLoop = getcurrent().loop
    return loop


def off_loop(work: Callable[..., Result], *arguments: Any) -> Result:
    """The result of work that blocks: done in a thread if this is a call in a loop, else here."""
    if in_loop():
        return current_loop().in_thread(work, *arguments)
    return work(*arguments)


class EventLoop:
    """Watches descriptors, and runs what is ready.

    But for `call_soon_threadsafe`, only its own thread may use it.
    """

    def __init__(self) -> None:
        self.hub = getcurrent()
        self.poll = select.epoll()
        # What is done if something happens to a descriptor; it is told what (EPOLLIN, …).
        self.handlers: dict[int, Callable[[int], Any]] = {}
        self.waits: dict[int, Wait] = {}
        # Their greenlets are used again.
        self.ended_calls: list[CallGreenlet] = []
        self.soon: deque[Callable[[], Any]] = deque()
        # How many calls have begun and not ended.
        self.under_way = 0
        # Of these, how many wait for what keeps others from nothing, such as a lock of somebody else's.
        self.set_aside = 0
        self.waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.threads = ThreadPoolExecutor(BLOCKING_THREADS, "blocking")
        self.watch(self.waker, select.EPOLLIN, lambda _: os.eventfd_read(self.waker))

    def watch(self, descriptor: int, events: int, handler: Callable[[int], Any]) -> None:
        """Has `handler` called whenever one of `events` is there."""
        self.handlers[descriptor] = handler
        self.poll.register(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        self.poll.unregister(descriptor)
        del self.handlers[descriptor]

    def turn(self, seconds: float, others: Callable[[int], Any] = ignore) -> None:
        """Runs what is ready; waits for that so many seconds at most. `others` is told the descriptors that
        are in `poll` and have no handler.
        """
        for descriptor, events in self.poll.poll(0.0 if self.soon else seconds):
            handler = self.handlers.get(descriptor)
            if handler is None:
                others(descriptor)
            else:
                handler(events)
        for _ in range(len(self.soon)):
            self.soon.popleft()()

    def end_overdue_waits(self) -> None:
        """Tells those that have waited too long."""
        now = time.monotonic()
        for descriptor, wait in list(self.waits.items()):
            if wait.deadline < now and self.waits.get(descriptor) is wait:
                wait.waiter.switch(0)

    # --- For the calls ---

    def start(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Runs `work` as a call of its own, with a context of its own, until it waits for the first time."""
        if self.ended_calls:
            call = self.ended_calls.pop()
        else:
            call = CallGreenlet(self.run, self.hub)
            call.loop = self
            # What the first switch brings is kept to the end.
            call.switch()
        call.gr_context = Context()
        self.under_way += 1
        call.switch(work, arguments)

    def run(self) -> None:
        """One call after the other: a new greenlet for each would cost more than all else in the loop."""
        while True:
            work, arguments = self.hub.switch()
            try:
                work(*arguments)
            except Exception:
                logger.exception("Error in a call")
            del work, arguments
            self.under_way -= 1
            if len(self.ended_calls) == MOST_ENDED_CALLS:
                return
            self.ended_calls.append(getcurrent())

    def call_soon(self, work: Callable[[], Any]) -> None:
        """Does `work` at the end of this turn, or of the next."""
        self.soon.append(work)

    def call_soon_threadsafe(self, work: Callable[[], Any]) -> None:
        """The same, for other threads."""
        self.soon.append(work)
        os.eventfd_write(self.waker, 1)

    def pause(self) -> Any:
        """Lets others go on, until somebody switches to the present call; returns what it is given then."""
        return self.hub.switch()

    def wait(self, descriptor: int, events: int, seconds: float) -> int:
        """Lets others go on until one of `events` is there; returns which, 0 if none came in time."""
        present = getcurrent()
        self.handlers[descriptor] = present.switch
        self.waits[descriptor] = Wait(present, time.monotonic() + seconds)
        try:
            self.poll.modify(descriptor, events | select.EPOLLONESHOT)
        except FileNotFoundError:
            self.poll.register(descriptor, events | select.EPOLLONESHOT)
        try:
            happened: int = self.hub.switch()
        finally:
            del self.handlers[descriptor], self.waits[descriptor]
        return happened

    def in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Lets others go on while a thread does `work`; returns or raises what it does."""
        present = getcurrent()
        future = self.threads.submit(copy_context().run, work, *arguments)
        future.add_done_callback(lambda _: self.call_soon_threadsafe(present.switch))
        self.hub.switch()
        return future.result()
