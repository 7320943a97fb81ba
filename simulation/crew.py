"""The threads that play, each with its own connections, and how they stop."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from simulation.client import Connection, Unreachable
from simulation.player import Hands, Wrong
from simulation.tally import Tally

Item = TypeVar("Item")
# How often the progress is shown.
LOOK_SECONDS = 0.2


class Crew:
    """So many workers. `say` gets the sentence that an interruption is answered with."""

    def __init__(self, url: str, workers: int, tally: Tally, say: Callable[[str], None]) -> None:
        self.url = url
        self.tally = tally
        self.say = say
        self.stop = threading.Event()
        self.is_interrupted = False
        self.gave_up = False
        self.failure: BaseException | None = None
        self.hands = [
            Hands(Connection(url, tally, self.stop), Connection(url, tally, self.stop))
            for _ in range(workers)
        ]

    def work(
        self, items: Iterable[Item], act: Callable[[Item, Hands], bool], look: Callable[[], None]
    ) -> None:
        """Acts on each item, and again as long as `act` says so.

        `look` is called now and then, to show the progress. An item is in one worker's hands at a time. After
        Ctrl-C what is under way is finished, the rest is left.
        """
        waiting = deque(items)
        workers = [
            threading.Thread(target=self.serve, args=(waiting, act, hands), daemon=True)
            for hands in self.hands[: len(waiting)]
        ]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            try:
                look()
                next((worker for worker in workers if worker.is_alive()), workers[0]).join(LOOK_SECONDS)
            except KeyboardInterrupt:
                self.interrupt()
        look()
        if self.failure:
            raise self.failure

    def serve(self, waiting: deque[Item], act: Callable[[Item, Hands], bool], hands: Hands) -> None:
        """One worker, until nothing is waiting."""
        while not self.stop.is_set():
            try:
                item = waiting.popleft()
            except IndexError:
                return
            try:
                if act(item, hands):
                    waiting.append(item)
            except Wrong as problem:
                # Its book is no longer to be trusted: this player plays no further, but is compared at the
                # end.
                self.tally.differ(str(problem))
            except Unreachable as problem:
                self.tally.differ(str(problem))
                self.gave_up = True
                self.stop.set()
            except BaseException as problem:  # noqa: BLE001 (raised again by the thread that waits)
                self.failure = problem
                self.stop.set()

    def interrupt(self) -> None:
        """Ctrl-C ends what is being done at that moment: first the playing; pressed again, the comparison."""
        self.is_interrupted = True
        self.stop.set()
        self.say("Stopping: what is under way is finished.")

    def close(self) -> None:
        for hands in self.hands:
            hands.first.close()
            hands.second.close()
