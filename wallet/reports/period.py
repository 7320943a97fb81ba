"""The period of a report: a day, a month or a year, whole or up to a day, in the platform's zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from lib.backoffice.languages import _

DAY = timedelta(days=1)
# Before it there was no platform; Python's last year has no following one.
FIRST_YEAR, LAST_YEAR = 2000, 9998


class Kind(Enum):
    """What is named by one of its days. `TO_DATE`: from its beginning to the end of that day."""

    DAY = "day"
    MONTH_TO_DATE = "month-to-date"
    YEAR_TO_DATE = "year-to-date"
    MONTH = "month"
    YEAR = "year"


WORDS = {
    Kind.DAY: _("Day"),
    Kind.MONTH_TO_DATE: _("Month to date"),
    Kind.YEAR_TO_DATE: _("Year to date"),
    Kind.MONTH: _("Whole month"),
    Kind.YEAR: _("Whole year"),
}


class UnreadablePeriod(ValueError):
    """What was given names no period, or one that has not begun."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to before `until`, which is now if the period is not over.

    `first` and `last` are its days, of which the last may be yet to come.
    """

    kind: Kind
    day: date
    first: date
    last: date
    since: datetime
    until: datetime
    is_over: bool

    @property
    def name(self) -> str:
        """In the address of a page and in the name of a file."""
        return f"{self.kind.value}-{self.day}"


def read_period(kind: str, day: str, at: datetime) -> Period:
    """The period of that kind with that day (ISO), as it is at the moment `at`; without words, today.

    Raises `UnreadablePeriod`.
    """
    try:
        named = Kind(kind or Kind.DAY.value)
        chosen = date.fromisoformat(day) if day else today(at)
    except ValueError as problem:
        raise UnreadablePeriod from problem
    if not FIRST_YEAR <= chosen.year <= LAST_YEAR:
        raise UnreadablePeriod
    first, last = days_of(named, chosen)
    since, end = midnight(first), midnight(last + DAY)
    if since > at:
        raise UnreadablePeriod
    return Period(named, chosen, first, last, since, min(end, at), end <= at)


def today(at: datetime) -> date:
    """The day that a moment belongs to."""
    return at.astimezone(platform_zone()).date()


def days_of(kind: Kind, day: date) -> tuple[date, date]:
    """The first and the last day of a period."""
    month, year = day.replace(day=1), day.replace(month=1, day=1)
    if kind is Kind.MONTH:
        return month, (month + 31 * DAY).replace(day=1) - DAY
    if kind is Kind.YEAR:
        return year, day.replace(month=12, day=31)
    return {Kind.MONTH_TO_DATE: month, Kind.YEAR_TO_DATE: year}.get(kind, day), day


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), platform_zone())


def platform_zone() -> ZoneInfo:
    return ZoneInfo(settings.PLATFORM_ZONE)


def in_words(period: Period) -> Any:
    """A period as a person reads it."""
    words = (
        _("{first} to {last} ({zone}), up to {now}")
        if not period.is_over
        else _("{first} to {last} ({zone})")
    )
    if period.first == period.last:
        words = _("{first} ({zone}), up to {now}") if not period.is_over else _("{first} ({zone})")
    until = f"{period.until.astimezone(platform_zone()):%Y-%m-%d %H:%M:%S}"
    return words.format(first=period.first, last=period.last, zone=settings.PLATFORM_ZONE, now=until)
