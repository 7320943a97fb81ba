"""The standbys that follow the primary, as the primary sees them."""

from datetime import timedelta
from typing import NamedTuple

from django.db import connection

# One that says nothing for longer than it should when idle (wal_receiver_status_interval: 10 s) has no line.
# What receives the log alone (pg_receivewal) replays nothing, and takes over from nobody.
NEAREST = """
    SELECT count(*), coalesce(min(CASE
        WHEN flush_lsn >= pg_current_wal_flush_lsn() THEN interval '0'
        ELSE greatest(flush_lag, interval '0',
                      CASE WHEN silent > interval '15 s' THEN silent END) END), interval '0')
    FROM (SELECT *, clock_timestamp() - reply_time AS silent FROM pg_stat_replication
          WHERE state = 'streaming' AND replay_lsn IS NOT NULL) follower
    HAVING pg_has_role('pg_read_all_stats', 'usage')
"""


class NearestFollower(NamedTuple):
    """How many follow, and how much the one that has most lacks: what is lost if it takes over."""

    number: int
    lag: timedelta


def nearest_follower() -> NearestFollower | None:
    """None if this role may not see it."""
    with connection.cursor() as cursor:
        cursor.execute(NEAREST)
        row = cursor.fetchone()
    return NearestFollower(*row) if row else None
