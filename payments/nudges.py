"""Tells workers after a commit that something is due.

Never needed: a sweep finds it by itself, so a broker that is away is only noted.
"""

import logging
import time
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
# After the broker failed, nobody waits for it again for so long, in seconds.
PAUSE_SECONDS = 10.0


class Nudger:
    """Remembers in the process that the broker is away."""

    def __init__(self) -> None:
        self.paused_until = 0.0

    def nudge(self, task: Any, *words: str) -> None:
        """Starts a task with these words, outside of every atomic block."""
        if time.monotonic() < self.paused_until:
            return
        try:
            task.apply_async(words, expires=3600)
        except (OperationalError, RedisError, OSError) as problem:
            logger.warning("the workers cannot be nudged: %s", type(problem).__name__)
            self.paused_until = time.monotonic() + PAUSE_SECONDS


NUDGER = Nudger()
nudge = NUDGER.nudge
