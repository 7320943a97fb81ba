"""Reports of what happened, read day by day from several sources, and shown in the order of time."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from wallet.reports.period import DAY, Period, midnight
from wallet.reports.report import Asked, Batch, Row

# Days without anything that one batch passes over.
MOST_DAYS = 62


class Span(NamedTuple):
    """A day of a report, or what has come of it: from `since` to before `until`."""

    since: datetime
    until: datetime


# What happened in a span, in any order; the first value of each row is its time.
Source = Callable[[Asked, Span], Iterable[Row]]


def by_days(sources: Sequence[Source]) -> Callable[[Asked, str, int], Batch]:
    """A report's `read`. What a place has behind it is a day, and how many rows of it were read."""

    def read(asked: Asked, place: str, size: int) -> Batch:
        day, known = read_place(place) if place else (asked.period.first, 0)
        rows: list[Row] = []
        for _turn in range(MOST_DAYS):
            found = of_day(sources, asked, day)[known:]
            room = size - len(rows)
            rows += found[:room]
            if len(found) > room:
                return Batch(rows, f"{day}/{known + room}")
            day, known = day + DAY, 0
            if midnight(day) >= asked.period.until:
                return Batch(rows)
        return Batch(rows, f"{day}/0")

    return read


def read_place(place: str) -> tuple[date, int]:
    """Raises `ValueError` for what is no place."""
    day, _slash, known = place.partition("/")
    return date.fromisoformat(day), int(known)


def of_day(sources: Sequence[Source], asked: Asked, day: date) -> list[Row]:
    """All rows of a day."""
    span = span_of(asked.period, day)
    return sorted((row for source in sources for row in source(asked, span)), key=lambda row: row.values[0])


def span_of(period: Period, day: date) -> Span:
    return Span(max(midnight(day), period.since), min(midnight(day + DAY), period.until))
