"""Looks whether a server that has become the primary knows what games were answered before.

A standby that follows asynchronously lacks what it had not received when it took over.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.db import connection

from lib.clock import in_words
from wallet.alerts import raise_alert
from wallet.kept_answers import KEPT_ANSWERS, Kept
from wallet.models import Alert

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
# So many are named by an alert; all are by the log.
NAMED = 5
# Each promotion begins a new timeline. Until it is started again, the server knows the time of the last
# commit that it has of the one before.
SERVER = """
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer,
        pg_last_xact_replay_timestamp()
"""
MISSING = """
    SELECT kept.number FROM unnest(%s::uuid[], %s::boolean[]) WITH ORDINALITY AS kept (id, settles, number)
    WHERE NOT EXISTS (SELECT FROM wallet_transaction known
                      WHERE known.id = kept.id AND (NOT kept.settles OR known.settled_at IS NOT NULL))
    ORDER BY kept.number
"""


class Takeovers:
    """The primary as this process saw it last."""

    def __init__(self) -> None:
        self.timeline = 0

    def look(self) -> list[Kept]:
        """The kept answers that the primary does not know, if it is another one than at the last look: each
        is logged, and people are told. Every machine of a distributed database has a timeline of its own:
        there nobody looks.
        """
        if settings.DATABASE_DISTRIBUTED:
            return []
        timeline, known_until = read_server()
        found = missing(KEPT_ANSWERS.all()) if self.timeline not in (0, timeline) else []
        if found:
            tell(timeline, known_until, found)
        self.timeline = timeline
        return found


TAKEOVERS = Takeovers()


def read_server() -> tuple[int, datetime | None]:
    """Its timeline, and until when it has what was committed before that."""
    with connection.cursor() as cursor:
        cursor.execute(SERVER)
        timeline, known_until = cursor.fetchone()
    return timeline, known_until


def missing(kept: list[Kept]) -> list[Kept]:
    """Those that are not in the database."""
    found = []
    with connection.cursor() as cursor:
        for begin in range(0, len(kept), AT_ONCE):
            some = kept[begin : begin + AT_ONCE]
            cursor.execute(MISSING, [[one.transaction_id for one in some], [one.settles for one in some]])
            found += [some[number - 1] for (number,) in cursor.fetchall()]
    return found


def tell(timeline: int, known_until: datetime | None, found: list[Kept]) -> None:
    """Each web process tells what it has answered itself."""
    for one in found:
        logger.error("the database that took over does not know an answer: %s", one)
    until = f" with all until {in_words(known_until)}" if known_until else ""
    named = ", ".join(str(one) for one in found[:NAMED])
    text = (
        f"Another database server took over{until}. It does not know {len(found)} calls that were answered: "
        f"{named}{', …' if len(found) > NAMED else ''}. The log names all."
    )
    # The first of them tells one process from another.
    raise_alert(Alert.Kind.ANSWERS_LOST, f"timeline {timeline}, {found[0].transaction_id}", text)
