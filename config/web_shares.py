"""How many connections and requests each of the web server's workers has, in memory that all of them see.

Whoever happens to be awake accepts a connection, so one worker may get most of them, and their calls wait
for each other while the other worker has little to do.
Like config/gunicorn.py this imports nothing of the project.
"""

import mmap
import time

# Places of workers (config/gunicorn.py); one beyond takes no part.
MOST_WORKERS = 256
# How long a worker that has more than another leaves new connections to that one, which may be stuck.
PATIENCE_SECONDS = 0.005
# A worker that has said nothing for so long is stuck: its loop turns once a second at least.
STUCK_SECONDS = 3.0


class Shares:
    """Made by the first process, before it forks."""

    def __init__(self) -> None:
        # Of a worker that accepts, one more than it has; else 0.
        self.counts = memoryview(mmap.mmap(-1, 4 * MOST_WORKERS)).cast("I")
        # Requests under way.
        self.busy = memoryview(mmap.mmap(-1, 4 * MOST_WORKERS)).cast("I")
        # When it said how many connections it has, on the monotonic clock.
        self.noted = memoryview(mmap.mmap(-1, 8 * MOST_WORKERS)).cast("d")

    def note(self, place: int, connections: int) -> None:
        """Says how many a worker has that accepts."""
        if place < MOST_WORKERS:
            self.counts[place], self.noted[place] = connections + 1, time.monotonic()

    def note_busy(self, place: int, requests: int) -> None:
        """Says how many requests a worker has under way."""
        if place < MOST_WORKERS:
            self.busy[place] = requests

    def leave(self, place: int) -> None:
        """Says that a worker accepts no more, or has ended."""
        if place < MOST_WORKERS:
            self.counts[place] = 0

    def places(self) -> list[int]:
        """Those that accept and are not stuck."""
        since = time.monotonic() - STUCK_SECONDS
        return [place for place, noted in enumerate(self.noted) if self.counts[place] and noted > since]

    def present(self) -> list[int]:
        """Their counts of connections."""
        return [self.counts[place] for place in self.places()]

    def least_busy(self) -> int | None:
        """The requests under way at whoever has the fewest; None if nobody is there."""
        return min((self.busy[place] for place in self.places()), default=None)

    def is_ahead(self, connections: int) -> bool:
        """Whether another worker has fewer connections, by more than an eighth."""
        return any(count <= connections - connections // 8 for count in self.present())
