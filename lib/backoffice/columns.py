"""Columns of lists and fields of pages, one line each: the label, where the value is, and how it looks.

They stand in an admin's class body, and their names in `list_display` and `fields`:

    list_display = ("received", "message", "seen")
    received = columns.clock("received (UTC)", "received_at")
    message = columns.mono("message id", "message_id")
    seen = columns.number("times", "times_seen")
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.backoffice import formatting
from lib.backoffice.formatting import NOTHING

# Where a column finds its value: an attribute of the row, with dots into others, or a function of the row.
Source = str | Callable[[Any], Any]
Look = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """What Django's admin asks of a column. It is no function, so it is not bound as a method."""

    short_description: str
    show: Callable[[Any], Any]
    boolean: bool = False

    def __call__(self, row: Any) -> Any:
        return self.show(row)


def read(row: Any, source: Source) -> Any:
    """A column's value; None if something on the way to it is None."""
    if callable(source):
        return source(row)
    value = row
    for name in source.split("."):
        value = None if value is None else getattr(value, name)
    return value


def looking(label: str, source: Source, look: Look) -> Column:
    """A column whose values all look alike."""
    return Column(label, lambda row: look(read(row, source)))


def text(label: str, source: Source, empty: str = NOTHING) -> Column:
    """A value as it is: words, or what a function has formatted already. `empty` stands for none."""
    return looking(label, source, lambda value: empty if value in (None, "") else value)


def sentence(label: str, source: Source) -> Column:
    """Words that begin as a sentence does."""
    return looking(label, source, formatting.sentence)


def mono(label: str, source: Source) -> Column:
    """An identifier, in letters of one width."""
    return looking(label, source, formatting.mono)


def name(label: str, source: Source) -> Column:
    """A name that somebody chose."""
    return looking(label, source, formatting.name)


def clipped(label: str, source: Source) -> Column:
    """An identifier of others in a list, cut off if it is long."""
    return looking(label, source, formatting.clipped)


def excerpt(label: str, source: Source) -> Column:
    """The beginning of a sentence in a list."""
    return looking(label, source, formatting.excerpt)


def wrapped(label: str, source: Source) -> Column:
    """A sentence in a list, over several lines."""
    return looking(label, source, formatting.wrapped)


def short_id(label: str, source: Source = "pk") -> Column:
    """One of our own ids in a list."""
    return looking(label, source, formatting.short_id)


def clock(label: str, source: Source) -> Column:
    """A time in a list; the label says that it is UTC."""
    return looking(label, source, formatting.clock)


def moment(label: str, source: Source) -> Column:
    """A time on a page, which says itself that it is UTC."""
    return looking(label, source, formatting.moment)


def number(label: str, source: Source) -> Column:
    """A whole number, with signs between thousands."""
    return looking(label, source, lambda value: f"{value:,}")


def flag(label: str, source: str) -> Column:
    """Yes or no, as an icon."""
    return Column(label, lambda row: read(row, source), boolean=True)


def link(
    label: str, view: str, key: str, source: Source = "", look: Look = str, empty: str = NOTHING
) -> Column:
    """A link to the page `view` of the row with the key at `key`.

    It shows the value at `source`, or else the key, formatted by `look`; `empty` stands for no key.
    """

    def show(row: Any) -> Any:
        target = read(row, key)
        return empty if target is None else formatting.link(look(read(row, source or key)), view, target)

    return Column(label, show)
