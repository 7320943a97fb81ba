"""A process whose own clock is wrong by SKEW_SECONDS.

Python imports this by itself where this directory is on PYTHONPATH.
"""

import copyreg
import datetime
import os
import time
from typing import Any

# Compiled against the true types, which it would look for in vain.
import psycopg  # noqa: F401

SKEW_SECONDS = float(os.environ["SKEW_SECONDS"])
SKEW_NS = int(SKEW_SECONDS * 1_000_000_000)
SKEW = datetime.timedelta(seconds=SKEW_SECONDS)
TRUE_TIME, TRUE_TIME_NS, TrueDate, TrueDatetime = time.time, time.time_ns, datetime.date, datetime.datetime


class Likeness(type):
    """What is a true date or time is one of ours, and the other way round."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


class SkewedDatetime(datetime.datetime, metaclass=Likeness):
    """Says the wrong time, as a true datetime."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return TrueDatetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return TrueDatetime.now(tz) + SKEW

    @classmethod
    def today(cls) -> Any:
        return TrueDatetime.today() + SKEW

    @classmethod
    def fromisoformat(cls, text: str) -> Any:
        return TrueDatetime.fromisoformat(text)

    @classmethod
    def utcnow(cls) -> Any:
        return TrueDatetime.now(datetime.UTC).replace(tzinfo=None) + SKEW


class SkewedDate(datetime.date, metaclass=Likeness):
    """Says the wrong day."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return TrueDate(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        return (TrueDatetime.today() + SKEW).date()


def pickled(moment: datetime.datetime) -> tuple[Any, ...]:
    """A true datetime is no longer found by its name; beat keeps some in a file."""
    return SkewedDatetime.fromisoformat, (moment.isoformat(),)


copyreg.pickle(TrueDatetime, pickled)
time.time = lambda: TRUE_TIME() + SKEW_SECONDS
time.time_ns = lambda: TRUE_TIME_NS() + SKEW_NS
datetime.datetime = SkewedDatetime  # type: ignore[misc]
datetime.date = SkewedDate  # type: ignore[misc]
