"""Ids that this process makes, by the demonstration's clock: those of the database go by it, too."""

import time
from dataclasses import dataclass

from django.db import connection

from lib.database import read_off_loop

# A database that was migrated without DEMO has no such table.
IS_THERE = "SELECT to_regclass('public.demo_clock') IS NOT NULL"
READ = "SELECT moved_by_seconds FROM public.demo_clock"
FRESH_SECONDS = 1.0
NANOSECONDS = 1_000_000_000


@dataclass(slots=True)
class Lead:
    """How far the clock is ahead, in seconds, as it was read last."""

    seconds: int = 0
    read_at: float = 0.0

    def nanoseconds(self) -> int:
        """What time it is, for `lib.ids`."""
        if time.monotonic() - self.read_at > FRESH_SECONDS:
            # Before the reading, so that whoever comes meanwhile goes on with what is known.
            self.read_at = time.monotonic()
            self.seconds = read_off_loop(read_lead)
        return time.time_ns() + self.seconds * NANOSECONDS


def read_lead() -> int:
    """How far the clock is ahead, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(IS_THERE)
        if cursor.fetchone() != (True,):
            return 0
        cursor.execute(READ)
        [seconds] = cursor.fetchone()
    return int(seconds)


LEAD = Lead()
