"""The demonstration's clock, which can be moved: by it the platform signs, and the game verifies."""

import time
from dataclasses import dataclass

from demo.game.platform_client import PlatformClient


@dataclass
class GameClock:
    """This machine's time, and how far the demonstration is ahead of it."""

    platform: PlatformClient
    ahead: float = 0.0

    def now(self) -> float:
        """Seconds since 1970, as the platform counts them."""
        return time.time() + self.ahead

    def read(self) -> None:
        """Asks the platform; where its clock cannot be moved, it is this machine's."""
        _, told = self.platform.front("GET", "/demo/clock", {}, "How late is it in the demonstration?")
        moved = told.get("movedBySeconds", 0)
        self.ahead = float(moved) if isinstance(moved, int) else 0.0
