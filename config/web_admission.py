"""Which request is answered next, and which is refused because it would wait too long.

Like config/gunicorn.py this imports nothing of the project.
"""

import enum
import threading
import time
from collections import deque
from typing import NamedTuple

from config.web_connection import Connection


@enum.unique
class Urgency(enum.IntEnum):
    """Who goes first. What settles ends a transaction that holds a player's money; what opens adds to the
    work.
    """

    SETTLING = 0
    READING = 1
    PAGE = 2
    OPENING = 3


# How many times as long as an opening a request may wait. Pages, and what else is no call, are never refused.
PATIENCE = {Urgency.SETTLING: 16, Urgency.READING: 4, Urgency.OPENING: 1}
# Seconds that an opening may have to wait, if nothing else is set (config/gunicorn.py).
WAIT_SECONDS = 0.25
# Who has waited so many times as long, because it went slower than was expected, is refused after all.
MOST_TIMES = 3
# The pace is measured over so many seconds, and the best of so many times counts.
WINDOW_SECONDS = 0.1
WINDOWS = 8


class Waiting(NamedTuple):
    """A whole request that waits for its turn, since when on the monotonic clock."""

    connection: Connection
    since: float


class Line:
    """The requests of one process that wait for its loop, or for its threads, which carry out so many at once
    as there are `places`.

    The loop puts in and looks, threads take out.
    """

    def __init__(self, places: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self.places = places
        self.limits = {urgency: times * wait_seconds for urgency, times in PATIENCE.items()}
        self.queues: tuple[deque[Waiting], ...] = tuple(deque() for _ in Urgency)
        self.lock = threading.Lock()
        self.pace = Pace()
        # How many were let in; those of them that are not there any more have been answered.
        self.entered = 0

    def __len__(self) -> int:
        return sum(map(len, self.queues))

    def put(self, connection: Connection, urgency: Urgency) -> None:
        self.entered += 1
        with self.lock:
            self.queues[urgency].append(Waiting(connection, time.monotonic()))

    def take(self) -> Connection | None:
        """The most urgent one, and of these who came first; None if nobody waits."""
        with self.lock:
            return next((waiting.popleft().connection for waiting in self.queues if waiting), None)

    def take_overdue(self) -> list[Connection]:
        """Those that have waited far longer than they were expected to."""
        now = time.monotonic()
        taken: list[Connection] = []
        with self.lock:
            for urgency, limit in self.limits.items():
                waiting = self.queues[urgency]
                while waiting and now - waiting[0].since > limit * MOST_TIMES:
                    taken.append(waiting.popleft().connection)
        self.entered -= len(taken)
        return taken

    def would_wait(self, urgency: Urgency, present: int) -> float:
        """Seconds until a request would be answered that came now, at the pace of late. `present` are there,
        waiting or under way; who is less urgent is overtaken.
        """
        overtaken = sum(map(len, self.queues[urgency + 1 :]))
        return (present - overtaken) * self.pace.seconds()

    def is_too_long(self, urgency: Urgency, present: int) -> bool:
        """Whether a request that came now would wait too long."""
        if present < self.places or urgency not in self.limits:
            return False
        return self.would_wait(urgency, present) > self.limits[urgency]

    def note_pace(self, present: int) -> bool:
        """Is told after a turn of the loop how many are there; whether some must wait."""
        is_busy = present > self.places
        self.pace.note(self.entered - present, is_busy=is_busy)
        return is_busy


class Pace:
    """How long it takes from one answer to the next while there is more to do than can be done at once.

    A disk or a lock that holds everything up for a moment makes no slow machine: so the best of the last
    windows counts.
    """

    def __init__(self) -> None:
        self.windows: deque[float] = deque(maxlen=WINDOWS)
        # When the present window began, on the monotonic clock; None if nobody waits.
        self.began: float | None = None
        self.answered = 0

    def seconds(self) -> float:
        """Nothing as long as it is not known."""
        return min(self.windows, default=0.0)

    def note(self, answered: int, *, is_busy: bool) -> None:
        """Is told how many have been answered in all."""
        if not is_busy:
            self.began = None
            return
        now = time.monotonic()
        if self.began is None:
            self.began, self.answered = now, answered
        elif now - self.began >= WINDOW_SECONDS and answered > self.answered:
            self.windows.append((now - self.began) / (answered - self.answered))
            self.began, self.answered = now, answered
