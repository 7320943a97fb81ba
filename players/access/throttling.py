"""Counts failed authentications by address, in the shared cache (contract 1.2)."""

import logging
import time
from functools import cache

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, BaseCache, caches
from redis.exceptions import RedisError

from lib.event_loop import off_loop

logger = logging.getLogger(__name__)
WINDOW_SECONDS = 60
# After the shared cache failed, failures are counted in the process alone for so long.
PAUSE_SECONDS = 5.0


class FailureCounter:
    """Failures of each address in the current minute; counts on in the process while Redis is away."""

    def __init__(self) -> None:
        self.paused_until = 0.0
        self.window = 0
        self.local: dict[str, int] = {}

    def record(self, address: str) -> int | None:
        """Counts one failure. Returns the seconds to wait where the address is past its limit, else None."""
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        if self.count(address, window) <= settings.AUTH_FAILURES_PER_MINUTE:
            return None
        return max(1, int((window + 1) * WINDOW_SECONDS - now))

    def count(self, address: str, window: int) -> int:
        """The number of failures of the address in the window, this one included."""
        if time.monotonic() < self.paused_until:
            return self.count_locally(address, window)
        try:
            return off_loop(count_in_cache, f"authentication-failures:{address}:{window}")
        except (RedisError, ValueError) as problem:  # ValueError: the key went away in between
            logger.warning(
                "failed authentications are counted in this process alone: %s", type(problem).__name__
            )
            self.paused_until = time.monotonic() + PAUSE_SECONDS
            return self.count_locally(address, window)

    def count_locally(self, address: str, window: int) -> int:
        if window != self.window:
            self.window, self.local = window, {}
        self.local[address] = self.local.get(address, 0) + 1
        return self.local[address]


@cache
def shared_cache() -> BaseCache:
    """One client of Redis for all: Django would make one for each context, which a call in a loop is."""
    return caches.create_connection(DEFAULT_CACHE_ALIAS)


def count_in_cache(key: str) -> int:
    counters = shared_cache()
    counters.add(key, 0, 2 * WINDOW_SECONDS)
    return int(counters.incr(key))


FAILURES = FailureCounter()
