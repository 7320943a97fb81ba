"""The feed: events in the order of their positions, after a place that was read up to."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from wallet.events.cursor import TOO_OLD, Cursor, CursorRefused, cursor_at
from wallet.events.kinds import READERS
from wallet.events.message import EventMessage
from wallet.models import Event


class Page(NamedTuple):
    """Events, and the place after them; the same place if there are none."""

    messages: list[EventMessage]
    following: Cursor


def read_feed(after: Cursor, limit: int) -> Page:
    """The next events after a place, at most `limit`. Raises `CursorRefused` if some of them were dropped."""
    events = next_events(after, limit)
    following = cursor_at(events[-1]) if events else after
    return Page(messages_of(events), following)


def next_events(after: Cursor, limit: int) -> list[Event]:
    # Days go up with positions: the parts of earlier days are not looked at.
    rows = Event.objects.filter(day__gte=after.day, position__gt=after.position)
    events = list(rows.order_by("position").select_related("player")[:limit])
    if events and after.position and events[0].position != after.position + 1:
        # Dropped in this instant.
        raise CursorRefused(TOO_OLD)
    return events


def messages_of(events: Sequence[Event]) -> list[EventMessage]:
    """What is told of some events, in their order."""
    told: dict[int, EventMessage] = {}
    for kind, group in groupby(sorted(events, key=kind_of), key=kind_of):
        told.update(READERS[kind](list(group)))
    return [told[event.position] for event in events]


def kind_of(event: Event) -> str:
    return event.kind
