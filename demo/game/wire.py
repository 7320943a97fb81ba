"""What went over the wire, for the page beside the game: the last exchanges of each player."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_EXCHANGES = 80
# What is being done: whose story it is, and its title.
STORY: ContextVar[tuple[str, str]] = ContextVar("story", default=("", ""))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, without credentials and tokens. `is_ours`: the game asked.

    `status` is 0 if there was no answer; `answer` then says why.
    """

    number: int
    at: float
    story: str
    is_ours: bool
    method: str
    path: str
    request: str
    status: int
    answer: str
    took_ms: int
    why: str


@dataclass
class Wire:
    """Kept in memory alone: after a restart nobody misses it. Numbers grow, over restarts too."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    kept: dict[str, deque[Exchange]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=MOST_EXCHANGES))
    )

    def add(
        self,
        uid: str,
        *,
        is_ours: bool,
        method: str,
        path: str,
        request: str,
        status: int,
        answer: str,
        took_ms: int,
        why: str,
    ) -> None:
        """Writes an exchange of a player down, in the story that is being told."""
        with self.lock:
            self.last += 1
            told = Exchange(
                self.last,
                time.time(),
                STORY.get()[1],
                is_ours,
                method,
                path,
                request,
                status,
                answer,
                took_ms,
                why,
            )
            self.kept[uid].append(told)

    def after(self, uid: str, number: int) -> list[Exchange]:
        """A player's exchanges with higher numbers, the oldest first."""
        with self.lock:
            return [one for one in self.kept.get(uid, ()) if one.number > number]


@contextmanager
def story(uid: str, title: str) -> Iterator[None]:
    """What is exchanged within is `uid`'s, and told under this title."""
    mark = STORY.set((uid, title))
    try:
        yield
    finally:
        STORY.reset(mark)
