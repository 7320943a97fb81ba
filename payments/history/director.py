"""Lets stories happen in the order of time, each until it says when it goes on."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count

from payments.history.past import Past, run

# What happens: it yields the moment at which it goes on.
Story = Iterator[datetime]
# Of one atomic block. A wallet's row is written again and again within it, which costs more the longer it is.
STEPS = 4_000


class Director:
    """Stories that wait for their moment; what would happen from `until` on does not happen."""

    def __init__(self, past: Past, until: datetime) -> None:
        self.past, self.until = past, until
        self.numbers = count()
        self.waiting: list[tuple[datetime, int, Story]] = []

    def begin(self, at: datetime, story: Story) -> None:
        # The number: of two stories of one moment, the first that was begun comes first.
        heapq.heappush(self.waiting, (at, next(self.numbers), story))

    def run(self, told: Callable[[datetime], None]) -> None:
        """All of it, in atomic blocks; `told` hears how far each came."""
        for number in count(1):
            if not self.is_any_left:
                return
            with self.past.block():
                self.go_on(STEPS)
            if number.bit_count() == 1:
                # Plans for tables that were empty a moment ago would read all of what there is by now.
                run("ANALYZE")
            told(self.past.moment)

    @property
    def is_any_left(self) -> bool:
        return bool(self.waiting) and self.waiting[0][0] < self.until

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            if not self.is_any_left:
                return
            at, _, story = heapq.heappop(self.waiting)
            self.past.go_to(at)
            goes_on_at = next(story, None)
            if goes_on_at is not None:
                self.begin(max(at, goes_on_at), story)
