"""What can be done with the demonstration's clock: read it, and move it forward."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import signature
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from lib.clock import now
from payments.nudges import nudge
from wallet.call_log import prepare_days
from wallet.journal_parts import prepare_months
from wallet.models import Pulse
from wallet.retention import DAYS_AHEAD

READ = "SELECT moved_by_seconds FROM demo_clock"
MOVE = "UPDATE demo_clock SET moved_by_seconds = moved_by_seconds + %s"
MOST_HOURS = 30 * 24
# What the story of 72 hours is about comes first; the others would have run in that time, too.
FIRST = "wallet.settle_due"


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is for the platform, and how far that is ahead of the true time."""

    now: datetime
    moved_by: timedelta

    @property
    def hours_ahead(self) -> int:
        """How far it is ahead, in whole hours."""
        return self.moved_by // timedelta(hours=1)


class NotForward(Exception):
    """The clock was to be moved back, not at all, or too far; its text says what is possible."""


def read_clock() -> Clock:
    """The clock as it is."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        [seconds] = cursor.fetchone()
    return Clock(now(), timedelta(seconds=seconds))


def move_clock(hours: int) -> Clock:
    """Moves the clock forward, and has everything that is due at a time look at once. Raises `NotForward`."""
    if not 1 <= hours <= MOST_HOURS:
        raise NotForward(f"The clock moves forward only, by 1 to {MOST_HOURS} hours at once.")
    by = timedelta(hours=hours)
    with transaction.atomic():
        # Signs of life go with it: the time that is left out is no outage, after which nothing is due.
        Pulse.objects.update(at=F("at") + by)
        with connection.cursor() as cursor:
            cursor.execute(MOVE, [round(by.total_seconds())])
        # By the new time, before anybody goes by it: no call may meet a day of the log that is being made.
        prepare_days(DAYS_AHEAD)
        prepare_months()
    run_schedule()
    return read_clock()


def run_schedule() -> None:
    """Begins each task of the schedule."""
    tasks = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    for task in sorted(tasks, key=lambda task: task != FIRST):
        nudge(signature(task))
