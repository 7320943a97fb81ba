"""Gives positions to events that are committed."""

from datetime import UTC, timedelta

from django.conf import settings
from django.db import connection

from lib.clock import now
from wallet.job_runs import Run

BATCH = 5_000
# Of one run, which ends before beat begins the next ones in vain.
MOST_BATCHES = 200


def number_events(most: int = BATCH) -> int:
    """Gives the next positions to at most so many events. Returns how many; none if somebody else does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_number(%s)", [most])
        return int(cursor.fetchone()[0])


def number_all(run: Run) -> None:
    """Until no event waits."""
    if settings.DATABASE_DISTRIBUTED:
        return
    for _ in range(MOST_BATCHES):
        numbered = number_events()
        run.done += numbered
        if numbered < BATCH:
            break
    run.looked_at = run.done


def drop_old_events(kept: timedelta) -> int:
    """Drops whole days that are older than `kept`. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_drop_before(%s)", [now().astimezone(UTC).date() - kept])
        return int(cursor.fetchone()[0])
