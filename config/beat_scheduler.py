"""Beat's schedule, which goes on when the clock of its machine is put back.

Celery's own sends nothing until the clock has come to where it was, for hours or weeks.
"""

import logging
from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

logger = logging.getLogger(__name__)

# A clock that is disciplined by NTP moves by less at once.
STEP = timedelta(seconds=1)


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]
    """What was sent at a time that is still to come was sent just now."""

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self.looked_at = self.app.now()
        self.forget_future()

    def tick(self, *words: Any, **options: Any) -> float:
        before, self.looked_at = self.looked_at, self.app.now()
        if self.looked_at < before - STEP:
            logger.warning("the clock was put back by %s", before - self.looked_at)
            self.forget_future()
        seconds: float = super().tick(*words, **options)
        return seconds

    def forget_future(self) -> None:
        """Has the times made anew at which everything is next."""
        for entry in self.schedule.values():
            entry.last_run_at = min(entry.last_run_at, entry.default_now())
        self._heap = None
