"""Keeps the call log's partitions: days ahead are made, old days are dropped."""

from datetime import UTC, timedelta

from django.db import connection

from lib.clock import now


def prepare_days(ahead: int) -> int:
    """Makes today's partition and those of `ahead` further days (UTC). Returns how many were new."""
    today = now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE call_log_prepare_day(%s::date + day)) FROM generate_series(0, "
            "%s) day",
            [today, ahead],
        )
        return int(cursor.fetchone()[0])


def drop_old_days(kept: timedelta) -> int:
    """Drops whole days that are older than `kept`. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT call_log_drop_before(%s)", [now().astimezone(UTC).date() - kept])
        return int(cursor.fetchone()[0])
