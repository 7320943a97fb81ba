"""Makes the journal's months ahead."""

from datetime import UTC

from django.db import connection

from lib.clock import now

MONTHS_AHEAD = 2


def prepare_months(ahead: int = MONTHS_AHEAD) -> int:
    """Makes the parts of this month and of `ahead` further ones (UTC). Returns how many were new."""
    today = now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE journal_prepare_month("
            "(date_trunc('month', %s::timestamp) + month * interval '1 month')::date)) "
            "FROM generate_series(0, %s) month",
            [today, ahead],
        )
        return int(cursor.fetchone()[0])
