"""What is wrong with the standby that lists and reports are read from, for `manage.py check`."""

from collections.abc import Iterator

from django.db import connections

from lib.backoffice.standby_words import tell
from lib.database import FAILURES
from lib.standby import ALIAS, STANDBY

SETTINGS = """
    SELECT name, setting FROM pg_settings
    WHERE name IN ('hot_standby_feedback', 'max_standby_streaming_delay') ORDER BY name
"""
# Milliseconds; shorter ones cancel a list that takes as long as it may.
LEAST_DELAY = 15_000


def standby_lacks() -> Iterator[str]:
    """Sentences, none if all is well or there is no standby."""
    if not STANDBY.is_configured:
        return
    with STANDBY.reading() as reading:
        if not reading.is_open:
            yield f"DATABASE_REPORTS_URL: {tell(reading)}"
            return
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(SETTINGS)
                found = dict(cursor.fetchall())
        except FAILURES as problem:
            yield f"DATABASE_REPORTS_URL: the standby could not be asked for its settings: {problem}"
            return
    if found["hot_standby_feedback"] != "on" and 0 <= int(found["max_standby_streaming_delay"]) < LEAST_DELAY:
        yield (
            "DATABASE_REPORTS_URL: with hot_standby_feedback off and max_standby_streaming_delay below 15 s "
            "the standby cancels what reads longer, and the primary has to read it again."
        )
