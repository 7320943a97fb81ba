"""Repeats what was not answered, on the contract's schedule, and follows orders that players are paying."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from demo.game.moves import Move, State
from demo.game.play import WATCHED_SECONDS, Game
from demo.game.wire import story

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
# Orders of players whose page is open; nobody else waits for them.
SEEN_SECONDS = 15.0


@dataclass
class Repeater:
    """A thread that looks once a second what is due, and a few that do it."""

    game: Game
    stop: threading.Event = field(default_factory=threading.Event)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "repeater"))

    def start(self) -> None:
        threading.Thread(target=self.run, name="repeater", daemon=True).start()

    def run(self) -> None:
        while not self.stop.wait(LOOK_SECONDS):
            for done in [
                self.pool.submit(self.repeat, move) for move in self.game.store.due_moves(time.time())
            ]:
                if problem := done.exception():
                    logger.error("a transaction could not be driven on", exc_info=problem)
            self.follow_orders()

    def repeat(self, move: Move) -> None:
        """Drives on what is due, unless somebody does already."""
        title = "How did it end?" if move.state in (State.CONFIRMING, State.ROLLING_BACK) else "Once more"
        with story(move.uid, f"{title} {move.item}"):
            self.game.drive(move)

    def follow_orders(self) -> None:
        """Asks after the orders of those who are looking."""
        at = time.time()
        for order in self.game.store.watched_orders(at - WATCHED_SECONDS):
            if at - self.game.seen.get(order.uid, 0) < SEEN_SECONDS:
                self.game.follow_order(order)

    def end(self) -> None:
        self.stop.set()
        self.pool.shutdown(wait=False, cancel_futures=True)
