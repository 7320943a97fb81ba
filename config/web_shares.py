"""How many connections each of the web server's workers has, in memory that all of them see.

Whoever happens to be awake accepts a connection, so one worker may get most of them, and their calls wait
for each other while the other worker has little to do.
Like config/gunicorn.py this imports nothing of the project.
"""

import mmap

# Places of workers (config/gunicorn.py); one beyond takes no part.
MOST_WORKERS = 256
# How long a worker that has more than another leaves new connections to that one, which may be stuck.
PATIENCE_SECONDS = 0.005


class Shares:
    """Made by the first process, before it forks."""

    def __init__(self) -> None:
        # Of a worker that accepts, one more than it has; else 0.
        self.counts = memoryview(mmap.mmap(-1, 4 * MOST_WORKERS)).cast("I")

    def note(self, place: int, connections: int) -> None:
        """Says how many a worker has that accepts."""
        if place < MOST_WORKERS:
            self.counts[place] = connections + 1

    def leave(self, place: int) -> None:
        """Says that a worker accepts no more, or has ended."""
        if place < MOST_WORKERS:
            self.counts[place] = 0

    def is_ahead(self, connections: int) -> bool:
        """Whether another worker has fewer connections, by more than an eighth."""
        return any(0 < count <= connections - connections // 8 for count in self.counts)
