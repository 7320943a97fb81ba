"""The place in the feed up to which somebody has read: the last event, recognisable.

After a restore to an earlier moment, or a failover that lost the last seconds, a position may be another
event's, or nobody's: so a cursor tells which event it means, and one that means another is refused.
"""

import re
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

from wallet.models import Event, EventHead

CURSOR = re.compile(r"([0-9]{8})-([0-9]{1,18})-([0-9a-f]{8})\Z", re.ASCII)
BEGINNING = date(1, 1, 1)


TOO_OLD = (
    "after is older than the events that are kept, so some were missed: read the balances anew, and begin "
    "without after."
)
FOREIGN = (
    "after is of a history that is not this database's any more, as after a restore: read the balances anew, "
    "and begin without after."
)


class CursorRefused(Exception):
    """Why nothing can be read after a cursor; its text is for whoever sent it."""


class Cursor(NamedTuple):
    """An event's day and position, and what recognises it. The beginning is before all events."""

    day: date = BEGINNING
    position: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.day:%Y%m%d}-{self.position}-{self.mark}"


def cursor_at(event: Event) -> Cursor:
    """The place after an event."""
    return Cursor(event.day, event.position, mark_of(event.subject_id, event.seq, event.at))


def mark_of(subject_id: UUID | None, seq: int | None, at: datetime | None) -> str:
    """What tells an event from any other at the same position."""
    moment = at.timestamp() if at else None
    return f"{crc32(f'{subject_id} {seq} {moment}'.encode()):08x}"


def read_cursor(text: str) -> Cursor:
    """The place that a cursor means, if the events after it are all there. Raises `CursorRefused`."""
    parts = CURSOR.match(text)
    try:
        day = date.fromisoformat(parts[1]) if parts else None
    except ValueError:
        day = None
    if parts is None or day is None:
        raise CursorRefused("after must be the next of an earlier answer.")
    cursor = Cursor(day, int(parts[2]), parts[3])
    require_known(cursor)
    return cursor


def end_of_feed() -> Cursor:
    """The place after all events that have a position. The last of them is never dropped."""
    last = Event.objects.order_by("-day", "-position").first()
    return cursor_at(last) if last else Cursor()


def require_known(cursor: Cursor) -> None:
    """Raises `CursorRefused` if events after it were dropped, or if it never was in this feed."""
    # The head before the event: what is dropped between is then not taken for unknown.
    event = Event.objects.filter(day=cursor.day, position=cursor.position).first()
    head = EventHead.objects.get()
    if event is not None and cursor_at(event) == cursor:
        return
    if cursor == Cursor() and not head.dropped_position:
        return
    last_dropped = mark_of(head.dropped_subject_id, head.dropped_seq, head.dropped_at)
    if cursor.position == head.dropped_position and cursor.mark == last_dropped:
        return
    raise CursorRefused(TOO_OLD if cursor.position <= head.dropped_position else FOREIGN)
